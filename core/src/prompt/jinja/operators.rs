//! Operators: Python's arithmetic, comparison and membership.

use std::cmp::Ordering;

use super::evaluator::{Evaluator, Outcome, fail};
use super::tree::Operator;
use super::value::{Kind, Value};
use crate::prompt::text::Text;

impl Evaluator<'_> {
    /// An operator with both of its operands.
    pub fn operate(&mut self, operator: Operator, left: &Value, right: &Value) -> Outcome<Value> {
        Ok(match operator {
            Operator::Equal => Value::Bool(self.equal(left, right)?),
            Operator::Unequal => Value::Bool(!self.equal(left, right)?),
            Operator::Less => Value::Bool(self.order(left, right)? == Some(Ordering::Less)),
            Operator::LessOrEqual => Value::Bool(self.order(left, right)?.is_some_and(Ordering::is_le)),
            Operator::Greater => Value::Bool(self.order(left, right)? == Some(Ordering::Greater)),
            Operator::GreaterOrEqual => Value::Bool(self.order(left, right)?.is_some_and(Ordering::is_ge)),
            Operator::In => Value::Bool(self.contains(right, left)?),
            Operator::NotIn => Value::Bool(!self.contains(right, left)?),
            Operator::Concatenate => {
                let (left, right) = (self.display(left)?, self.display(right)?);
                self.concatenate(&left, &right)?
            }
            Operator::And => if left.is_true() { right } else { left }.clone(),
            Operator::Or => if left.is_true() { left } else { right }.clone(),
            Operator::Add => match (left, right) {
                (Value::Text(left), Value::Text(right)) => self.concatenate(left, right)?,
                (Value::List(one), Value::List(other))
                    if one.kind == other.kind && matches!(one.kind, Kind::List | Kind::Tuple) =>
                {
                    self.charge(one.items.len() + other.items.len())?;
                    Value::sequence(one.kind, [&one.items[..], &other.items[..]].concat())?
                }
                _ => self.arithmetic(operator, left, right)?,
            },
            Operator::Multiply => match (left, right) {
                (Value::Text(_) | Value::List(_), _) if right.as_int().is_some() => {
                    self.repeated(left, right.as_int().unwrap_or(0))?
                }
                (_, Value::Text(_) | Value::List(_)) if left.as_int().is_some() => {
                    self.repeated(right, left.as_int().unwrap_or(0))?
                }
                _ => self.arithmetic(operator, left, right)?,
            },
            Operator::Remainder => match left {
                Value::Text(format) => self.percent_format(format, right)?,
                _ => self.arithmetic(operator, left, right)?,
            },
            Operator::Subtract | Operator::Divide | Operator::FloorDivide | Operator::Power => {
                self.arithmetic(operator, left, right)?
            }
        })
    }

    fn concatenate(&mut self, left: &Text, right: &Text) -> Outcome<Value> {
        self.charge_text(left.len().checked_add(right.len()))?;
        let mut text = Text::with_capacity(left.len() + right.len());
        text.push_text(left);
        text.push_text(right);
        Ok(Value::text(text))
    }

    /// A text or a sequence, `count` times.
    fn repeated(&mut self, value: &Value, count: i128) -> Outcome<Value> {
        let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
        match value {
            Value::Text(text) => {
                self.charge_text(text.len().checked_mul(count))?;
                let mut repeated = Text::with_capacity(text.len() * count);
                if !text.is_empty() {
                    (0..count).for_each(|_| repeated.push_text(text));
                }
                Ok(Value::text(repeated))
            }
            Value::List(list) if matches!(list.kind, Kind::List | Kind::Tuple) => {
                self.charge(list.items.len().saturating_mul(count))?;
                let items = list.items.iter().cycle().take(list.items.len() * count);
                Value::sequence(list.kind, items.cloned().collect())
            }
            other => fail(format!("{} cannot be multiplied", other.type_name())),
        }
    }

    pub fn negate(&mut self, operand: &Value) -> Outcome<Value> {
        match (operand, operand.as_int()) {
            (Value::Float(value), _) => Ok(Value::Float(-value)),
            (_, Some(value)) => whole(value.checked_neg()),
            _ => fail(format!("{} has no negative", operand.type_name())),
        }
    }

    fn arithmetic(&mut self, operator: Operator, left: &Value, right: &Value) -> Outcome<Value> {
        if let (Some(one), Some(other)) = (left.as_int(), right.as_int()) {
            return match operator {
                Operator::Add => whole(one.checked_add(other)),
                Operator::Subtract => whole(one.checked_sub(other)),
                Operator::Multiply => whole(one.checked_mul(other)),
                Operator::FloorDivide | Operator::Remainder | Operator::Divide if other == 0 => zero(),
                Operator::FloorDivide => whole(floor_divide(one, other)),
                Operator::Remainder => whole(
                    floor_divide(one, other)
                        .and_then(|quotient| one.checked_sub(quotient.checked_mul(other)?)),
                ),
                Operator::Divide => Ok(Value::Float(one as f64 / other as f64)),
                Operator::Power => match u32::try_from(other) {
                    Ok(exponent) => whole(one.checked_pow(exponent)),
                    Err(_) if one == 0 && other < 0 => zero(),
                    Err(_) if other < 0 => Ok(Value::Float((one as f64).powf(other as f64))),
                    Err(_) if (0..2).contains(&one) => Ok(Value::Int(one)),
                    Err(_) => whole(None),
                },
                _ => unsupported(left, right),
            };
        }
        let (Some(one), Some(other)) = (left.as_float(), right.as_float()) else {
            return unsupported(left, right);
        };
        Ok(Value::Float(match operator {
            Operator::Add => one + other,
            Operator::Subtract => one - other,
            Operator::Multiply => one * other,
            Operator::FloorDivide | Operator::Remainder | Operator::Divide if other == 0.0 => return zero(),
            Operator::Divide => one / other,
            Operator::FloorDivide => ((one - float_remainder(one, other)) / other).round(),
            Operator::Remainder => float_remainder(one, other),
            Operator::Power if one == 0.0 && other < 0.0 => return zero(),
            Operator::Power => one.powf(other),
            _ => return unsupported(left, right),
        }))
    }

    /// Whether two values are equal.
    pub fn equal(&mut self, left: &Value, right: &Value) -> Outcome<bool> {
        self.charge(1)?;
        Ok(match (left, right) {
            (Value::Text(one), Value::Text(other)) => {
                if one.len() != other.len() {
                    return Ok(false);
                }
                self.charge_bytes(one.len())?;
                one.as_str() == other.as_str()
            }
            (Value::Undefined, Value::Undefined) | (Value::None, Value::None) => true,
            (Value::List(one), Value::List(other)) => {
                let group = |kind| if kind == Kind::Group { Kind::Tuple } else { kind };
                let same = match (group(one.kind), group(other.kind)) {
                    (Kind::Range(..), Kind::Range(..)) => true,
                    (one, other) => one == other && one != Kind::Values,
                };
                if !same || one.items.len() != other.items.len() {
                    return Ok(false);
                }
                for (one, other) in one.items.iter().zip(&other.items) {
                    if !self.equal(one, other)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Value::Dict(one), Value::Dict(other)) => {
                if one.entries.len() != other.entries.len() {
                    return Ok(false);
                }
                for (key, value) in &one.entries {
                    match self.entry(&other.entries, key)? {
                        Some(index) if self.equal(value, &other.entries[index].1)? => {}
                        _ => return Ok(false),
                    }
                }
                true
            }
            (Value::Namespace(one), Value::Namespace(other)) => std::rc::Rc::ptr_eq(one, other),
            (Value::Iterator(one), Value::Iterator(other)) => std::rc::Rc::ptr_eq(one, other),
            (Value::Loop(one), Value::Loop(other)) => std::rc::Rc::ptr_eq(one, other),
            (Value::Callable(one), Value::Callable(other)) => std::rc::Rc::ptr_eq(one, other),
            _ => match (left.as_int(), right.as_int()) {
                (Some(one), Some(other)) => one == other,
                _ => matches!((left.as_float(), right.as_float()), (Some(one), Some(other)) if one == other),
            },
        })
    }

    /// The order of two values; `None` for what is no number.
    ///
    /// # Errors
    /// For values that have no order.
    pub fn order(&mut self, left: &Value, right: &Value) -> Outcome<Option<Ordering>> {
        self.charge(1)?;
        match (left, right) {
            (Value::Text(one), Value::Text(other)) => {
                self.charge_bytes(one.len().min(other.len()))?;
                Ok(Some(one.as_str().cmp(other.as_str())))
            }
            (Value::List(one), Value::List(other))
                if one.kind == other.kind && matches!(one.kind, Kind::List | Kind::Tuple) =>
            {
                for (one, other) in one.items.iter().zip(&other.items) {
                    if !self.equal(one, other)? {
                        return self.order(one, other);
                    }
                }
                Ok(Some(one.items.len().cmp(&other.items.len())))
            }
            _ => match (left.as_int(), right.as_int()) {
                (Some(one), Some(other)) => Ok(Some(one.cmp(&other))),
                _ => match (left.as_float(), right.as_float()) {
                    (Some(one), Some(other)) => Ok(one.partial_cmp(&other)),
                    _ => {
                        let (left, right) = (left.type_name(), right.type_name());
                        fail(format!("{left} and {right} have no order"))
                    }
                },
            },
        }
    }

    /// Whether `item` is in `container`.
    pub fn contains(&mut self, container: &Value, item: &Value) -> Outcome<bool> {
        match container {
            Value::Text(text) => {
                let part = item.need_text("what is looked for in a text")?;
                self.charge_bytes(text.len())?;
                Ok(text.as_str().contains(part.as_str()))
            }
            Value::Dict(dict) => {
                if !self.hashable(item)? {
                    return fail(format!("{} cannot be a key", item.type_name()));
                }
                Ok(self.entry(&dict.entries, item)?.is_some())
            }
            _ => {
                for other in &self.iterate(container)?.items {
                    if self.equal(other, item)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Whether a value can be the key of a dictionary.
    pub fn hashable(&mut self, value: &Value) -> Outcome<bool> {
        self.charge(1)?;
        let Value::List(list) = value else { return Ok(!matches!(value, Value::Dict(_))) };
        match list.kind {
            Kind::List | Kind::Keys | Kind::Items => return Ok(false),
            Kind::Range(..) | Kind::Values => return Ok(true),
            Kind::Tuple | Kind::Group => {}
        }
        for item in &list.items {
            if !self.hashable(item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The index of the entry that has `key`.
    pub fn entry(&mut self, entries: &[(Value, Value)], key: &Value) -> Outcome<Option<usize>> {
        for (index, (other, _)) in entries.iter().enumerate() {
            if self.equal(other, key)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Sets a key.
    pub fn insert(&mut self, entries: &mut Vec<(Value, Value)>, key: Value, value: Value) -> Outcome<()> {
        if !self.hashable(&key)? {
            return fail(format!("{} cannot be a key", key.type_name()));
        }
        match self.entry(entries, &key)? {
            Some(index) => entries[index].1 = value,
            None => entries.push((key, value)),
        }
        Ok(())
    }
}

fn whole(value: Option<i128>) -> Outcome<Value> {
    value.map_or_else(|| fail("a number is too large"), |value| Ok(Value::Int(value)))
}

fn zero<T>() -> Outcome<T> {
    fail("division by zero")
}

fn unsupported<T>(left: &Value, right: &Value) -> Outcome<T> {
    let (left, right) = (left.type_name(), right.type_name());
    fail(format!("the operator does not take {left} and {right}"))
}

/// Rounded down, as Python does; the divisor is not 0.
fn floor_divide(one: i128, other: i128) -> Option<i128> {
    let quotient = one.checked_div(other)?;
    let inexact = one.checked_rem(other)? != 0;
    Some(if inexact && (one < 0) != (other < 0) { quotient - 1 } else { quotient })
}

/// With the sign of the divisor, as in Python.
fn float_remainder(one: f64, other: f64) -> f64 {
    let remainder = one % other;
    if remainder != 0.0 && (remainder < 0.0) != (other < 0.0) { remainder + other } else { remainder }
}
