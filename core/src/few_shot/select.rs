//! The rules by which examples are chosen. All are deterministic: of equals, the first one is taken.

/// The weight of likeness in [`marginal`] where nothing else is said.
pub const LAMBDA: f32 = 0.5;

/// The first of `examples`, as many as fit: `used` and their sizes together are at most `budget`. The first one that
/// does not fit ends it, so that no example is shown without those in front of it.
pub fn fitting<T>(
    examples: impl IntoIterator<Item = T>,
    budget: usize,
    used: usize,
    size: impl Fn(&T) -> usize,
) -> Vec<T> {
    let mut left = budget.checked_sub(used);
    let fits = |example: &T| {
        left = left.and_then(|left| left.checked_sub(size(example)));
        left.is_some()
    };
    examples.into_iter().take_while(fits).collect()
}

/// The indices of the `count` vectors that are nearest to `query` by their cosine, the nearest first. All vectors have
/// length 1.
pub fn nearest(query: &[f32], vectors: &[impl AsRef<[f32]>], count: usize) -> Vec<usize> {
    let likeness: Vec<f32> = vectors.iter().map(|vector| dot(query, vector.as_ref())).collect();
    let mut order: Vec<usize> = (0..vectors.len()).collect();
    order.sort_by(|&a, &b| likeness[b].total_cmp(&likeness[a]));
    order.truncate(count);
    order
}

/// The indices of `count` vectors by maximal marginal relevance (Carbonell and Goldstein, "The use of MMR,
/// diversity-based reranking for reordering documents and producing summaries", SIGIR 1998): one after another that
/// which has the most of
///
/// `lambda * cos(vector, query) - (1 - lambda) * max(cos(vector, chosen))`
///
/// over those chosen before; the first one is the nearest. All vectors have length 1.
pub fn marginal(query: &[f32], vectors: &[impl AsRef<[f32]>], count: usize, lambda: f32) -> Vec<usize> {
    let likeness: Vec<f32> = vectors.iter().map(|vector| dot(query, vector.as_ref())).collect();
    let mut chosen: Vec<usize> = Vec::new();
    // The largest cosine to one that was chosen.
    let mut closest = vec![f32::NEG_INFINITY; vectors.len()];
    while chosen.len() < count.min(vectors.len()) {
        let gain = |index: usize| match chosen.is_empty() {
            true => likeness[index],
            false => lambda * likeness[index] - (1.0 - lambda) * closest[index],
        };
        let left = (0..vectors.len()).filter(|index| !chosen.contains(index));
        // `max_by` takes the last of equals.
        let Some(best) = left.rev().max_by(|&a, &b| gain(a).total_cmp(&gain(b))) else { break };
        for (closest, vector) in closest.iter_mut().zip(vectors) {
            *closest = closest.max(dot(vector.as_ref(), vectors[best].as_ref()));
        }
        chosen.push(best);
    }
    chosen
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(degrees: f32) -> Vec<f32> {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        vec![cosine, sine]
    }

    #[test]
    fn the_nearest_come_first() {
        let vectors = [at(90.0), at(10.0), at(180.0), at(-5.0), at(10.0)];
        assert_eq!(nearest(&at(0.0), &vectors, 3), [3, 1, 4]);
        assert_eq!(nearest(&at(0.0), &vectors, 9), [3, 1, 4, 0, 2]);
        assert!(nearest(&at(0.0), &Vec::<Vec<f32>>::new(), 3).is_empty());
    }

    /// By hand: after 0 degrees, at lambda 0.5 a vector gains (cos(a) - cos(a)) / 2 = 0 wherever it lies on one side,
    /// and more on the other side of the query.
    #[test]
    fn marginal_relevance_takes_what_is_not_yet_said() {
        let vectors = [at(2.0), at(3.0), at(4.0), at(-40.0)];
        assert_eq!(nearest(&at(0.0), &vectors, 2), [0, 1]);
        assert_eq!(marginal(&at(0.0), &vectors, 2, 0.5), [0, 3]);
        assert_eq!(marginal(&at(0.0), &vectors, 3, 0.5), [0, 3, 1]);
        assert_eq!(marginal(&at(0.0), &vectors, 2, 0.0), [0, 3]);
        assert_eq!(marginal(&at(0.0), &[at(1.0), at(1.0)], 5, 0.5), [0, 1]);
    }

    #[test]
    fn what_fits_ends_with_the_first_that_does_not() {
        let fit = |budget, used| fitting([3, 4, 9, 1], budget, used, |size: &usize| *size);
        assert_eq!(fit(100, 0), [3, 4, 9, 1]);
        assert_eq!(fit(8, 0), [3, 4]);
        assert_eq!(fit(8, 2), [3]);
        assert_eq!(fit(7, 0), [3, 4]);
        assert!(fit(5, 6).is_empty() && fit(2, 0).is_empty());
    }

    proptest! {
        #[test]
        fn a_choice_names_each_example_once(
            angles in prop::collection::vec(0f32..360.0, 0..12), query in 0f32..360.0, count in 0usize..15,
            lambda in 0f32..=1.0,
        ) {
            let vectors: Vec<Vec<f32>> = angles.iter().map(|&angle| at(angle)).collect();
            for chosen in [nearest(&at(query), &vectors, count), marginal(&at(query), &vectors, count, lambda)] {
                let distinct: std::collections::BTreeSet<_> = chosen.iter().collect();
                prop_assert_eq!(distinct.len(), count.min(vectors.len()));
                prop_assert_eq!(distinct.len(), chosen.len());
            }
            // With all weight on likeness it is likeness.
            prop_assert_eq!(marginal(&at(query), &vectors, count, 1.0), nearest(&at(query), &vectors, count));
        }
    }
}
