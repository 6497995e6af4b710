//! What is written: values in TOML's terms, and how they are spelled.

use crate::checkpoint::Digest;

/// A value to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// A number or another value that is spelled already.
    Plain(String),
    /// A text, on one line.
    Text(String),
    /// A text that is shown line by line where that is possible.
    Block(String),
    /// Values one after another on a line.
    Row(Vec<Node>),
    /// Values that take a line each, if there is more than one.
    Column(Vec<Node>),
    /// Keys with their values.
    Table(Pairs),
}

/// Keys with their values, in the order in which they are written.
pub(super) type Pairs = Vec<(String, Node)>;

impl Node {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn digest(digest: Digest) -> Self {
        Self::Text(digest.to_string())
    }

    pub fn integer(number: u64) -> Self {
        Self::Plain(number.to_string())
    }

    /// A float, spelled so that it comes back: through 64 bits it is rounded twice, which the shortest
    /// spelling of the 32 does not always survive.
    pub fn float(number: f32) -> Self {
        let short = format!("{number:?}");
        let survives = short.parse::<f64>().is_ok_and(|wide| wide as f32 == number);
        Self::Plain(if survives { short } else { format!("{:?}", f64::from(number)) })
    }

    /// Its values, if it is a list.
    pub fn items(&self) -> Option<&[Node]> {
        match self {
            Self::Row(items) | Self::Column(items) => Some(items),
            _ => None,
        }
    }

    /// Its keys and values, if it has such.
    pub fn pairs(&self) -> Option<&Pairs> {
        match self {
            Self::Table(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// As TOML 1.0. Lines end with `newline`.
    pub fn spell(&self, newline: &str) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Text(text) => quoted(text),
            Self::Block(text) if newline == "\n" && is_plain_block(text) => format!("\"\"\"\n{text}\"\"\""),
            Self::Block(text) => quoted(text),
            Self::Column(items) if items.len() > 1 => {
                let lines = items.iter().map(|item| format!("    {},{newline}", item.spell(newline)));
                format!("[{newline}{}]", lines.collect::<String>())
            }
            Self::Row(items) | Self::Column(items) => {
                format!("[{}]", items.iter().map(|item| item.spell(newline)).collect::<Vec<_>>().join(", "))
            }
            Self::Table(pairs) if pairs.is_empty() => "{}".to_owned(),
            Self::Table(pairs) => {
                let pairs =
                    pairs.iter().map(|(key, node)| format!("{} = {}", spelled_key(key), node.spell(newline)));
                format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// The value of `key`.
pub(super) fn find<'n>(pairs: &'n [(String, Node)], key: &str) -> Option<&'n Node> {
    pairs.iter().find(|(name, _)| name == key).map(|(_, node)| node)
}

/// A key, in quotes if it needs them.
pub(super) fn spelled_key(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !key.is_empty() && key.bytes().all(bare) { key.to_owned() } else { quoted(key) }
}

/// A basic string. JSON's escapes are TOML's, which wants one for DEL as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

/// Whether a multi-line string holds `text` as it is.
fn is_plain_block(text: &str) -> bool {
    text.contains('\n')
        && !text.contains(|c: char| c == '"' || c == '\\' || (c.is_control() && c != '\n' && c != '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        for text in [
            "",
            "a",
            "\"\\\n\r\t\u{8}\u{c}\u{0}\u{7f}\u{85}é\u{2028}😀'''\"\"\"",
            "a\nb\n",
            "\n\na\n",
            "x\"\"\"\ny",
            "a\\\nb",
        ] {
            for newline in ["\n", "\r\n"] {
                for node in [Node::text(text), Node::Block(text.to_owned())] {
                    let spelled = node.spell(newline);
                    let read: toml_edit::Value = spelled.parse().unwrap();
                    assert_eq!(read.as_str(), Some(text), "{spelled}");
                }
            }
        }
    }

    #[test]
    fn floats_come_back() {
        let mut random = fastrand::Rng::with_seed(7);
        let special = [
            0.0,
            -0.0,
            1.0,
            0.1,
            1e-7,
            -1e20,
            f32::MAX,
            f32::MIN_POSITIVE,
            f32::from_bits(1),
            f32::NEG_INFINITY,
        ];
        let many = (0..100_000).map(|_| f32::from_bits(random.u32(..))).filter(|value| !value.is_nan());
        for value in special.into_iter().chain(many) {
            let Node::Plain(spelled) = Node::float(value) else { unreachable!() };
            let read: toml_edit::Value = spelled.parse().unwrap();
            let read = read.as_float().unwrap_or_else(|| panic!("{spelled} is no float")) as f32;
            assert_eq!(read.to_bits(), value.to_bits(), "{spelled}");
        }
    }

    #[test]
    fn keys_are_quoted_where_they_must_be() {
        let spelled = ["a-Z_9", "a.b", "", "é", "a\"b"].map(spelled_key);
        assert_eq!(spelled, ["a-Z_9", "\"a.b\"", "\"\"", "\"é\"", "\"a\\\"b\""]);
    }
}
