//! The values of a template: Python's, with [`Text`] for its strings.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::evaluator::{Failure, Outcome, fail};
use super::functions::Function;
use super::scope::Scope;
use super::tree::{Constant, For, Macro};
use crate::prompt::data::Data;
use crate::prompt::text::Text;

/// How deep values may be nested in each other. What walks over values recurses as deep.
const NESTING: u16 = 200;

#[derive(Clone)]
pub(super) enum Value {
    Undefined,
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Arc<Text>),
    List(Rc<List>),
    Dict(Rc<Dict>),
    Namespace(Rc<Namespace>),
    Iterator(Rc<Iter>),
    Loop(Rc<Loop>),
    Callable(Rc<Callable>),
}

/// A sequence of values that does not change.
pub(super) struct List {
    pub kind: Kind,
    pub items: Vec<Value>,
    nesting: u16,
}

/// What Python calls a sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    List,
    Tuple,
    /// A tuple of a `grouper` and a `list`.
    Group,
    /// With its three arguments.
    Range(i64, i64, i64),
    /// What `keys()`, `values()` and `items()` of a dictionary give.
    Keys,
    Values,
    Items,
}

/// Keys, each different from the others, with their values, in the order in which they came.
pub(super) struct Dict {
    pub entries: Vec<(Value, Value)>,
    nesting: u16,
}

/// What `namespace()` gives: attributes that a template may set.
#[derive(Default)]
pub(super) struct Namespace {
    pub attributes: RefCell<Vec<(Arc<Text>, Value)>>,
}

/// What Python computes when it is asked for: it can be gone through once, and is true.
pub(super) struct Iter {
    pub rest: RefCell<std::vec::IntoIter<Value>>,
    nesting: u16,
}

/// The `loop` of a loop.
pub(super) struct Loop {
    pub items: Rc<List>,
    pub index: Cell<usize>,
    pub depth: usize,
    /// What `changed` was called with.
    pub last: RefCell<Option<Vec<Value>>>,
    /// For a recursive one: its body and where it stands.
    pub recursion: Option<(Arc<For>, Rc<Scope>)>,
}

pub(super) enum Callable {
    Function(Function),
    /// A method of a value.
    Method(Value, Arc<str>),
    Macro(Arc<Macro>, Rc<Scope>),
    /// A separator that is nothing the first time, and whether it was called.
    Joiner(Arc<Text>, Cell<bool>),
    /// Values in turn, and whose turn it is.
    Cycler(Vec<Value>, Cell<usize>),
}

impl List {
    /// # Errors
    /// If it is nested too deeply.
    pub fn new(kind: Kind, items: Vec<Value>) -> Outcome<Self> {
        let nesting = nesting(items.iter())?;
        Ok(Self { kind, items, nesting })
    }
}

impl Dict {
    /// A dictionary of `entries` whose keys are all different.
    ///
    /// # Errors
    /// If it is nested too deeply.
    pub fn new(entries: Vec<(Value, Value)>) -> Outcome<Self> {
        let nesting = nesting(entries.iter().map(|(_, value)| value))?;
        Ok(Self { entries, nesting })
    }

    /// The value of a key that is text.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let found =
            self.entries.iter().find(|(key, _)| matches!(key, Value::Text(key) if key.as_str() == name));
        found.map(|(_, value)| value)
    }
}

impl Iter {
    /// # Errors
    /// If it is nested too deeply.
    pub fn new(items: Vec<Value>) -> Outcome<Self> {
        let nesting = nesting(items.iter())?;
        Ok(Self { rest: RefCell::new(items.into_iter()), nesting })
    }
}

impl Callable {
    /// The method `name` of `value`.
    ///
    /// # Errors
    /// If it is nested too deeply.
    pub fn method(value: &Value, name: &str) -> Outcome<Self> {
        nesting([value].into_iter())?;
        Ok(Self::Method(value.clone(), name.into()))
    }
}

/// One level more than the deepest of `values`.
fn nesting<'a>(values: impl Iterator<Item = &'a Value>) -> Outcome<u16> {
    let deepest = values.map(Value::nesting).max().unwrap_or(0);
    if deepest >= NESTING {
        return fail(format!("a value is nested more than {NESTING} levels deep"));
    }
    Ok(deepest + 1)
}

impl Value {
    fn nesting(&self) -> u16 {
        match self {
            Self::List(list) => list.nesting,
            Self::Dict(dict) => dict.nesting,
            Self::Iterator(iterator) => iterator.nesting,
            Self::Loop(repeat) => repeat.items.nesting + 1,
            Self::Callable(callable) => match &**callable {
                Callable::Method(value, _) => value.nesting() + 1,
                Callable::Cycler(values, _) => values.iter().map(Self::nesting).max().unwrap_or(0) + 1,
                _ => 0,
            },
            _ => 0,
        }
    }

    pub fn text(text: Text) -> Self {
        Self::Text(Arc::new(text))
    }

    /// Text that the template itself stands for.
    pub fn author(text: &str) -> Self {
        Self::text(Text::author(text))
    }

    pub fn list(items: Vec<Self>) -> Outcome<Self> {
        Self::sequence(Kind::List, items)
    }

    pub fn tuple(items: Vec<Self>) -> Outcome<Self> {
        Self::sequence(Kind::Tuple, items)
    }

    pub fn sequence(kind: Kind, items: Vec<Self>) -> Outcome<Self> {
        Ok(Self::List(Rc::new(List::new(kind, items)?)))
    }

    /// A dictionary of entries whose keys are all different.
    pub fn dict(entries: Vec<(Self, Self)>) -> Outcome<Self> {
        Ok(Self::Dict(Rc::new(Dict::new(entries)?)))
    }

    pub fn iterator(items: Vec<Self>) -> Outcome<Self> {
        Ok(Self::Iterator(Rc::new(Iter::new(items)?)))
    }

    pub fn callable(callable: Callable) -> Self {
        Self::Callable(Rc::new(callable))
    }

    /// The value of data that comes from outside.
    ///
    /// # Errors
    /// If it is nested too deeply.
    pub fn from_data(data: Data) -> Outcome<Self> {
        Self::from_nested(data, 0)
    }

    fn from_nested(data: Data, level: u16) -> Outcome<Self> {
        // Before it recurses, as deep as the data is.
        if level > NESTING {
            return fail(format!("data is nested more than {NESTING} levels deep"));
        }
        let inner = |data| Self::from_nested(data, level + 1);
        Ok(match data {
            Data::Null => Self::None,
            Data::Bool(value) => Self::Bool(value),
            Data::Int(value) => Self::Int(value),
            Data::Float(value) => Self::Float(value),
            Data::Text(text) => Self::text(text),
            Data::List(items) => Self::list(items.into_iter().map(inner).collect::<Outcome<_>>()?)?,
            Data::Map(entries) => {
                let entries = entries.into_iter().map(|(key, value)| Ok((Self::text(key), inner(value)?)));
                Self::dict(entries.collect::<Outcome<_>>()?)?
            }
        })
    }

    /// Whether Python takes it as true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Undefined | Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Dict(dict) => !dict.entries.is_empty(),
            Self::Namespace(_) | Self::Iterator(_) | Self::Loop(_) | Self::Callable(_) => true,
        }
    }

    /// What Python calls its type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined => "Undefined",
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "str",
            Self::List(list) => match list.kind {
                Kind::List => "list",
                Kind::Tuple | Kind::Group => "tuple",
                Kind::Range(..) => "range",
                Kind::Keys => "dict_keys",
                Kind::Values => "dict_values",
                Kind::Items => "dict_items",
            },
            Self::Dict(_) => "dict",
            Self::Namespace(_) => "Namespace",
            Self::Iterator(_) => "generator",
            Self::Loop(_) => "LoopContext",
            Self::Callable(callable) => match &**callable {
                Callable::Function(_) => "function",
                Callable::Method(..) => "method",
                Callable::Macro(..) => "Macro",
                Callable::Joiner(..) => "Joiner",
                Callable::Cycler(..) => "Cycler",
            },
        }
    }

    /// The whole number that it is; `True` is 1.
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Bool(value) => Some(i128::from(*value)),
            _ => None,
        }
    }

    /// The number that it is.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => self.as_int().map(|value| value as f64),
        }
    }

    pub fn as_text(&self) -> Option<&Arc<Text>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text that it must be; `what` names it in the error.
    pub fn need_text(&self, what: &str) -> Outcome<&Arc<Text>> {
        self.as_text().ok_or_else(|| self.wrong(what, "text"))
    }

    /// The whole number that it must be.
    pub fn need_int(&self, what: &str) -> Outcome<i128> {
        self.as_int().ok_or_else(|| self.wrong(what, "a whole number"))
    }

    fn wrong(&self, what: &str, needed: &str) -> Failure {
        Failure::new(format!("{what} must be {needed}, not {}", self.type_name()))
    }
}

impl From<&Constant> for Value {
    fn from(constant: &Constant) -> Self {
        match constant {
            Constant::None => Self::None,
            Constant::Bool(value) => Self::Bool(*value),
            Constant::Int(value) => Self::Int(*value),
            Constant::Float(value) => Self::Float(*value),
            Constant::Text(text) => Self::Text(text.clone()),
        }
    }
}
