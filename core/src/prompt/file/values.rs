//! Checks what is given for the variables of a prompt.

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use serde_json::Value;

use super::Values;
use super::picoschema::Schema;
use super::source::suggestion;

/// A variable that does not fit its schema.
pub(crate) struct Wrong {
    /// With the path into it.
    pub name: String,
    /// It does not quote the value.
    pub reason: String,
}

/// The first variable that does not fit; if `partial`, variables may be missing.
pub(crate) fn first_wrong(schema: &Schema, values: &Values, partial: bool) -> Option<Wrong> {
    let instance = Value::Object(values.clone());
    for error in schema.validator.iter_errors(&instance) {
        let mut name = String::new();
        for segment in error.instance_path().segments() {
            match segment {
                LocationSegment::Index(index) => name += &format!("[{index}]"),
                LocationSegment::Property(key) => push(&mut name, &key),
            }
        }
        let reason = match error.kind() {
            ValidationErrorKind::Required { .. } if partial && name.is_empty() => continue,
            ValidationErrorKind::Required { property } => {
                push(&mut name, property.as_str().unwrap_or_default());
                "is missing".to_owned()
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let unknown = unexpected.first().map(String::as_str).unwrap_or_default();
                let level = if name.is_empty() { String::new() } else { format!("{name}.") };
                let known = schema.declared.keys().filter_map(|known| known.strip_prefix(&level));
                let meant = suggestion(unknown, known.filter(|known| !known.contains('.')));
                let meant = meant.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
                push(&mut name, unknown);
                format!("is not declared{meant}")
            }
            _ => error.masked_with("it").to_string(),
        };
        return Some(Wrong { name, reason });
    }
    None
}

fn push(name: &mut String, key: &str) {
    if !name.is_empty() {
        name.push('.');
    }
    name.push_str(key);
}
