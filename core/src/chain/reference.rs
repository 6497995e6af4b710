//! Where a value comes from: `input.NAME`, `steps.ID.output.path`, `item.path`, or the file itself.

use std::fmt;

use serde_json::{Map, Value};

use crate::prompt::Values;
use crate::prompt::yaml::{Fault, Kind, Node, Parsed};

/// A place in what a run has: the inputs of the chain, the outputs of steps, the item of a `foreach`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub root: Root,
    /// The way into the value: keys of maps, and places of lists from 0.
    pub path: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    Input(String),
    Step(String),
    Item,
}

/// What a variable is given.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    Reference(Reference),
    Literal(Value),
    /// The reference, or the value where that is missing or null.
    Default(Reference, Value),
    /// The first that is there and not null.
    First(Vec<Source>),
}

/// What references are looked up in.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub values: &'a Values,
    pub outputs: &'a Map<String, Value>,
    pub item: Option<&'a Value>,
}

impl Scope<'_> {
    /// The value, if there is one.
    pub fn get(&self, reference: &Reference) -> Option<&Value> {
        let root = match &reference.root {
            Root::Input(name) => self.values.get(name),
            Root::Step(id) => self.outputs.get(id),
            Root::Item => self.item,
        };
        reference.path.iter().try_fold(root?, |value, key| match value {
            Value::Object(map) => map.get(key),
            Value::Array(list) => list.get(key.parse::<usize>().ok()?),
            _ => None,
        })
    }
}

impl Reference {
    pub fn read(node: &Node, what: &str) -> Parsed<Self> {
        let text = node.require_text(what)?;
        let mut parts = text.split('.').map(str::to_owned);
        let reference = match parts.next().as_deref() {
            Some("input") => parts.next().map(Root::Input),
            Some("steps") => {
                parts.next().filter(|_| parts.next().as_deref() == Some("output")).map(Root::Step)
            }
            Some("item") => Some(Root::Item),
            _ => None,
        };
        let path: Vec<String> = parts.collect();
        let named = match &reference {
            Some(Root::Input(name) | Root::Step(name)) => !name.is_empty(),
            Some(Root::Item) => true,
            None => false,
        };
        match reference {
            Some(root) if named && path.iter().all(|key| !key.is_empty()) => Ok(Self { root, path }),
            _ => Err(node.fault(format!(
                "{what} is no reference: it is `input.NAME`, `steps.ID.output` or `item`, each with a path such as \
                 `.name` or `.0` behind it; a text as such is {{literal: TEXT}}"
            ))),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            Root::Input(name) => write!(formatter, "input.{name}")?,
            Root::Step(id) => write!(formatter, "steps.{id}.output")?,
            Root::Item => formatter.write_str("item")?,
        }
        self.path.iter().try_for_each(|key| write!(formatter, ".{key}"))
    }
}

impl Source {
    pub fn read(node: &Node, what: &str) -> Parsed<Self> {
        let entries = match &node.kind {
            Kind::Text(_) => return Reference::read(node, what).map(Self::Reference),
            Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) => return Ok(Self::Literal(node.json())),
            Kind::Map(entries) => entries,
            Kind::Null | Kind::List(_) => {
                return Err(
                    node.fault(format!("{what} is a reference, a number, true, false or {{literal: ...}}"))
                );
            }
        };
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let get = |key: &str| node.get(key).ok_or_else(|| node.fault(format!("{what} needs `{key}`")));
        match keys.as_slice() {
            ["literal"] => Ok(Self::Literal(get("literal")?.json())),
            ["from", "default"] | ["default", "from"] => {
                Ok(Self::Default(Reference::read(get("from")?, "`from`")?, get("default")?.json()))
            }
            ["first"] => {
                let items = get("first")?.items("`first`")?;
                let sources = items.iter().map(|item| Self::read(item, "each of `first`"));
                let sources = sources.collect::<Parsed<Vec<_>>>()?;
                match sources.is_empty() {
                    true => Err(node.fault("`first` is empty: it lists what may be there")),
                    false => Ok(Self::First(sources)),
                }
            }
            _ => Err(Fault::new(
                node.place,
                format!(
                    "{what} is {{literal: VALUE}}, {{from: REFERENCE, default: VALUE}} or {{first: [...]}}"
                ),
            )),
        }
    }

    /// The value, if there is one. A copy: what goes into a prompt is sealed there.
    pub fn resolve(&self, scope: Scope<'_>) -> Option<Value> {
        match self {
            Self::Reference(reference) => scope.get(reference).cloned(),
            Self::Literal(value) => Some(value.clone()),
            Self::Default(reference, value) => {
                let found = scope.get(reference).filter(|found| !found.is_null());
                Some(found.unwrap_or(value).clone())
            }
            Self::First(sources) => {
                sources.iter().filter_map(|source| source.resolve(scope)).find(|value| !value.is_null())
            }
        }
    }
}
