//! The methods of dictionaries, lists and loops.

use std::rc::Rc;

use super::evaluator::{Evaluator, Outcome, fail};
use super::expressions::Arguments;
use super::value::{Callable, Dict, Kind, List, Loop, Value};

/// The methods of a dictionary that do not change it.
pub(super) const DICT_METHODS: &[&str] = &["copy", "fromkeys", "get", "items", "keys", "values"];

/// The methods of a dictionary that would change it.
pub(super) const CHANGES_DICT: &[&str] = &["clear", "pop", "popitem", "setdefault", "update"];

impl Evaluator<'_> {
    /// Calls a method that [`has_method`](Self::has_method) knows.
    pub fn method(&mut self, value: &Value, name: &str, arguments: Arguments) -> Outcome<Value> {
        match value {
            Value::Text(text) => self.string_method(text, name, arguments),
            Value::Dict(dict) => self.dict_method(dict, name, arguments),
            Value::List(list) => self.list_method(value, list, name, arguments),
            Value::Loop(repeat) => self.loop_method(repeat, name, arguments),
            Value::Callable(callable) => match &**callable {
                Callable::Cycler(values, turn) => {
                    arguments.none()?;
                    let current = turn.get();
                    turn.set(if name == "next" { (current + 1) % values.len() } else { 0 });
                    Ok(if name == "next" { values[current].clone() } else { Value::None })
                }
                _ => fail(format!("there is no method {name:?}")),
            },
            _ => fail(format!("there is no method {name:?}")),
        }
    }

    fn dict_method(&mut self, dict: &Rc<Dict>, name: &str, arguments: Arguments) -> Outcome<Value> {
        let entries = &dict.entries;
        match name {
            "get" => {
                let ([key], [default]) = arguments.need(["key"], ["default"])?;
                self.charge(entries.len() / 8)?;
                let found = match &key {
                    Value::Text(key) => dict.get(key.as_str()).cloned(),
                    key if self.hashable(key)? => {
                        self.entry(entries, key)?.map(|index| entries[index].1.clone())
                    }
                    key => return fail(format!("{} cannot be a key", key.type_name())),
                };
                Ok(found.or(default).unwrap_or(Value::None))
            }
            "fromkeys" => {
                let ([keys], [value]) = arguments.need(["iterable"], ["value"])?;
                let mut made = Vec::new();
                for key in &self.iterate(&keys)?.items {
                    self.insert(&mut made, key.clone(), value.clone().unwrap_or(Value::None))?;
                }
                Value::dict(made)
            }
            _ => {
                arguments.none()?;
                self.charge(entries.len())?;
                let entries = entries.iter();
                match name {
                    "keys" => Value::sequence(Kind::Keys, entries.map(|(key, _)| key.clone()).collect()),
                    "values" => {
                        Value::sequence(Kind::Values, entries.map(|(_, value)| value.clone()).collect())
                    }
                    "items" => Value::sequence(Kind::Items, pairs(dict)?),
                    _ => Ok(Value::Dict(dict.clone())),
                }
            }
        }
    }

    fn list_method(
        &mut self,
        value: &Value,
        list: &List,
        name: &str,
        arguments: Arguments,
    ) -> Outcome<Value> {
        if name == "copy" {
            arguments.none()?;
            return Ok(value.clone());
        }
        let ([sought], [start, stop]) = arguments.need(["value"], ["start", "stop"])?;
        let bound = |bound: Option<Value>, default: usize| -> Outcome<usize> {
            let Some(bound) = bound else { return Ok(default) };
            let bound = bound.need_int("a position")?;
            let length = list.items.len() as i128;
            let bound = if bound < 0 { bound.saturating_add(length) } else { bound };
            Ok(bound.clamp(0, length) as usize)
        };
        let (start, stop) = (bound(start, 0)?, bound(stop, list.items.len())?);
        let mut count = 0;
        for (index, item) in list.items.iter().enumerate().take(stop).skip(start) {
            if self.equal(item, &sought)? {
                if name == "index" {
                    return Ok(Value::Int(index as i128));
                }
                count += 1;
            }
        }
        if name == "index" { fail("what is looked for is not in the list") } else { Ok(Value::Int(count)) }
    }

    fn loop_method(&mut self, repeat: &Loop, name: &str, arguments: Arguments) -> Outcome<Value> {
        if !arguments.named.is_empty() {
            return fail(format!("{name} of a loop takes no names"));
        }
        let values = arguments.positional;
        if name == "cycle" {
            let turn = repeat.index.get().checked_rem(values.len());
            return match turn.and_then(|turn| values.into_iter().nth(turn)) {
                Some(value) => Ok(value),
                None => fail("nothing to cycle through is given"),
            };
        }
        let last = repeat.last.take();
        let same = match &last {
            Some(last) if last.len() == values.len() => {
                let mut same = true;
                for (one, other) in last.iter().zip(&values) {
                    same &= self.equal(one, other)?;
                }
                same
            }
            _ => false,
        };
        repeat.last.replace(Some(values));
        Ok(Value::Bool(!same))
    }
}

/// The entries of a dictionary as tuples.
pub(super) fn pairs(dict: &Dict) -> Outcome<Vec<Value>> {
    dict.entries.iter().map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()])).collect()
}
