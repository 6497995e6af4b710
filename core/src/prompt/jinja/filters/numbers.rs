//! Filters of numbers.

use super::super::evaluator::{Evaluator, Outcome, fail};
use super::super::expressions::Arguments;
use super::super::numbers;
use super::super::tree::Operator;
use super::super::value::Value;
use super::Path;

pub(super) fn abs(_: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    arguments.none()?;
    match (value, value.as_int().and_then(i128::checked_abs)) {
        (Value::Float(value), _) => Ok(Value::Float(value.abs())),
        (_, Some(value)) => Ok(Value::Int(value)),
        _ => fail(format!("{} has no absolute value", value.type_name())),
    }
}

pub(super) fn int(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [default, base] = arguments.bind(["default", "base"])?;
    let base = base.map_or(Ok(10), |base| base.need_int("base"))?;
    let Some(base) = u32::try_from(base).ok().filter(|base| *base <= 36) else {
        return fail("base must be 0 or from 2 to 36");
    };
    let whole = match value {
        Value::Undefined => return fail("what is undefined is no number"),
        Value::Text(text) => {
            evaluator.charge_bytes(text.len())?;
            let float = || numbers::parse_float(text.as_str()).and_then(numbers::truncated);
            numbers::parse_whole(text.as_str(), base).or_else(float)
        }
        Value::Float(value) => numbers::truncated(*value),
        other => other.as_int(),
    };
    Ok(whole.map_or(default.unwrap_or(Value::Int(0)), Value::Int))
}

pub(super) fn float(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [default] = arguments.bind(["default"])?;
    let float = match value {
        Value::Undefined => return fail("what is undefined is no number"),
        Value::Text(text) => {
            evaluator.charge_bytes(text.len())?;
            numbers::parse_float(text.as_str())
        }
        other => other.as_float(),
    };
    Ok(float.map_or(default.unwrap_or(Value::Float(0.0)), Value::Float))
}

pub(super) fn round(_: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [precision, method] = arguments.bind(["precision", "method"])?;
    let precision = precision.map_or(Ok(0), |precision| precision.need_int("precision"))?;
    let precision = precision.clamp(-400, 400);
    let method = method.unwrap_or_else(|| Value::author("common"));
    let method = method.need_text("method")?.as_str();
    let Some(float) = value.as_float() else {
        return fail(format!("{} cannot be rounded", value.type_name()));
    };
    let scale = 10_f64.powi(precision as i32);
    match (method, value.as_int()) {
        ("common", Some(whole)) if precision >= 0 => Ok(Value::Int(whole)),
        ("common", Some(_)) => {
            let rounded = numbers::truncated(numbers::rounded(float, precision));
            Ok(rounded.map_or(Value::Int(0), Value::Int))
        }
        ("common", None) => Ok(Value::Float(numbers::rounded(float, precision))),
        ("ceil", _) => Ok(Value::Float((float * scale).ceil() / scale)),
        ("floor", _) => Ok(Value::Float((float * scale).floor() / scale)),
        _ => fail("method must be common, ceil or floor"),
    }
}

pub(super) fn sum(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [attribute, start] = arguments.bind(["attribute", "start"])?;
    let path = attribute.as_ref().map(Path::new);
    let mut sum = start.unwrap_or(Value::Int(0));
    for item in &evaluator.iterate(value)?.items {
        evaluator.charge(1)?;
        let item = match &path {
            Some(path) => path.get(evaluator, item, None)?,
            None => item.clone(),
        };
        if matches!(sum, Value::Text(_)) {
            return fail("texts are joined, not summed");
        }
        sum = evaluator.operate(Operator::Add, &sum, &item)?;
    }
    Ok(sum)
}

pub(super) fn file_size(_: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [binary] = arguments.bind(["binary"])?;
    let float = match value {
        Value::Text(text) => numbers::parse_float(text.as_str()),
        other => other.as_float(),
    };
    let Some(bytes) = float else { return fail("a size must be a number") };
    let binary = binary.is_some_and(|binary| binary.is_true());
    let (base, middle) = if binary { (1024.0, "i") } else { (1000.0, "") };
    let size = if bytes == 1.0 {
        "1 Byte".to_owned()
    } else if bytes < base {
        format!("{bytes:.0} Bytes")
    } else {
        let letters = if binary { "KMGTPEZY" } else { "kMGTPEZY" };
        let mut unit = base;
        let mut letter = 'Y';
        for candidate in letters.chars() {
            letter = candidate;
            if bytes < unit * base || candidate == 'Y' {
                break;
            }
            unit *= base;
        }
        format!("{:.1} {letter}{middle}B", bytes / unit)
    };
    Ok(Value::author(&size))
}
