//! Filters: what stands behind `|`.

mod numbers;
mod sequences;
mod sorting;
mod texts;

use super::evaluator::{Evaluator, Outcome, fail};
use super::expressions::Arguments;
use super::json;
use super::value::Value;

pub(super) type Filter = fn(&mut Evaluator<'_>, &Value, Arguments) -> Outcome<Value>;

/// The filter of a name.
pub(super) fn find(name: &str) -> Option<Filter> {
    Some(match name {
        "abs" => numbers::abs,
        "attr" => attr,
        "batch" => sequences::batch,
        "capitalize" => texts::capitalize,
        "center" => texts::center,
        "count" | "length" => length,
        "d" | "default" => default,
        "dictsort" => sorting::dictsort,
        "e" | "escape" | "forceescape" => texts::escape,
        "filesizeformat" => numbers::file_size,
        "first" => sequences::first,
        "float" => numbers::float,
        "format" => texts::format,
        "groupby" => sorting::group_by,
        "indent" => texts::indent,
        "int" => numbers::int,
        "items" => sequences::items,
        "join" => sequences::join,
        "last" => sequences::last,
        "list" => sequences::list,
        "lower" => texts::lower,
        "map" => sequences::map,
        "max" => sorting::max,
        "min" => sorting::min,
        "reject" => sequences::reject,
        "rejectattr" => sequences::reject_attribute,
        "replace" => texts::replace,
        "reverse" => sequences::reverse,
        "round" => numbers::round,
        // There are no HTML escapes to be safe from.
        "safe" | "string" => texts::string,
        "select" => sequences::select,
        "selectattr" => sequences::select_attribute,
        "slice" => sequences::slice,
        "sort" => sorting::sort,
        "striptags" => texts::strip_tags,
        "sum" => numbers::sum,
        "title" => texts::title,
        "tojson" => json::tojson,
        "trim" => texts::trim,
        "truncate" => texts::truncate,
        "unique" => sorting::unique,
        "upper" => texts::upper,
        "urlencode" => texts::urlencode,
        "wordcount" => texts::word_count,
        "wordwrap" => texts::word_wrap,
        "xmlattr" => texts::xml_attributes,
        _ => return None,
    })
}

fn length(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    arguments.none()?;
    Ok(Value::Int(evaluator.length(value)? as i128))
}

fn default(_: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [default, boolean] = arguments.bind(["default_value", "boolean"])?;
    let falsy = boolean.is_some_and(|boolean| boolean.is_true()) && !value.is_true();
    if falsy || matches!(value, Value::Undefined) {
        return Ok(default.unwrap_or_else(|| Value::author("")));
    }
    Ok(value.clone())
}

/// An attribute, but no item.
fn attr(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let ([name], []) = arguments.need(["name"], [])?;
    let name = name.need_text("the name of an attribute")?;
    match value {
        Value::Dict(_) if !Evaluator::has_method(value, name.as_str()) => Ok(Value::Undefined),
        _ => evaluator.attribute(value, name.as_str()),
    }
}

/// What filters take as `attribute`: names and indices with points between.
struct Path(Vec<Value>);

impl Path {
    fn new(attribute: &Value) -> Self {
        Self(match attribute {
            Value::None => Vec::new(),
            Value::Text(path) => {
                let mut start = 0;
                let steps = path.as_str().split('.').map(|step| {
                    let range = start..start + step.len();
                    start = range.end + 1;
                    let is_index = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
                    let index = step.parse().ok().filter(|_| is_index);
                    index.map_or_else(|| Value::text(path.slice(range)), Value::Int)
                });
                steps.collect()
            }
            other => vec![other.clone()],
        })
    }

    /// What stands at the path, or the default where nothing does.
    fn get(&self, evaluator: &mut Evaluator<'_>, value: &Value, default: Option<&Value>) -> Outcome<Value> {
        let mut value = value.clone();
        for step in &self.0 {
            evaluator.charge(1)?;
            value = evaluator.item(&value, step)?;
            if let (Value::Undefined, Some(default)) = (&value, default) {
                value = default.clone();
            }
        }
        Ok(value)
    }
}

/// The items of a value that is not false; nothing can be gone through in one that is.
fn items_if_true(evaluator: &mut Evaluator<'_>, value: &Value) -> Outcome<Vec<Value>> {
    if !value.is_true() {
        return Ok(Vec::new());
    }
    evaluator.copied(value)
}

fn need_count(value: &Value, what: &str) -> Outcome<usize> {
    match usize::try_from(value.need_int(what)?) {
        Ok(count) if count > 0 => Ok(count),
        _ => fail(format!("{what} must be positive")),
    }
}
