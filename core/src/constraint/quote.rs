//! Quotes in a JSON Schema. llguidance does not know them: each is taken out of the schema, which then asks for a
//! marker in its place, and put into the compiled grammar for the marker.

use serde_json::{Map, Value, json};

use super::compile::bad;
use super::leaf::Leaf;
use crate::error::Result;

/// The keyword of a string that can only be a substring of the keyword's value.
pub(super) const KEYWORD: &str = "x-quote";

/// What may stand beside it.
const BESIDE: &[&str] = &[
    KEYWORD,
    "type",
    "minLength",
    "maxLength",
    "pattern",
    "title",
    "description",
    "default",
    "examples",
    "$comment",
    "readOnly",
    "writeOnly",
    "deprecated",
];

/// Keywords whose value is a schema, or a list of them.
const SCHEMAS: &[&str] = &[
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
];

/// Keywords whose schemas are met together with others. A quote cannot be: it stands for a marker until the grammar is
/// compiled, and what is said beside it would be said of the marker.
const TOGETHER: &[&str] = &["allOf", "not", "if", "then", "else"];

/// Keywords whose value has a schema for each name.
const NAMED: &[&str] =
    &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// Takes the quotes out of a valid schema; gives them with their markers.
pub(super) fn take_out(schema: &mut Map<String, Value>) -> Result<Vec<(String, Leaf)>> {
    let draft = schema.get("$schema").and_then(Value::as_str).unwrap_or_default();
    let draft_4 = draft.contains("draft-04");
    let definitions = if draft_4 || draft.contains("draft-06") || draft.contains("draft-07") {
        "definitions"
    } else {
        "$defs"
    };
    let mut quotes = Quotes { leaves: Vec::new(), found: 0, marker: unused(schema) };
    quotes.walk(schema, "#")?;
    if quotes.leaves.is_empty() {
        return Ok(Vec::new());
    }
    // A definition of its own for each: llguidance then makes a terminal of it that nothing is merged into. The
    // URI of its own makes it found wherever in the schema, whatever `$id` there is.
    let defined = schema.entry(definitions).or_insert_with(|| json!({}));
    for (marker, _) in &quotes.leaves {
        let id = if draft_4 { "id" } else { "$id" };
        defined[marker] = json!({ id: uri(marker), "type": "string", "pattern": format!("^{marker}$") });
    }
    Ok(quotes.leaves)
}

struct Quotes {
    leaves: Vec<(String, Leaf)>,
    /// How many there are.
    found: usize,
    /// What the markers begin with.
    marker: String,
}

impl Quotes {
    /// Walks a schema; `path` is where it stands.
    fn walk(&mut self, schema: &mut Map<String, Value>, path: &str) -> Result<()> {
        if schema.contains_key(KEYWORD) {
            self.found += 1;
            *schema = self.quote(schema, path)?;
            return Ok(());
        }
        for (keyword, value) in schema {
            let path = format!("{path}/{keyword}");
            let before = self.found;
            match value {
                Value::Object(named) if NAMED.contains(&keyword.as_str()) => {
                    for (name, value) in named {
                        self.walk_value(value, &format!("{path}/{name}"))?;
                    }
                }
                Value::Array(list) if SCHEMAS.contains(&keyword.as_str()) => {
                    for (index, value) in list.iter_mut().enumerate() {
                        self.walk_value(value, &format!("{path}/{index}"))?;
                    }
                }
                value if SCHEMAS.contains(&keyword.as_str()) => self.walk_value(value, &path)?,
                _ => {}
            }
            if self.found > before && TOGETHER.contains(&keyword.as_str()) {
                return Err(bad(&format!("{path}: x-quote cannot stand in {keyword}")));
            }
        }
        Ok(())
    }

    fn walk_value(&mut self, value: &mut Value, path: &str) -> Result<()> {
        value.as_object_mut().map_or(Ok(()), |schema| self.walk(schema, path))
    }

    /// What stands in the place of a schema that is a quote.
    fn quote(&mut self, schema: &Map<String, Value>, path: &str) -> Result<Map<String, Value>> {
        if let Some(keyword) = schema.keys().find(|keyword| !BESIDE.contains(&keyword.as_str())) {
            return Err(bad(&format!("{path}: x-quote cannot be combined with {keyword}")));
        }
        let nullable = match schema.get("type") {
            None => false,
            Some(Value::String(one)) if one == "string" => false,
            Some(Value::Array(types)) if types.iter().all(|kind| kind == "string" || kind == "null") => {
                types.iter().any(|kind| kind == "null")
            }
            _ => return Err(bad(&format!("{path}: x-quote is for the type string, or string and null"))),
        };
        let text = schema[KEYWORD].as_str().unwrap_or_default();
        let length = |keyword: &str| {
            let length = schema.get(keyword).and_then(Value::as_f64);
            length.map(|length| length.min(f64::from(u32::MAX)) as u32)
        };
        let (least, most) = (length("minLength").unwrap_or(0), length("maxLength"));
        let possible = text.chars().count() >= least as usize && most.is_none_or(|most| least <= most);
        let leaf = Leaf::json_quote(text, least, most, schema.get("pattern").and_then(Value::as_str));
        let string = match possible {
            true => json!({ "$ref": uri(&self.marker_of(leaf)) }),
            false => json!(false),
        };
        let either = json!({ "anyOf": [string, { "type": "null" }] });
        let one = if nullable || !possible { json!({ "anyOf": [string] }) } else { string };
        let Value::Object(schema) = (if nullable { either } else { one }) else { return Ok(Map::new()) };
        Ok(schema)
    }

    /// The marker of a quote; the same for the same quote.
    fn marker_of(&mut self, leaf: Leaf) -> String {
        if let Some((marker, _)) = self.leaves.iter().find(|(_, known)| *known == leaf) {
            return marker.clone();
        }
        let marker = format!("{}{}x", self.marker, self.leaves.len());
        self.leaves.push((marker.clone(), leaf));
        marker
    }
}

fn uri(marker: &str) -> String {
    format!("pinfold:/{marker}")
}

/// A beginning for markers that the schema does not contain.
fn unused(schema: &Map<String, Value>) -> String {
    let text = format!("{schema:?}");
    (0..).map(|number| format!("xquote{number}x")).find(|marker| !text.contains(marker)).unwrap_or_default()
}
