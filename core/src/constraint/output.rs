//! From the text that a model wrote to a value.

use std::sync::OnceLock;

use llguidance::ParserFactory;
use serde_json::Value;

use super::{Constraint, compile, grammars, schema};
use crate::error::{Error, Result};

impl Constraint {
    /// The value of an output: of a JSON Schema the JSON, of anything else the text as a string. It is checked
    /// against what was declared, whoever wrote it.
    ///
    /// # Errors
    /// [`Error::BadOutput`] with the text, or [`Error::BadConstraint`].
    pub fn parse(&self, text: &str) -> Result<Value> {
        let bad = |reason: &str| Error::BadOutput { reason: reason.into(), text: text.into() };
        let valid = match self {
            Self::JsonSchema(schema) => {
                let validator = schema::validator(schema)?;
                let value = serde_json::from_str(text).map_err(|error| bad(&format!("not JSON: {error}")))?;
                if let Err(error) = validator.validate(&value) {
                    return Err(bad(&format!("it breaks the schema at {:?}", error.schema_path().as_str())));
                }
                return Ok(value);
            }
            Self::Choice(texts) => texts.iter().any(|choice| choice == text),
            Self::Quote(quoted) => quoted.contains(text),
            Self::Regex(_) | Self::Lark(_) | Self::Gbnf(_) => self.matches(text)?,
        };
        if valid { Ok(Value::String(text.into())) } else { Err(bad(self.broken())) }
    }

    /// Whether a grammar accepts a text, byte by byte.
    fn matches(&self, text: &str) -> Result<bool> {
        static BYTES: OnceLock<Option<ParserFactory>> = OnceLock::new();
        let factory = BYTES.get_or_init(|| grammars::of_bytes().ok());
        let factory = factory.as_ref().ok_or_else(|| Error::engine("the vocabulary of bytes"))?;
        let mut matcher = compile::compile(factory, self)?;
        let bytes: Vec<u32> = text.bytes().map(u32::from).collect();
        let failed = |error: &_| compile::bad(&format!("too complex to follow: {}", compile::summary(error)));
        let accepted = matcher.try_consume_tokens(&bytes).map_err(|error| failed(&error))?;
        Ok(accepted == bytes.len()
            && (matcher.is_stopped() || matcher.is_accepting().map_err(|error| failed(&error))?))
    }

    fn broken(&self) -> &'static str {
        match self {
            Self::JsonSchema(_) => "it breaks the schema",
            Self::Regex(_) => "the regular expression does not match it as a whole",
            Self::Choice(_) => "it is none of the choices",
            Self::Quote(_) => "it is not a substring of the text",
            Self::Lark(_) | Self::Gbnf(_) => "it is not a text of the grammar",
        }
    }
}
