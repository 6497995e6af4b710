//! The functions that every template has.

use std::cell::Cell;
use std::sync::Arc;

use super::evaluator::{Evaluator, Outcome, fail};
use super::expressions::Arguments;
use super::value::{Callable, Kind, Value};
use crate::prompt::clock;
use crate::prompt::text::Text;

/// The most items of a range, as in Jinja2's sandbox.
const RANGE: i128 = 100_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Function {
    Range,
    Dict,
    Namespace,
    Cycler,
    Joiner,
    RaiseException,
    StrftimeNow,
}

impl Function {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "range" => Self::Range,
            "dict" => Self::Dict,
            "namespace" => Self::Namespace,
            "cycler" => Self::Cycler,
            "joiner" => Self::Joiner,
            "raise_exception" => Self::RaiseException,
            "strftime_now" => Self::StrftimeNow,
            _ => return None,
        })
    }
}

impl Evaluator<'_> {
    pub fn function(&mut self, function: Function, arguments: Arguments) -> Outcome<Value> {
        match function {
            Function::Range => self.range(arguments),
            Function::Dict => {
                let entries = self.entries(arguments)?;
                Value::dict(entries)
            }
            Function::Namespace => {
                let mut attributes = Vec::new();
                for (name, value) in self.entries(arguments)? {
                    let name = name.need_text("the name of an attribute")?;
                    if name.as_str().starts_with('_') {
                        return fail("an attribute of a namespace cannot begin with an underscore");
                    }
                    attributes.push((name.clone(), value));
                }
                Ok(self.namespace(attributes))
            }
            Function::Cycler => {
                if arguments.positional.is_empty() || !arguments.named.is_empty() {
                    return fail("cycler takes values, and at least one");
                }
                // A list of them, for how deep they are nested.
                let values = Value::list(arguments.positional)?;
                let values = self.copied(&values)?;
                Ok(Value::callable(Callable::Cycler(values, Cell::new(0))))
            }
            Function::Joiner => {
                let [separator] = arguments.bind(["sep"])?;
                let separator = separator.unwrap_or_else(|| Value::author(", "));
                let separator = separator.need_text("the separator of a joiner")?.clone();
                Ok(Value::callable(Callable::Joiner(separator, Cell::new(false))))
            }
            Function::RaiseException => {
                let ([message], []) = arguments.need(["message"], [])?;
                let message = self.display(&message)?;
                fail(without_sealed(&message))
            }
            Function::StrftimeNow => {
                let ([format], []) = arguments.need(["format"], [])?;
                let format = format.need_text("a format of time")?;
                self.charge_text(format.len().checked_mul(8))?;
                match clock::strftime(self.now, format) {
                    Some(text) => Ok(Value::text(text)),
                    None => fail("strftime_now: this format or time is not supported"),
                }
            }
        }
    }

    fn range(&mut self, arguments: Arguments) -> Outcome<Value> {
        let bounds: Outcome<Vec<i128>> =
            arguments.positional.iter().map(|bound| bound.need_int("the bound of a range")).collect();
        if !arguments.named.is_empty() {
            return fail("range takes no names");
        }
        let (start, stop, step) = match bounds?.as_slice() {
            [stop] => (0, *stop, 1),
            [start, stop] => (*start, *stop, 1),
            [start, stop, step] => (*start, *stop, *step),
            _ => return fail("range takes one, two or three whole numbers"),
        };
        let small = |number: i128| i64::try_from(number).is_ok();
        if step == 0 || !small(start) || !small(stop) || !small(step) {
            return fail("the step of a range cannot be 0, and its bounds have 64 bits");
        }
        let distance = if step > 0 { stop - start } else { start - stop };
        let length = (distance.max(0) + step.abs() - 1) / step.abs();
        if length > RANGE {
            return fail(format!("a range has more than {RANGE} items"));
        }
        self.charge(length as usize)?;
        let items = (0..length).map(|index| Value::Int(start + index * step)).collect();
        Value::sequence(Kind::Range(start as i64, stop as i64, step as i64), items)
    }

    /// The entries that a dictionary is made of: a dictionary or pairs, then names.
    fn entries(&mut self, arguments: Arguments) -> Outcome<Vec<(Value, Value)>> {
        let Arguments { positional, named } = arguments;
        let mut entries = Vec::new();
        match positional.as_slice() {
            [] => {}
            [Value::Dict(dict)] => {
                self.charge(dict.entries.len())?;
                entries.clone_from(&dict.entries);
            }
            [pairs] => {
                for pair in &self.iterate(pairs)?.items {
                    match self.iterate(pair)?.items.as_slice() {
                        [key, value] => self.insert(&mut entries, key.clone(), value.clone())?,
                        _ => return fail("what a dictionary is made of must be pairs"),
                    }
                }
            }
            _ => return fail("at most one dictionary is taken"),
        }
        for (name, value) in named {
            self.insert(&mut entries, Value::Text(name), value)?;
        }
        Ok(entries)
    }
}

/// The message of a template, without the values in it: it may go to logs.
fn without_sealed(message: &Arc<Text>) -> String {
    message.pieces().map(|(piece, sealed)| if sealed { "…" } else { piece }).collect()
}
