//! What a token looks like: a marker, or a piece of ordinary text.

/// Elements of HTML, whose tags are ordinary text even where a vocabulary (Gemma's) matches them whole.
const HTML: &[&str] = &[
    "a",
    "abbr",
    "address",
    "area",
    "article",
    "aside",
    "audio",
    "b",
    "base",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "body",
    "br",
    "button",
    "canvas",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "datalist",
    "dd",
    "del",
    "details",
    "dfn",
    "dialog",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "ins",
    "kbd",
    "label",
    "legend",
    "li",
    "link",
    "main",
    "map",
    "mark",
    "menu",
    "meta",
    "meter",
    "nav",
    "noscript",
    "object",
    "ol",
    "optgroup",
    "option",
    "output",
    "p",
    "picture",
    "pre",
    "progress",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "script",
    "section",
    "select",
    "slot",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "track",
    "tt",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
];

/// Opening brackets, each with its closing one.
pub(super) const BRACKETS: &[(char, char)] =
    &[('<', '>'), ('[', ']'), ('＜', '＞'), ('［', '］'), ('【', '】'), ('〈', '〉'), ('⟨', '⟩')];

/// Whether a token is spelled like a marker: within brackets, as `<|user|>`, `[INST]`, `<end_of_turn>`, and no tag
/// of HTML.
pub(super) fn is_marker(text: &str) -> bool {
    is_bracketed(text) && !is_html(text)
}

/// Whether a token is spelled within brackets and has a letter, a digit or a bar there.
pub(super) fn is_bracketed(text: &str) -> bool {
    // `▁<PRE>` and `_<EOT>` are markers too.
    let text = text.trim_start_matches(['▁', '_', ' ']).trim();
    let (Some(first), Some(last)) = (text.chars().next(), text.chars().next_back()) else { return false };
    let opens = BRACKETS.iter().any(|&(open, _)| open == first);
    let closes = BRACKETS.iter().any(|&(_, close)| close == last);
    opens && closes && text.chars().any(|character| character.is_alphanumeric() || "|｜".contains(character))
}

/// Whether a token has at least two characters, and among them one that is neither letter, digit nor space: of
/// what is matched whole, a letter or a run of spaces is no marker, even if a template writes it.
pub(super) fn has_sign(text: &str) -> bool {
    let text = text.trim_matches(|character: char| character.is_whitespace() || character == '▁');
    let is_sign = |character: char| !character.is_alphanumeric() && !character.is_whitespace();
    text.chars().nth(1).is_some() && text.chars().any(is_sign)
}

fn is_html(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) else { return false };
    let name = inner.strip_prefix('/').unwrap_or(inner);
    HTML.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_told_from_text() {
        assert!(HTML.is_sorted());
        for text in [
            "<|User|>",
            "<|EOT|>",
            "<think>",
            "</tool_call>",
            "[INST]",
            "[/INST]",
            "<end_of_turn>",
            "<|\"|>",
            "<｜fim▁hole｜>",
            "▁<PRE>",
            "_<EOT>",
            "[PAD50277]",
            "<|channel>",
            "<0x>",
            "<unused42>",
            "<|0.00|>",
        ] {
            assert!(is_marker(text), "{text}");
            assert!(has_sign(text), "{text}");
        }
        for text in
            ["õ", "÷", "À", "    ", "▁▁", "\n\n", "<table>", "</h1>", "<b>", "<>", "[]", "<", "a", "->"]
        {
            assert!(!is_marker(text), "{text}");
        }
        for text in ["õ", "÷", "    ", "▁▁▁", "\n\n", "user", "<"] {
            assert!(!has_sign(text), "{text}");
        }
        assert!(is_bracketed("</s>") && has_sign(">>QUESTION<<") && has_sign("]~b]"));
    }
}
