//! Where two texts differ, for people: both around the place, with a mark below.

use crate::output::excerpt;

/// Characters that are shown before the place, and from it on.
const BEFORE: usize = 40;
const AFTER: usize = 40;

/// Two lines of a text each, and one that marks the first character that differs.
pub fn lines(expected: &str, actual: &str) -> [String; 3] {
    let (expected, actual) = (escaped(expected), escaped(actual));
    let common = expected.iter().zip(&actual).take_while(|(a, b)| a == b).count();
    let from = common.saturating_sub(BEFORE);
    let cut = |text: &[char]| {
        let to = text.len().min(common + AFTER);
        let before = if from > 0 { "…" } else { "" };
        let after = if to < text.len() { "…" } else { "" };
        format!("{before}{}{after}", text[from..to].iter().collect::<String>())
    };
    let mark = " ".repeat(common - from + usize::from(from > 0)) + "^";
    [cut(&expected), cut(&actual), mark]
}

fn escaped(text: &str) -> Vec<char> {
    excerpt(text, usize::MAX).chars().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_below_the_first_difference() {
        let [expected, actual, mark] = lines("a little girl", "a little dog\n");
        assert_eq!((expected.as_str(), actual.as_str()), ("a little girl", "a little dog\\n"));
        assert_eq!(mark, "         ^");
        assert_eq!(lines("same", "same")[2], "    ^");
        assert_eq!(lines("", "x"), ["", "x", "^"].map(String::from));
    }

    #[test]
    fn long_texts_are_cut_around_it() {
        let same = "ä".repeat(1000);
        let [expected, actual, mark] = lines(&format!("{same}x{same}"), &format!("{same}y"));
        for line in [&expected, &actual] {
            assert!(line.starts_with('…') && line.chars().count() <= 2 + BEFORE + AFTER, "{line}");
        }
        let place = mark.chars().count() - 1;
        assert_eq!((expected.chars().nth(place), actual.chars().nth(place)), (Some('x'), Some('y')));
    }
}
