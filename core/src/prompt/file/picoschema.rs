//! Picoschema, the short form of JSON Schema in Dotprompt
//! ([reference](https://google.github.io/dotprompt/reference/picoschema/)).

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::source::{Fault, Parsed, Place, unknown};
use super::yaml::{Kind, Node};

const SCALARS: [&str; 6] = ["string", "boolean", "null", "number", "integer", "any"];

/// In a schema: the variable that a string is a quote of.
pub(crate) const QUOTE_OF: &str = "x-quote-of";

/// A schema that a front matter declares.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    /// As JSON Schema.
    pub json: Value,
    /// What checks values against it: values come again and again.
    pub validator: Validator,
    pub place: Place,
    /// Where each property is declared, by the path to it: `slots.value`, also if `slots` is a list.
    pub declared: BTreeMap<String, Place>,
    /// The variables that strings are quotes of, with where that is said.
    pub quotes: Vec<(String, Place)>,
}

impl Schema {
    /// Reads a schema: Picoschema, JSON Schema, or the name of one of `named`.
    pub fn read(node: &Node, named: &BTreeMap<String, Value>) -> Parsed<Self> {
        let mut reader = Reader { named, declared: BTreeMap::new(), quotes: Vec::new() };
        let json = reader.schema(node)?;
        let Reader { declared, quotes, .. } = reader;
        match jsonschema::validator_for(&json) {
            Ok(validator) => Ok(Self { json, validator, place: node.place, declared, quotes }),
            Err(error) => Err(node.fault(format!("the schema is not one: {error}"))),
        }
    }

    /// Where a variable is declared, or what it is in.
    pub fn place_of(&self, name: &str) -> Place {
        let mut name = without_indices(name);
        loop {
            if let Some(place) = self.declared.get(&name) {
                return *place;
            }
            match name.rfind('.') {
                Some(end) => name.truncate(end),
                None => return self.place,
            }
        }
    }

    pub fn declares(&self, name: &str) -> bool {
        self.declared.contains_key(&without_indices(name))
    }

    /// Whether there may be other properties than those that are declared.
    pub fn is_open(&self) -> bool {
        let closed = |schema: &Value| schema.get("additionalProperties") == Some(&Value::Bool(false));
        !closed(&self.json)
    }
}

/// `slots[2].value` as `slots.value`.
fn without_indices(name: &str) -> String {
    let mut within = false;
    let mut plain = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '[' => within = true,
            ']' => within = false,
            _ if within => {}
            _ => plain.push(character),
        }
    }
    plain
}

struct Reader<'a> {
    named: &'a BTreeMap<String, Value>,
    declared: BTreeMap<String, Place>,
    quotes: Vec<(String, Place)>,
}

impl Reader<'_> {
    fn schema(&mut self, node: &Node) -> Parsed<Value> {
        let kind = node.get("type").and_then(Node::text);
        let is_type = |kind: &str| SCALARS.contains(&kind) || matches!(kind, "object" | "array");
        let keyword =
            |key| node.get(key).is_some_and(|node| matches!(node.kind, Kind::Map(_) | Kind::List(_)));
        if kind.is_some_and(is_type) {
            self.declare(node, "");
            return Ok(node.json());
        }
        if keyword("properties") {
            self.declare(node, "");
            let mut json = json!({"type": "object"});
            if let (Value::Object(schema), Value::Object(written)) = (&mut json, node.json()) {
                schema.extend(written);
                schema.insert("type".into(), "object".into());
            }
            return Ok(json);
        }
        let reference = node.get("$ref").and_then(Node::text).is_some();
        if reference || ["anyOf", "oneOf", "allOf", "enum"].into_iter().any(keyword) {
            self.declare(node, "");
            return Ok(node.json());
        }
        self.pico(node, "")
    }

    /// Notes the properties and quotes of JSON Schema.
    fn declare(&mut self, node: &Node, path: &str) {
        let Kind::Map(entries) = &node.kind else { return };
        for entry in entries {
            match (entry.key.as_str(), &entry.node.kind) {
                ("properties", Kind::Map(properties)) => {
                    for property in properties {
                        let path = join(path, &property.key);
                        self.declared.insert(path.clone(), property.place);
                        self.declare(&property.node, &path);
                    }
                }
                ("items" | "additionalProperties", _) => self.declare(&entry.node, path),
                ("anyOf" | "oneOf" | "allOf" | "prefixItems", Kind::List(schemas)) => {
                    for schema in schemas {
                        self.declare(schema, path);
                    }
                }
                ("$defs" | "definitions", Kind::Map(schemas)) => {
                    for schema in schemas {
                        // Where they are used is not known.
                        self.declare(&schema.node, &join(path, "$defs"));
                    }
                }
                (QUOTE_OF, Kind::Text(name)) => self.quotes.push((name.clone(), entry.place)),
                _ => {}
            }
        }
    }

    fn pico(&mut self, node: &Node, path: &str) -> Parsed<Value> {
        let entries = match &node.kind {
            Kind::Text(text) => return self.scalar(text, node.place),
            Kind::Map(entries) => entries,
            _ => return Err(node.fault("a schema is a type, like `string, what it is`, or a map of fields")),
        };
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut additional = Value::Bool(false);
        for entry in entries {
            if entry.key == "(*)" {
                additional = self.pico(&entry.node, path)?;
                continue;
            }
            let fault = |reason: String| Err(Fault::new(entry.place, reason));
            let (name, info) = match entry.key.split_once('(') {
                Some((name, info)) => match info.strip_suffix(')') {
                    Some(info) => (name, Some(info)),
                    None => return fault(format!("{:?} lacks its `)`", entry.key)),
                },
                None => (entry.key.as_str(), None),
            };
            let optional = name.ends_with('?');
            let name = name.trim().trim_end_matches('?');
            if name.is_empty() {
                return fault("a field needs a name".into());
            }
            let path = join(path, name);
            let mut property = match info.map(described) {
                None => {
                    let mut property = self.pico(&entry.node, &path)?;
                    if optional {
                        or_null(&mut property);
                    }
                    property
                }
                Some(("array", _)) => {
                    let mut property = json!({"type": "array", "items": self.pico(&entry.node, &path)?});
                    if optional {
                        or_null(&mut property);
                    }
                    property
                }
                Some(("object", _)) => {
                    let mut property = self.pico(&entry.node, &path)?;
                    if property.get("type") != Some(&json!("object")) {
                        return Err(entry.node.fault("an object is a map of fields"));
                    }
                    if optional {
                        or_null(&mut property);
                    }
                    property
                }
                Some(("enum", _)) => {
                    let mut values = match entry.node.json() {
                        Value::Array(values) if !values.is_empty() => values,
                        _ => return Err(entry.node.fault("an enum is a list of values: `[RED, GREEN]`")),
                    };
                    if optional && !values.contains(&Value::Null) {
                        values.push(Value::Null);
                    }
                    json!({"enum": values})
                }
                Some((kind, _)) => {
                    return fault(unknown("kind of field", kind, &["array", "object", "enum"]));
                }
            };
            if let (Some((_, Some(description))), Value::Object(schema)) =
                (info.map(described), &mut property)
            {
                schema.insert("description".into(), description.into());
            }
            if properties.insert(name.to_owned(), property).is_some() {
                return fault(format!("the field {name:?} is declared twice"));
            }
            self.declared.insert(path, entry.place);
            if !optional {
                required.push(Value::from(name));
            }
        }
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": additional,
        });
        if let (true, Value::Object(schema)) = (required.is_empty(), &mut schema) {
            schema.shift_remove("required");
        }
        Ok(schema)
    }

    /// `type, description`
    fn scalar(&mut self, text: &str, place: Place) -> Parsed<Value> {
        let (kind, description) = described(text);
        let quoted = kind.strip_prefix("quote(").and_then(|rest| rest.strip_suffix(')')).map(str::trim);
        let mut schema = match kind {
            "any" => json!({}),
            _ if SCALARS.contains(&kind) => json!({"type": kind}),
            _ => match (quoted, self.named.get(kind)) {
                (Some(name), _) if !name.is_empty() => {
                    self.quotes.push((name.to_owned(), place));
                    json!({"type": "string", QUOTE_OF: name})
                }
                (_, Some(schema)) => schema.clone(),
                _ => {
                    let named = self.named.keys().map(String::as_str);
                    let known: Vec<&str> =
                        SCALARS.into_iter().chain(["quote(variable)"]).chain(named).collect();
                    return Err(Fault::new(place, unknown("type", kind, &known)));
                }
            },
        };
        if let (Some(description), Value::Object(schema)) = (description, &mut schema) {
            schema.insert("description".into(), description.into());
        }
        Ok(schema)
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Splits what stands before the first comma from the description behind it.
fn described(text: &str) -> (&str, Option<&str>) {
    match text.split_once(',') {
        Some((kind, description)) => (kind.trim(), Some(description.trim()).filter(|text| !text.is_empty())),
        None => (text.trim(), None),
    }
}

fn or_null(schema: &mut Value) {
    if let Some(kind @ Value::String(_)) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
}

/// The schemas that are directly in a schema.
pub(crate) fn subschemas(schema: &mut Map<String, Value>) -> Vec<&mut Value> {
    let mut found = Vec::new();
    for (key, value) in schema {
        let list = matches!(key.as_str(), "anyOf" | "oneOf" | "allOf" | "prefixItems");
        let map = matches!(
            key.as_str(),
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas"
        );
        let one = matches!(
            key.as_str(),
            "items"
                | "additionalProperties"
                | "additionalItems"
                | "contains"
                | "not"
                | "if"
                | "then"
                | "else"
        );
        if one && value.is_object() {
            found.push(value);
            continue;
        }
        match value {
            Value::Array(items) if list || key == "items" => found.extend(items),
            Value::Object(entries) if map => found.extend(entries.values_mut()),
            _ => {}
        }
    }
    found
}
