//! Front matter as a tree that knows the place of each of its nodes.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::source::{Fault, Parsed, Place, unknown};

/// Nodes of a front matter at most; aliases count as what they stand for.
const MAX_NODES: usize = 50_000;
/// How deep its lists and maps may be nested.
const MAX_DEPTH: usize = 64;

/// A node with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub place: Place,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub key: String,
    pub place: Place,
    pub node: Node,
}

/// Reads YAML that stands behind `lines` lines of a file.
pub(crate) fn parse(yaml: &str, lines: usize) -> Parsed<Node> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_NODES },
        strict_booleans: true,
        with_snippet: false,
    };
    if yaml.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Node { place: Place { line: lines.max(1), column: 1 }, kind: Kind::Map(Vec::new()) });
    }
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(yaml, options) {
        Ok(raw) => Ok(located(raw, lines)),
        Err(error) => {
            let place = error.location().map_or(Place { line: lines + 1, column: 1 }, |at| place(at, lines));
            // The place is said apart.
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason).trim();
            Err(Fault::new(place, format!("the front matter is not YAML that can be read: {reason}")))
        }
    }
}

fn place(at: serde_saphyr::Location, lines: usize) -> Place {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).max(1);
    Place { line: number(at.line()).saturating_add(lines), column: number(at.column()) }
}

/// A node before its place is one of the file.
enum Raw {
    Scalar(Kind),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn located(raw: Spanned<Raw>, lines: usize) -> Node {
    let kind = match raw.value {
        Raw::Scalar(kind) => kind,
        Raw::List(items) => Kind::List(items.into_iter().map(|item| located(item, lines)).collect()),
        Raw::Map(entries) => Kind::Map(
            entries
                .into_iter()
                .map(|(key, node)| Entry {
                    place: place(key.referenced, lines),
                    key: key.value,
                    node: located(node, lines),
                })
                .collect(),
        ),
    };
    Node { place: place(raw.referenced, lines), kind }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Kind::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Kind::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(Kind::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Kind::Int(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Raw, E> {
        let number = i64::try_from(value).map_err(|_| E::custom("a number is larger than 2^63 - 1"))?;
        Ok(Raw::Scalar(Kind::Int(number)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Kind::Float(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(Kind::Text(value.to_owned())))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Scalar(Kind::Text(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

impl Node {
    pub fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault::new(self.place, reason)
    }

    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text that must be there.
    pub fn require_text(&self, what: &str) -> Parsed<&str> {
        self.text().ok_or_else(|| self.fault(format!("{what} must be a text")))
    }

    /// The entries of a map.
    pub fn entries(&self, what: &str) -> Parsed<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Ok(entries),
            Kind::Null => Ok(&[]),
            _ => Err(self.fault(format!("{what} must be a map: `key: value` lines"))),
        }
    }

    /// The entries of a map that has no other keys than these.
    pub fn known_entries(&self, what: &str, known: &[&str]) -> Parsed<&[Entry]> {
        let entries = self.entries(what)?;
        match entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
            Some(entry) => {
                Err(Fault::new(entry.place, unknown(&format!("key of {what}"), &entry.key, known)))
            }
            None => Ok(entries),
        }
    }

    pub fn items(&self, what: &str) -> Parsed<&[Node]> {
        match &self.kind {
            Kind::List(items) => Ok(items),
            _ => Err(self.fault(format!("{what} must be a list"))),
        }
    }

    pub fn texts(&self, what: &str) -> Parsed<Vec<String>> {
        let texts = self.items(what)?.iter().map(|item| item.require_text(&format!("each of {what}")));
        texts.map(|text| text.map(str::to_owned)).collect()
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node),
            _ => None,
        }
    }

    /// The same without places.
    pub fn json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Int(value) => Value::from(*value),
            Kind::Float(value) => Value::from(*value),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => Value::Array(items.iter().map(Self::json).collect()),
            Kind::Map(entries) => Value::Object(object(entries)),
        }
    }
}

/// A map without places.
pub(crate) fn object(entries: &[Entry]) -> Map<String, Value> {
    entries.iter().map(|entry| (entry.key.clone(), entry.node.json())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_know_their_places() {
        let node = parse("a: 1\nb:\n  - x\n  - c?(enum, d): [R, null]\n(*): any\n", 3).unwrap();
        let Kind::Map(entries) = &node.kind else { panic!("{node:?}") };
        assert_eq!(entries[1].place, Place { line: 5, column: 1 });
        let items = entries[1].node.items("b").unwrap();
        assert_eq!(items[0].place, Place { line: 6, column: 5 });
        assert_eq!(items[1].json(), serde_json::json!({"c?(enum, d)": ["R", null]}));
        assert_eq!(entries[2].key, "(*)");
        assert_eq!(parse("", 1).unwrap().kind, Kind::Map(vec![]));
        assert_eq!(parse("a: yes", 1).unwrap().json(), serde_json::json!({"a": "yes"}));
    }

    #[test]
    fn what_is_no_yaml_is_a_fault_with_its_place() {
        for (yaml, line) in [("a: 1\nb: [1", 3), ("a: 1\na: 2", 3), ("a:\n\t- b", 3), ("a: *b", 2)] {
            let fault = parse(yaml, 1).unwrap_err();
            assert!(fault.place.line.abs_diff(line) <= 1, "{yaml:?}: {fault:?}");
        }
    }

    #[test]
    fn bombs_are_faults() {
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (name, last) in ('b'..='i').zip('a'..) {
            bomb +=
                &format!("{name}: &{name} [*{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}]\n");
        }
        assert!(parse(&bomb, 1).is_err());
        assert!(parse(&"[".repeat(100_000), 1).is_err());
        assert!(parse(&"- ".repeat(10_000), 1).is_err());
        assert!(parse(&"{a: ".repeat(1_000), 1).is_err());
        assert!(parse(&"- x\n".repeat(200_000), 1).is_err());
    }
}
