//! The tests of `is`.

use super::evaluator::{Evaluator, Outcome, fail};
use super::expressions::Arguments;
use super::tree::Operator;
use super::value::{Kind, Value};
use super::{filters, lines, print};

pub(super) type Predicate = fn(&mut Evaluator<'_>, &Value, Arguments) -> Outcome<bool>;

/// The test of a name.
pub(super) fn find(name: &str) -> Option<Predicate> {
    Some(match name {
        "defined" => |_, value, arguments| alone(arguments, !matches!(value, Value::Undefined)),
        "undefined" => |_, value, arguments| alone(arguments, matches!(value, Value::Undefined)),
        "none" => |_, value, arguments| alone(arguments, matches!(value, Value::None)),
        "boolean" => |_, value, arguments| alone(arguments, matches!(value, Value::Bool(_))),
        "true" => |_, value, arguments| alone(arguments, matches!(value, Value::Bool(true))),
        "false" => |_, value, arguments| alone(arguments, matches!(value, Value::Bool(false))),
        "integer" => |_, value, arguments| alone(arguments, matches!(value, Value::Int(_))),
        "float" => |_, value, arguments| alone(arguments, matches!(value, Value::Float(_))),
        "number" => |_, value, arguments| alone(arguments, value.as_float().is_some()),
        "string" => |_, value, arguments| alone(arguments, matches!(value, Value::Text(_))),
        "mapping" => |_, value, arguments| alone(arguments, matches!(value, Value::Dict(_))),
        "iterable" => |_, value, arguments| alone(arguments, is_iterable(value)),
        "sequence" => |_, value, arguments| alone(arguments, is_sequence(value)),
        "callable" => |_, value, arguments| {
            // The undefined and a loop have a `__call__` too.
            alone(arguments, matches!(value, Value::Callable(_) | Value::Loop(_) | Value::Undefined))
        },
        "escaped" => |_, _, arguments| alone(arguments, false),
        "lower" => |evaluator, value, arguments| case(evaluator, value, arguments, "islower"),
        "upper" => |evaluator, value, arguments| case(evaluator, value, arguments, "isupper"),
        "filter" => |_, value, arguments| {
            let name = value.need_text("the name of a filter")?;
            alone(arguments, filters::find(name.as_str()).is_some())
        },
        "test" => |_, value, arguments| {
            let name = value.need_text("the name of a test")?;
            alone(arguments, find(name.as_str()).is_some())
        },
        "odd" => |evaluator, value, arguments| {
            arguments.none()?;
            remainder_is(evaluator, value, &Value::Int(2), 1)
        },
        "even" => |evaluator, value, arguments| {
            arguments.none()?;
            remainder_is(evaluator, value, &Value::Int(2), 0)
        },
        "divisibleby" => |evaluator, value, arguments| {
            let ([divisor], []) = arguments.need(["num"], [])?;
            remainder_is(evaluator, value, &divisor, 0)
        },
        "sameas" => |evaluator, value, arguments| {
            let ([other], []) = arguments.need(["other"], [])?;
            match (value, &other) {
                (Value::Bool(_), _) | (_, Value::Bool(_)) if value.type_name() != other.type_name() => {
                    Ok(false)
                }
                _ => evaluator.equal(value, &other),
            }
        },
        "in" => |evaluator, value, arguments| {
            let ([container], []) = arguments.need(["seq"], [])?;
            evaluator.contains(&container, value)
        },
        "eq" | "equalto" | "==" => {
            |evaluator, value, arguments| compare(evaluator, Operator::Equal, value, arguments)
        }
        "ne" | "!=" => |evaluator, value, arguments| compare(evaluator, Operator::Unequal, value, arguments),
        "lt" | "lessthan" | "<" => {
            |evaluator, value, arguments| compare(evaluator, Operator::Less, value, arguments)
        }
        "le" | "<=" => {
            |evaluator, value, arguments| compare(evaluator, Operator::LessOrEqual, value, arguments)
        }
        "gt" | "greaterthan" | ">" => {
            |evaluator, value, arguments| compare(evaluator, Operator::Greater, value, arguments)
        }
        "ge" | ">=" => {
            |evaluator, value, arguments| compare(evaluator, Operator::GreaterOrEqual, value, arguments)
        }
        _ => return None,
    })
}

fn alone(arguments: Arguments, answer: bool) -> Outcome<bool> {
    arguments.none()?;
    Ok(answer)
}

fn compare(
    evaluator: &mut Evaluator<'_>,
    operator: Operator,
    value: &Value,
    arguments: Arguments,
) -> Outcome<bool> {
    let ([other], []) = arguments.need(["other"], [])?;
    Ok(evaluator.operate(operator, value, &other)?.is_true())
}

fn remainder_is(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    divisor: &Value,
    wanted: i128,
) -> Outcome<bool> {
    if value.as_float().is_none() {
        return fail(format!("{} has no remainder", value.type_name()));
    }
    let remainder = evaluator.operate(Operator::Remainder, value, divisor)?;
    evaluator.equal(&remainder, &Value::Int(wanted))
}

fn case(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments, name: &str) -> Outcome<bool> {
    arguments.none()?;
    let text = evaluator.display(value)?;
    evaluator.charge_bytes(text.len())?;
    Ok(string_is(text.as_str(), name))
}

fn is_iterable(value: &Value) -> bool {
    matches!(
        value,
        Value::Undefined
            | Value::Text(_)
            | Value::List(_)
            | Value::Dict(_)
            | Value::Iterator(_)
            | Value::Loop(_)
    )
}

/// What has a length and items by index. The undefined has both.
fn is_sequence(value: &Value) -> bool {
    match value {
        Value::List(list) => !matches!(list.kind, Kind::Keys | Kind::Values | Kind::Items),
        Value::Undefined | Value::Text(_) | Value::Dict(_) => true,
        _ => false,
    }
}

/// The methods of strings that begin with `is`.
pub(super) fn string_is(text: &str, name: &str) -> bool {
    let all = |is: fn(char) -> bool| !text.is_empty() && text.chars().all(is);
    let cased = |character: &char| character.is_lowercase() || character.is_uppercase();
    match name {
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isascii" => text.is_ascii(),
        "isdecimal" | "isdigit" => all(|character| character.is_ascii_digit()),
        "isnumeric" => all(char::is_numeric),
        "isspace" => all(lines::is_space),
        "isprintable" => text.chars().all(print::is_printable),
        "isidentifier" => {
            let is_start = |character: char| character == '_' || character.is_alphabetic();
            text.starts_with(is_start)
                && text.chars().all(|character| is_start(character) || character.is_alphanumeric())
        }
        "islower" => text.chars().any(|character| cased(&character)) && !text.chars().any(char::is_uppercase),
        "isupper" => text.chars().any(|character| cased(&character)) && !text.chars().any(char::is_lowercase),
        "istitle" => {
            let mut before = false;
            let mut any = false;
            for character in text.chars() {
                if character.is_uppercase() == before && cased(&character) {
                    return false;
                }
                before = cased(&character);
                any |= before;
            }
            any
        }
        _ => false,
    }
}
