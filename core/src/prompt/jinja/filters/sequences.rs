//! Filters of what can be gone through.

use super::super::collections;
use super::super::evaluator::{Evaluator, Outcome, fail};
use super::super::expressions::Arguments;
use super::super::predicates;
use super::super::value::Value;
use super::{Path, find, items_if_true, need_count};
use crate::prompt::text::Text;

pub(super) fn first(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    arguments.none()?;
    if let Value::Iterator(iterator) = value {
        return Ok(iterator.rest.borrow_mut().next().unwrap_or(Value::Undefined));
    }
    end(evaluator, value, 0)
}

pub(super) fn last(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    arguments.none()?;
    if let Value::Iterator(_) = value {
        return fail("the last item needs a list; make one by | list");
    }
    end(evaluator, value, -1)
}

/// The first or last item, or nothing.
fn end(evaluator: &mut Evaluator<'_>, value: &Value, index: i128) -> Outcome<Value> {
    match value {
        Value::Text(_) => evaluator.item(value, &Value::Int(index)),
        _ => {
            let items = evaluator.iterate(value)?;
            let item = if index < 0 { items.items.last() } else { items.items.first() };
            Ok(item.cloned().unwrap_or(Value::Undefined))
        }
    }
}

pub(super) fn list(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    arguments.none()?;
    Value::list(evaluator.copied(value)?)
}

pub(super) fn items(_: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    arguments.none()?;
    match value {
        Value::Undefined => Value::iterator(Vec::new()),
        Value::Dict(dict) => Value::iterator(collections::pairs(dict)?),
        other => fail(format!("{} has no pairs of keys and values", other.type_name())),
    }
}

pub(super) fn join(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [separator, attribute] = arguments.bind(["d", "attribute"])?;
    let path = attribute.as_ref().filter(|attribute| !matches!(attribute, Value::None)).map(Path::new);
    let separator = match separator {
        None => Text::new().into(),
        Some(separator) => evaluator.display(&separator)?,
    };
    let items = evaluator.iterate(value)?;
    evaluator.charge(items.items.len())?;
    let mut texts = Vec::with_capacity(items.items.len());
    for item in &items.items {
        texts.push(match &path {
            Some(path) => {
                let item = path.get(evaluator, item, None)?;
                evaluator.display(&item)?
            }
            None => evaluator.display(item)?,
        });
    }
    evaluator.join(&separator, &texts)
}

pub(super) fn reverse(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    arguments.none()?;
    if let Value::Text(text) = value {
        let mut reversed = Text::new();
        let characters: Vec<(char, bool)> = text.chars().collect();
        evaluator.charge(characters.len())?;
        for (character, sealed) in characters.into_iter().rev() {
            reversed.push_char(character, sealed);
        }
        return Ok(Value::text(reversed));
    }
    let mut items = evaluator.copied(value)?;
    items.reverse();
    match value {
        // What Python can go through from behind, it does when it is asked; else there is a list.
        Value::List(_) | Value::Dict(_) => Value::iterator(items),
        _ => Value::list(items),
    }
}

pub(super) fn batch(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let ([count], [fill]) = arguments.need(["linecount"], ["fill_with"])?;
    let count = need_count(&count, "the size of a batch")?;
    let items = evaluator.iterate(value)?;
    evaluator.charge(items.items.len())?;
    let mut batches = Vec::new();
    for batch in items.items.chunks(count) {
        let mut batch = batch.to_vec();
        if let Some(fill) = fill.as_ref().filter(|fill| !matches!(fill, Value::None)) {
            evaluator.charge(count - batch.len())?;
            batch.resize(count, fill.clone());
        }
        batches.push(Value::list(batch)?);
    }
    Value::iterator(batches)
}

pub(super) fn slice(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let ([count], [fill]) = arguments.need(["slices"], ["fill_with"])?;
    let count = need_count(&count, "the number of slices")?;
    let items = evaluator.iterate(value)?;
    evaluator.charge(count.saturating_add(items.items.len()))?;
    let (size, longer) = (items.items.len() / count, items.items.len() % count);
    let mut rest = items.items.as_slice();
    let mut slices = Vec::with_capacity(count);
    for index in 0..count {
        let (slice, after) = rest.split_at(size + usize::from(index < longer));
        rest = after;
        let mut slice = slice.to_vec();
        let fill = fill.as_ref().filter(|fill| !matches!(fill, Value::None) && index >= longer);
        slice.extend(fill.cloned());
        slices.push(Value::list(slice)?);
    }
    Value::iterator(slices)
}

/// Of each item an attribute, or what a filter makes of it.
pub(super) fn map(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let items = items_if_true(evaluator, value)?;
    let mut mapped = Vec::with_capacity(items.len());
    let Arguments { mut positional, named } = arguments;
    if positional.is_empty() {
        let [attribute, default] = Arguments { positional, named }.bind(["attribute", "default"])?;
        let Some(attribute) = attribute else { return fail("map takes a filter or an attribute") };
        let path = Path::new(&attribute);
        let default = default.filter(|default| !matches!(default, Value::None));
        for item in &items {
            mapped.push(path.get(evaluator, item, default.as_ref())?);
        }
        return Value::iterator(mapped);
    }
    let name = positional.remove(0);
    let name = name.need_text("the name of a filter")?;
    let Some(filter) = find(name.as_str()) else { return fail("map names a filter that there is not") };
    for item in &items {
        evaluator.charge_value(item)?;
        let arguments = Arguments { positional: positional.clone(), named: named.clone() };
        mapped.push(evaluator.deeper(|evaluator| filter(evaluator, item, arguments))?);
    }
    Value::iterator(mapped)
}

pub(super) fn select(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    choose(evaluator, value, arguments, false, true)
}

pub(super) fn reject(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    choose(evaluator, value, arguments, false, false)
}

pub(super) fn select_attribute(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    arguments: Arguments,
) -> Outcome<Value> {
    choose(evaluator, value, arguments, true, true)
}

pub(super) fn reject_attribute(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    arguments: Arguments,
) -> Outcome<Value> {
    choose(evaluator, value, arguments, true, false)
}

/// The items, or those with an attribute, that pass a test or do not.
fn choose(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    arguments: Arguments,
    by_attribute: bool,
    wanted: bool,
) -> Outcome<Value> {
    let items = items_if_true(evaluator, value)?;
    let Arguments { positional, named } = arguments;
    let mut positional = positional.into_iter();
    let path = match by_attribute.then(|| positional.next()) {
        None => None,
        Some(Some(attribute)) => Some(Path::new(&attribute)),
        Some(None) => return fail("the name of an attribute is missing"),
    };
    let test = match positional.next() {
        None => None,
        Some(name) => match predicates::find(name.need_text("the name of a test")?.as_str()) {
            Some(test) => Some(test),
            None => return fail("a test is named that there is not"),
        },
    };
    let rest: Vec<Value> = positional.collect();
    let mut chosen = Vec::new();
    for item in items {
        evaluator.charge(1)?;
        let tested = match &path {
            Some(path) => path.get(evaluator, &item, None)?,
            None => item.clone(),
        };
        let passes = match test {
            Some(test) => {
                let arguments = Arguments { positional: rest.clone(), named: named.clone() };
                test(evaluator, &tested, arguments)?
            }
            None => tested.is_true(),
        };
        if passes == wanted {
            chosen.push(item);
        }
    }
    Value::iterator(chosen)
}
