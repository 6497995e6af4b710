//! Checks values against JSON schemas. What is said about a value does not quote it.

use serde_json::Value;

/// Checks one value; an error is the way into it and what is wrong there.
pub(super) fn value(schema: &Value, value: &Value) -> Result<(), (String, String)> {
    let validator =
        jsonschema::validator_for(schema).map_err(|error| (String::new(), error.masked().to_string()))?;
    validator.validate(value).map_err(|error| {
        let path = error.instance_path().to_string();
        let path = path.split('/').skip(1).map(|key| match key.parse::<usize>() {
            Ok(place) => format!("[{place}]"),
            Err(_) => format!(".{key}"),
        });
        (path.collect(), error.masked_with("the value").to_string())
    })
}
