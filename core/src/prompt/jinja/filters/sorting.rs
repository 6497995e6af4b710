//! Filters that compare items: by themselves, or by an attribute; without regard to case, unless asked.

use std::cmp::Ordering;

use super::super::evaluator::{Evaluator, Outcome, fail};
use super::super::expressions::Arguments;
use super::super::value::{Kind, Value};
use super::Path;

/// The keys of an item, and the item.
type Keyed = (Vec<Value>, Value);

/// What items are compared by.
struct Key {
    paths: Vec<Path>,
    case_sensitive: bool,
    default: Option<Value>,
    /// Whether Python makes a list of the keys of an item.
    listed: bool,
}

impl Key {
    fn new(attribute: Option<&Value>, case_sensitive: Option<&Value>) -> Self {
        let attribute = attribute.unwrap_or(&Value::None);
        Self {
            paths: vec![Path::new(attribute)],
            case_sensitive: case_sensitive.is_some_and(Value::is_true),
            default: None,
            listed: false,
        }
    }

    fn get(&self, evaluator: &mut Evaluator<'_>, item: &Value) -> Outcome<Vec<Value>> {
        evaluator.charge(1)?;
        let mut keys = Vec::with_capacity(self.paths.len());
        for path in &self.paths {
            let key = path.get(evaluator, item, self.default.as_ref())?;
            keys.push(match &key {
                Value::Text(text) if !self.case_sensitive => {
                    evaluator.string_method(text, "lower", Arguments::default())?
                }
                _ => key,
            });
        }
        Ok(keys)
    }

    /// Items with their keys.
    fn of_all(&self, evaluator: &mut Evaluator<'_>, items: &[Value]) -> Outcome<Vec<Keyed>> {
        items.iter().map(|item| Ok((self.get(evaluator, item)?, item.clone()))).collect()
    }

    fn order(&self, evaluator: &mut Evaluator<'_>, one: &Keyed, other: &Keyed) -> Outcome<Ordering> {
        for (one, other) in one.0.iter().zip(&other.0) {
            // As a list of keys, which looks for the first that differs, or as a key by itself.
            if !self.listed || !evaluator.equal(one, other)? {
                return Ok(evaluator.order(one, other)?.unwrap_or(Ordering::Equal));
            }
        }
        Ok(Ordering::Equal)
    }
}

impl Evaluator<'_> {
    /// Sorts, so that what is equal stays in order. What compares may fail, and need not be consistent.
    pub fn sorted<T>(
        &mut self,
        items: Vec<T>,
        mut order: impl FnMut(&mut Self, &T, &T) -> Outcome<Ordering>,
    ) -> Outcome<Vec<T>> {
        let mut runs: Vec<Vec<T>> = items.into_iter().map(|item| vec![item]).collect();
        while runs.len() > 1 {
            let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
            let mut pairs = runs.into_iter();
            while let Some(left) = pairs.next() {
                let Some(right) = pairs.next() else {
                    merged.push(left);
                    break;
                };
                let mut run = Vec::with_capacity(left.len() + right.len());
                let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
                while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
                    self.charge(1)?;
                    let next = if order(self, one, other)?.is_gt() { right.next() } else { left.next() };
                    run.extend(next);
                }
                run.extend(left);
                run.extend(right);
                merged.push(run);
            }
            runs = merged;
        }
        Ok(runs.pop().unwrap_or_default())
    }
}

fn sorted_items(
    evaluator: &mut Evaluator<'_>,
    items: &[Value],
    key: &Key,
    reverse: bool,
) -> Outcome<Vec<Keyed>> {
    let keyed = key.of_all(evaluator, items)?;
    evaluator.sorted(keyed, |evaluator, one, other| {
        let order = key.order(evaluator, one, other)?;
        Ok(if reverse { order.reverse() } else { order })
    })
}

pub(super) fn sort(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [reverse, case_sensitive, attribute] = arguments.bind(["reverse", "case_sensitive", "attribute"])?;
    let mut key = Key::new(attribute.as_ref(), case_sensitive.as_ref());
    key.listed = true;
    if let Some(Value::Text(attributes)) = &attribute {
        // Several, with commas between.
        let mut start = 0;
        let parts = attributes.as_str().split(',').map(|part| {
            let range = start..start + part.len();
            start = range.end + 1;
            Path::new(&Value::text(attributes.slice(range)))
        });
        key.paths = parts.collect();
    }
    let items = evaluator.iterate(value)?;
    let reverse = reverse.is_some_and(|reverse| reverse.is_true());
    let sorted = sorted_items(evaluator, &items.items, &key, reverse)?;
    Value::list(sorted.into_iter().map(|(_, item)| item).collect())
}

pub(super) fn dictsort(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [case_sensitive, by, reverse] = arguments.bind(["case_sensitive", "by", "reverse"])?;
    let by = by.unwrap_or_else(|| Value::author("key"));
    let index = match by.need_text("what is sorted by")?.as_str() {
        "key" => 0,
        "value" => 1,
        _ => return fail("a dictionary is sorted by key or by value"),
    };
    let Value::Dict(dict) = value else { return fail("dictsort takes a dictionary") };
    let pairs = super::super::collections::pairs(dict)?;
    let key = Key::new(Some(&Value::Int(index)), case_sensitive.as_ref());
    let reverse = reverse.is_some_and(|reverse| reverse.is_true());
    let sorted = sorted_items(evaluator, &pairs, &key, reverse)?;
    Value::list(sorted.into_iter().map(|(_, item)| item).collect())
}

pub(super) fn group_by(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let ([attribute], [default, case_sensitive]) =
        arguments.need(["attribute"], ["default", "case_sensitive"])?;
    let mut key = Key::new(Some(&attribute), case_sensitive.as_ref());
    key.default = default.filter(|default| !matches!(default, Value::None));
    let items = evaluator.iterate(value)?;
    let mut groups: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    for (keys, item) in sorted_items(evaluator, &items.items, &key, false)? {
        let last = groups.pop();
        match last {
            Some((group, mut members)) if evaluator.equal(&group[0], &keys[0])? => {
                members.push(item);
                groups.push((group, members));
            }
            last => {
                groups.extend(last);
                groups.push((keys, vec![item]));
            }
        }
    }
    let mut tuples = Vec::with_capacity(groups.len());
    for (_, members) in groups {
        // As the first of the group spells it.
        let grouper = match members.first() {
            Some(first) => key.paths[0].get(evaluator, first, key.default.as_ref())?,
            None => Value::Undefined,
        };
        tuples.push(Value::sequence(Kind::Group, vec![grouper, Value::list(members)?])?);
    }
    Value::list(tuples)
}

pub(super) fn unique(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [case_sensitive, attribute] = arguments.bind(["case_sensitive", "attribute"])?;
    let key = Key::new(attribute.as_ref(), case_sensitive.as_ref());
    let mut seen: Vec<(Value, Value)> = Vec::new();
    let mut kept = Vec::new();
    for item in &evaluator.iterate(value)?.items {
        let Some(key) = key.get(evaluator, item)?.pop() else { continue };
        if !evaluator.hashable(&key)? {
            return fail(format!("{} cannot be told from others", key.type_name()));
        }
        if evaluator.entry(&seen, &key)?.is_none() {
            seen.push((key, Value::None));
            kept.push(item.clone());
        }
    }
    Value::iterator(kept)
}

pub(super) fn min(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    extreme(evaluator, value, arguments, Ordering::Less)
}

pub(super) fn max(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    extreme(evaluator, value, arguments, Ordering::Greater)
}

/// The first item that no other is `wanted` of.
fn extreme(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    arguments: Arguments,
    wanted: Ordering,
) -> Outcome<Value> {
    let [case_sensitive, attribute] = arguments.bind(["case_sensitive", "attribute"])?;
    let key = Key::new(attribute.as_ref(), case_sensitive.as_ref());
    let items = evaluator.iterate(value)?;
    let mut found: Option<Keyed> = None;
    for keyed in key.of_all(evaluator, &items.items)? {
        match &found {
            Some(best) if evaluator.order(&keyed.0[0], &best.0[0])? != Some(wanted) => {}
            _ => found = Some(keyed),
        }
    }
    Ok(found.map_or(Value::Undefined, |(_, item)| item))
}
