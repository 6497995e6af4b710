//! Upper and lower case.

use crate::prompt::text::Text;

/// `upper`, `lower`, `casefold`, `title`, `capitalize` or `swapcase` of a text. What a character becomes has
/// its origin.
pub(super) fn change(text: &Text, how: &str) -> Text {
    // A whole text, as a final sigma has a lower case of its own.
    let lowered = text.as_str().to_lowercase();
    let mut lower = lowered.as_str();
    let mut changed = Text::with_capacity(text.len());
    let mut cased_before = false;
    for (index, (character, sealed)) in text.chars().enumerate() {
        let bytes = character.to_lowercase().map(char::len_utf8).sum();
        let (small, rest) = lower.split_at(bytes);
        lower = rest;
        let is_cased = character.is_lowercase() || character.is_uppercase();
        let raised = match how {
            "upper" => true,
            "swapcase" => character.is_lowercase(),
            "capitalize" => index == 0,
            "title" => !cased_before,
            _ => false,
        };
        cased_before = is_cased;
        match how {
            "title" | "capitalize" if raised => {
                let mut upper = character.to_uppercase();
                upper.next().into_iter().for_each(|first| changed.push_char(first, sealed));
                upper.flat_map(char::to_lowercase).for_each(|rest| changed.push_char(rest, sealed));
            }
            _ if raised => character.to_uppercase().for_each(|upper| changed.push_char(upper, sealed)),
            "casefold" if character == 'ß' => changed.push("ss", sealed),
            "swapcase" if !character.is_uppercase() => changed.push_char(character, sealed),
            _ => changed.push(small, sealed),
        }
    }
    changed
}

/// The filter `title`: words begin behind white space, hyphens and opening brackets.
pub(super) fn title(text: &Text) -> Text {
    let mut titled = Text::with_capacity(text.len());
    let (mut start, mut begins) = (0, true);
    for (index, character) in text.as_str().char_indices() {
        let separates = matches!(character, '-' | '(' | '{' | '[' | '<') || super::lines::is_space(character);
        if separates || begins {
            titled.push_text(&change(&text.slice(start..index), "lower"));
            start = index + character.len_utf8();
            titled.push_text(&change(&text.slice(index..start), "upper"));
        }
        begins = separates;
    }
    titled.push_text(&change(&text.slice(start..text.len()), "lower"));
    titled
}
