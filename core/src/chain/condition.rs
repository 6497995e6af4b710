//! `when`: a small closed form over typed outputs, no language of expressions.

use serde_json::Value;

use super::reference::{Reference, Scope};
use crate::prompt::yaml::{Node, Parsed};

/// How deep conditions may be nested.
const DEPTH: usize = 16;

/// What must hold for a step to run, or a jump to be taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// One value is as the test says.
    Test(Reference, Test),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// It is one of these.
    In(Vec<Value>),
    /// It is there and not null; or it is not.
    Exists(bool),
}

impl Condition {
    pub fn read(node: &Node) -> Parsed<Self> {
        Self::read_nested(node, DEPTH)
    }

    fn read_nested(node: &Node, depth: usize) -> Parsed<Self> {
        if depth == 0 {
            return Err(node.fault(format!("conditions are nested more than {DEPTH} deep")));
        }
        // A reference alone is a flag.
        if node.text().is_some() {
            let reference = Reference::read(node, "a condition")?;
            return Ok(Self::Test(reference, Test::In(vec![Value::Bool(true)])));
        }
        let known = ["value", "is", "in", "exists", "not", "all", "any"];
        let entries = node.known_entries("a condition", &known)?;
        let list = |key: &str| {
            let items = node.get(key).map_or(Ok(&[][..]), |list| list.items(&format!("`{key}`")))?;
            match items.is_empty() {
                true => Err(node.fault(format!("`{key}` is empty"))),
                false => items.iter().map(|item| Self::read_nested(item, depth - 1)).collect(),
            }
        };
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        match (keys.as_slice(), node.get("value")) {
            (["not"], _) => {
                let inner = Self::read_nested(&entries[0].node, depth - 1)?;
                Ok(Self::Not(Box::new(inner)))
            }
            (["all"], _) => list("all").map(Self::All),
            (["any"], _) => list("any").map(Self::Any),
            ([_, _], Some(value)) => {
                let reference = Reference::read(value, "`value`")?;
                let test = if let Some(is) = node.get("is") {
                    Test::In(vec![is.json()])
                } else if let Some(list) = node.get("in") {
                    Test::In(list.items("`in`")?.iter().map(Node::json).collect())
                } else if let Some(Value::Bool(exists)) = node.get("exists").map(Node::json) {
                    Test::Exists(exists)
                } else {
                    return Err(node.fault("`value` goes with `is: VALUE`, `in: [VALUES]` or `exists: true`"));
                };
                Ok(Self::Test(reference, test))
            }
            _ => Err(node.fault(
                "a condition is {value: REFERENCE, is: VALUE}, with `in: [VALUES]` or `exists: true` instead of `is`, \
                 or {not: CONDITION}, {all: [CONDITIONS]}, {any: [CONDITIONS]}",
            )),
        }
    }

    /// Whether it holds. What is missing is like nothing, and does not exist.
    pub fn holds(&self, scope: Scope<'_>) -> bool {
        match self {
            Self::Test(reference, test) => test.holds(scope.get(reference)),
            Self::Not(inner) => !inner.holds(scope),
            Self::All(all) => all.iter().all(|inner| inner.holds(scope)),
            Self::Any(any) => any.iter().any(|inner| inner.holds(scope)),
        }
    }

    /// The conditions that all hold when this one does.
    pub fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::All(all) => all.iter().flat_map(Self::conjuncts).collect(),
            other => vec![other],
        }
    }

    /// The tests in it.
    pub fn tests(&self) -> Vec<(&Reference, &Test)> {
        match self {
            Self::Test(reference, test) => vec![(reference, test)],
            Self::Not(inner) => inner.tests(),
            Self::All(list) | Self::Any(list) => list.iter().flat_map(Self::tests).collect(),
        }
    }

    /// The reference, if this is a test that only a value which is there can pass.
    pub fn proves(&self) -> Option<&Reference> {
        match self {
            Self::Test(reference, Test::Exists(true)) => Some(reference),
            Self::Test(reference, Test::In(values)) if !values.iter().any(Value::is_null) => Some(reference),
            _ => None,
        }
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Self::In(values) => value.is_some_and(|value| values.iter().any(|other| same(value, other))),
            Self::Exists(exists) => value.is_some_and(|value| !value.is_null()) == *exists,
        }
    }
}

/// Whether two values are equal as JSON Schema has it: 1 is 1.0.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}
