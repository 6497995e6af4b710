//! Which bytes of a file are there.

use std::ops::Range;

/// A set of byte positions, as half-open ranges in ascending order that do not touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<Range<u64>>);

impl Ranges {
    /// Adds the positions of `range`.
    pub(super) fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let first = self.0.partition_point(|held| held.end < range.start);
        let after = self.0.partition_point(|held| held.start <= range.end);
        let joined = match self.0.get(first..after) {
            Some([only]) => range.start.min(only.start)..range.end.max(only.end),
            Some([low, .., high]) => range.start.min(low.start)..range.end.max(high.end),
            _ => range,
        };
        self.0.splice(first..after, [joined]);
    }

    /// How many positions there are.
    pub(super) fn len(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Range<u64>> {
        self.0.iter()
    }

    /// The first range below `end` that holds none of the positions.
    pub(super) fn first_gap(&self, end: u64) -> Option<Range<u64>> {
        let (start, stop) = match self.0.as_slice() {
            [first, rest @ ..] if first.start == 0 => {
                (first.end, rest.first().map_or(end, |next| next.start))
            }
            [first, ..] => (0, first.start),
            [] => (0, end),
        };
        let gap = start..stop.min(end);
        (!gap.is_empty()).then_some(gap)
    }
}

impl FromIterator<Range<u64>> for Ranges {
    fn from_iter<T: IntoIterator<Item = Range<u64>>>(ranges: T) -> Self {
        let mut set = Self::default();
        ranges.into_iter().for_each(|range| set.insert(range));
        set
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(ranges in proptest::collection::vec((0_u64..60, 0_u64..20), 0..20), end in 0_u64..80) {
            let mut set = Ranges::default();
            let mut model = [false; 80];
            for (start, length) in ranges {
                set.insert(start..start + length);
                model[start as usize..(start + length) as usize].fill(true);
            }
            prop_assert_eq!(set.len(), model.iter().filter(|&&held| held).count() as u64);
            prop_assert_eq!(set.is_empty(), !model.contains(&true));
            for pair in set.0.windows(2) {
                prop_assert!(pair[0].end < pair[1].start, "{:?}", set);
            }
            let free = (0..end).find(|&at| !model[at as usize]);
            let until = free.map(|free| (free..end).find(|&at| model[at as usize]).unwrap_or(end));
            prop_assert_eq!(set.first_gap(end), free.zip(until).map(|(free, until)| free..until));
            prop_assert_eq!(set.iter().cloned().collect::<Ranges>(), set);
        }
    }
}
