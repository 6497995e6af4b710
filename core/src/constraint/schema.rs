//! JSON Schema: checked, and made ready for llguidance.

use jsonschema::{Keyword, ValidationError, Validator};
use serde_json::{Map, Value, json};

use llguidance::api::TopLevelGrammar;

use super::compile::{Plan, bad};
use super::quote;
use crate::error::Result;

/// llguidance's own options, in the root of a schema.
const OPTIONS: &str = "x-guidance";

/// White space between the parts of a JSON text: bounded, so that a model cannot go on with it for ever.
const WHITE_SPACE: &str = r"[\x20\x0A\x0D\x09]{1,64}";

/// Levels of a schema at most.
const LEVELS: usize = 128;

/// The grammar of a schema.
pub(super) fn plan(schema: &Value) -> Result<Plan> {
    validator(schema)?;
    let mut schema = match schema {
        Value::Object(schema) => schema.clone(),
        Value::Bool(true) => Map::new(),
        _ => return Err(bad(&"the schema is false: no value satisfies it")),
    };
    let leaves = quote::take_out(&mut schema)?;
    let options = schema.entry(OPTIONS).or_insert_with(|| json!({}));
    if let Value::Object(options) = options
        && options.get("whitespace_flexible") != Some(&Value::Bool(false))
    {
        options.entry("whitespace_pattern").or_insert_with(|| WHITE_SPACE.into());
    }
    let grammar = TopLevelGrammar::from_json_schema(Value::Object(schema));
    Ok(Plan { grammar, leaves })
}

/// Checks a schema, and gives what checks values.
pub(super) fn validator(schema: &Value) -> Result<Validator> {
    check_depth(schema)?;
    let options =
        jsonschema::options().offline().with_keyword(quote::KEYWORD, |_, text, _| QuoteOf::checked(text));
    options.build(schema).map_err(|error| {
        // The value may hold the text of a quote, so it is not shown.
        bad(&format!("the schema is wrong at {:?}: {}", error.instance_path().as_str(), error.masked()))
    })
}

fn check_depth(schema: &Value) -> Result<()> {
    let mut level = vec![schema];
    for _ in 0..LEVELS {
        let mut next = Vec::new();
        for value in level {
            match value {
                Value::Array(items) => next.extend(items),
                Value::Object(members) => next.extend(members.values()),
                _ => {}
            }
        }
        if next.is_empty() {
            return Ok(());
        }
        level = next;
    }
    Err(bad(&format!("the schema has more than {LEVELS} levels")))
}

/// The keyword `x-quote`, for the crate that checks values.
struct QuoteOf(String);

impl QuoteOf {
    fn checked<'a>(text: &'a Value) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
        match text {
            Value::String(text) => Ok(Box::new(Self(text.clone()))),
            _ => Err(ValidationError::custom("x-quote must be a string")),
        }
    }
}

impl Keyword<'_> for QuoteOf {
    fn validate(&self, instance: &Value) -> Result<(), ValidationError<'static>> {
        match self.is_valid(instance) {
            true => Ok(()),
            false => Err(ValidationError::custom("it is not a quote")),
        }
    }

    /// As with the other keywords of strings, it says nothing about what is no string.
    fn is_valid(&self, instance: &Value) -> bool {
        instance.as_str().is_none_or(|string| self.0.contains(string))
    }
}
