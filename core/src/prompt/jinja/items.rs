//! Attributes, items and slices of values, and going through them.

use std::rc::Rc;
use std::sync::Arc;

use super::evaluator::{Evaluator, Outcome, fail};
use super::value::{Callable, Kind, List, Loop, Value};
use super::{collections, strings};
use crate::prompt::text::Text;

impl Evaluator<'_> {
    /// `value.name`: what Python has of this name, then an item.
    pub fn attribute(&mut self, value: &Value, name: &str) -> Outcome<Value> {
        if let Value::Undefined = value {
            return fail(format!("{name:?} is asked of what is undefined"));
        }
        if let Some(found) = self.python_attribute(value, name)? {
            return Ok(found);
        }
        match value {
            // What would change a dictionary is hidden, with an item of that name.
            Value::Dict(_) if collections::CHANGES_DICT.contains(&name) => Ok(Value::Undefined),
            Value::Dict(dict) => {
                self.charge(dict.entries.len() / 8)?;
                Ok(dict.get(name).cloned().unwrap_or(Value::Undefined))
            }
            _ => Ok(Value::Undefined),
        }
    }

    /// `value[key]`: an item, then what Python has of this name.
    pub fn item(&mut self, value: &Value, key: &Value) -> Outcome<Value> {
        let found = match value {
            Value::Undefined => return fail("an item is asked of what is undefined"),
            Value::Dict(dict) => match key {
                Value::Text(name) => {
                    self.charge(dict.entries.len() / 8)?;
                    dict.get(name.as_str()).cloned()
                }
                _ if self.hashable(key)? => {
                    self.entry(&dict.entries, key)?.map(|index| dict.entries[index].1.clone())
                }
                _ => None,
            },
            Value::List(list) => match list.kind {
                Kind::Keys | Kind::Values | Kind::Items => None,
                _ => key
                    .as_int()
                    .and_then(|index| position(index, list.items.len()))
                    .map(|index| list.items[index].clone()),
            },
            Value::Text(text) => match key.as_int() {
                Some(index) => {
                    let characters = self.characters(text)?;
                    position(index, characters.len())
                        .map(|index| Value::text(characters.slice(index, index + 1)))
                }
                None => None,
            },
            _ => None,
        };
        match (found, key) {
            (Some(found), _) => Ok(found),
            (None, Value::Text(name)) => {
                Ok(self.python_attribute(value, name.as_str())?.unwrap_or(Value::Undefined))
            }
            (None, _) => Ok(Value::Undefined),
        }
    }

    /// What Python itself has of this name.
    fn python_attribute(&mut self, value: &Value, name: &str) -> Outcome<Option<Value>> {
        if Self::has_method(value, name) {
            return Ok(Some(Value::callable(Callable::method(value, name)?)));
        }
        Ok(match value {
            Value::List(list) if list.kind == Kind::Group => match name {
                "grouper" => list.items.first().cloned(),
                "list" => list.items.get(1).cloned(),
                _ => None,
            },
            Value::Namespace(namespace) => {
                let attributes = namespace.attributes.borrow();
                self.charge(attributes.len() / 8)?;
                let found = attributes.iter().find(|(other, _)| other.as_str() == name);
                found.map(|(_, value)| value.clone())
            }
            Value::Loop(repeat) => loop_attribute(repeat, name),
            Value::Callable(callable) => match (&**callable, name) {
                (Callable::Macro(declaration, _), "name") => Some(Value::author(&declaration.name)),
                (Callable::Macro(declaration, _), "arguments") => {
                    let names = declaration.parameters.iter();
                    Some(Value::tuple(names.map(|parameter| Value::author(&parameter.spelling)).collect())?)
                }
                (Callable::Cycler(values, turn), "current") => values.get(turn.get()).cloned(),
                _ => None,
            },
            _ => None,
        })
    }

    /// Whether Python has a method of this name for the value.
    pub fn has_method(value: &Value, name: &str) -> bool {
        match value {
            Value::Text(_) => strings::METHODS.contains(&name),
            Value::Dict(_) => collections::DICT_METHODS.contains(&name),
            Value::List(list) => match list.kind {
                Kind::List => matches!(name, "copy" | "count" | "index"),
                Kind::Tuple | Kind::Group | Kind::Range(..) => matches!(name, "count" | "index"),
                Kind::Keys | Kind::Values | Kind::Items => false,
            },
            Value::Loop(_) => matches!(name, "cycle" | "changed"),
            Value::Callable(callable) => match &**callable {
                Callable::Cycler(..) => matches!(name, "next" | "reset"),
                _ => false,
            },
            _ => false,
        }
    }

    /// `value[start:stop:step]`
    pub fn slice(&mut self, value: &Value, bounds: &[Option<Value>; 3]) -> Outcome<Value> {
        match value {
            Value::Text(text) => {
                let characters = self.characters(text)?;
                let range = Slice::new(bounds, characters.len())?;
                let mut slice = Text::new();
                match range.whole() {
                    Some((from, to)) => slice = characters.slice(from, to),
                    None => {
                        self.charge_each(text.len())?;
                        range.for_each(|index| characters.push(index, &mut slice));
                    }
                }
                Ok(Value::text(slice))
            }
            Value::List(list) if !matches!(list.kind, Kind::Keys | Kind::Values | Kind::Items) => {
                let range = Slice::new(bounds, list.items.len())?;
                let items: Vec<Value> = range.map(|index| list.items[index].clone()).collect();
                self.charge(items.len())?;
                let kind = match list.kind {
                    Kind::Group => Kind::Tuple,
                    Kind::Range(start, _, step) => {
                        let at = |index: i64| start.saturating_add(index.saturating_mul(step));
                        Kind::Range(at(range.start), at(range.stop), range.step.saturating_mul(step))
                    }
                    kind => kind,
                };
                Value::sequence(kind, items)
            }
            other => fail(format!("{} has no slices", other.type_name())),
        }
    }

    /// A text by the numbers of its characters.
    pub fn characters<'a>(&mut self, text: &'a Arc<Text>) -> Outcome<Characters<'a>> {
        self.charge_bytes(text.len())?;
        let starts = match text.as_str().is_ascii() {
            true => None,
            false => {
                self.charge_each(text.len())?;
                Some(text.as_str().char_indices().map(|(index, _)| index).chain([text.len()]).collect())
            }
        };
        Ok(Characters { text, starts })
    }

    /// The items of a value in a list of their own.
    pub fn copied(&mut self, value: &Value) -> Outcome<Vec<Value>> {
        let items = self.iterate(value)?;
        self.charge(items.items.len())?;
        Ok(Rc::try_unwrap(items).map_or_else(|shared| shared.items.clone(), |list| list.items))
    }

    /// The items of a value, in order. What can be gone through once is used up. Who goes through them pays
    /// for each.
    pub fn iterate(&mut self, value: &Value) -> Outcome<Rc<List>> {
        if let Value::List(list) = value {
            return Ok(list.clone());
        }
        self.charge_value(value)?;
        let items = match value {
            Value::Undefined => Vec::new(),
            Value::Text(text) => {
                // A text of its own for each.
                self.charge(text.len().saturating_mul(4))?;
                text.chars()
                    .map(|(character, sealed)| {
                        let mut text = Text::new();
                        text.push_char(character, sealed);
                        Value::text(text)
                    })
                    .collect()
            }
            Value::Dict(dict) => dict.entries.iter().map(|(key, _)| key.clone()).collect(),
            Value::Iterator(iterator) => iterator.rest.take().collect(),
            other => return fail(format!("{} cannot be gone through", other.type_name())),
        };
        Ok(Rc::new(List::new(Kind::List, items)?))
    }

    /// The number of items, or of characters.
    pub fn length(&mut self, value: &Value) -> Outcome<usize> {
        match value {
            Value::Undefined => Ok(0),
            Value::Text(text) => {
                self.charge_bytes(text.len())?;
                Ok(text.as_str().chars().count())
            }
            Value::List(list) => Ok(list.items.len()),
            Value::Dict(dict) => Ok(dict.entries.len()),
            Value::Loop(repeat) => Ok(repeat.items.items.len()),
            other => fail(format!("{} has no length", other.type_name())),
        }
    }
}

fn loop_attribute(repeat: &Loop, name: &str) -> Option<Value> {
    let items = &repeat.items.items;
    let (index, length) = (repeat.index.get(), items.len());
    let number = |number: usize| Some(Value::Int(number as i128));
    let neighbour = |index: Option<usize>| {
        Some(index.and_then(|index| items.get(index)).cloned().unwrap_or(Value::Undefined))
    };
    match name {
        "index" => number(index + 1),
        "index0" => number(index),
        "revindex" => number(length - index),
        "revindex0" => number(length - index - 1),
        "first" => Some(Value::Bool(index == 0)),
        "last" => Some(Value::Bool(index + 1 == length)),
        "length" => number(length),
        "depth" => number(repeat.depth + 1),
        "depth0" => number(repeat.depth),
        "previtem" => neighbour(index.checked_sub(1)),
        "nextitem" => neighbour(index.checked_add(1)),
        _ => None,
    }
}

/// Where an index stands, which counts from the end if it is negative.
fn position(index: i128, length: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(length as i128)? } else { index };
    usize::try_from(index).ok().filter(|index| *index < length)
}

/// A text by the numbers of its characters.
pub(super) struct Characters<'a> {
    text: &'a Arc<Text>,
    /// Where each begins, and the end; `None` if each is one byte.
    starts: Option<Vec<usize>>,
}

impl Characters<'_> {
    pub fn len(&self) -> usize {
        self.starts.as_ref().map_or(self.text.len(), |starts| starts.len() - 1)
    }

    /// Where a character begins.
    pub fn byte(&self, index: usize) -> usize {
        self.starts.as_ref().map_or(index, |starts| starts[index])
    }

    pub fn slice(&self, from: usize, to: usize) -> Text {
        self.text.slice(self.byte(from)..self.byte(to))
    }

    fn push(&self, index: usize, slice: &mut Text) {
        slice.push_slice(self.text, self.byte(index)..self.byte(index + 1));
    }
}

/// The indices of a slice.
#[derive(Clone, Copy)]
struct Slice {
    start: i64,
    stop: i64,
    step: i64,
}

impl Slice {
    /// Of a sequence of `length` items.
    fn new(bounds: &[Option<Value>; 3], length: usize) -> Outcome<Self> {
        let bound = |index: usize| match &bounds[index] {
            None | Some(Value::None) => Ok(None),
            Some(value) => {
                let bound = value.need_int("the bound of a slice")?;
                Ok(Some(bound.clamp(i64::MIN.into(), i64::MAX.into()) as i64))
            }
        };
        let step = bound(2)?.unwrap_or(1);
        if step == 0 {
            return fail("the step of a slice cannot be 0");
        }
        let length = length as i64;
        let (lowest, highest) = if step < 0 { (-1, length - 1) } else { (0, length) };
        let clamped = |bound: i64| {
            let bound = if bound < 0 { bound.saturating_add(length) } else { bound };
            bound.clamp(lowest, highest)
        };
        let (first, last) = if step < 0 { (highest, lowest) } else { (lowest, highest) };
        let start = bound(0)?.map_or(first, clamped);
        let stop = bound(1)?.map_or(last, clamped);
        Ok(Self { start, stop, step })
    }

    /// The bounds, if every index between them is taken.
    fn whole(&self) -> Option<(usize, usize)> {
        (self.step == 1).then_some((self.start as usize, self.stop.max(self.start) as usize))
    }
}

impl Iterator for Slice {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let more = if self.step < 0 { self.start > self.stop } else { self.start < self.stop };
        let index = more.then_some(self.start as usize);
        self.start = self.start.saturating_add(self.step);
        index
    }
}
