//! Looks into JSON schemas: which fields an output has, whether they are always there, and of what type.

use std::cell::Cell;

use serde_json::{Value, json};

/// References (`$ref`) that are followed one after another.
const REFERENCES: usize = 32;

/// Schemas that are looked at for one answer, since combinations of references can be many. Beyond, all is possible.
const LOOKS: usize = 10_000;

/// How deep combinations are looked into.
const DEPTH: usize = 32;

static ANYTHING: Value = Value::Bool(true);

/// What a schema says about a place in a value.
#[derive(Debug, Clone)]
pub(super) struct Found<'a> {
    /// What may stand there: one of these holds.
    pub schemas: Vec<&'a Value>,
    /// Whether something stands there whenever the value is valid.
    pub always: bool,
}

/// A look into a schema, by which `$ref` is resolved.
struct Look<'a> {
    root: &'a Value,
    left: Cell<usize>,
}

/// Types of JSON, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types(u8);

const NAMES: [(&str, u8); 7] = [
    ("null", 1),
    ("boolean", 2),
    ("integer", 4),
    // A number may be an integer.
    ("number", 8 | 4),
    ("string", 16),
    ("array", 32),
    ("object", 64),
];

impl Types {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(127);
    pub const NULL: Self = Self(1);
    pub const ARRAY: Self = Self(32);

    pub fn of(value: &Value) -> Self {
        Self::named(match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        })
    }

    fn named(name: &str) -> Self {
        NAMES.iter().find(|(known, _)| *known == name).map_or(Self(0), |(_, bits)| Self(*bits))
    }

    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::fmt::Display for Types {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names: Vec<&str> =
            NAMES.iter().filter(|(_, bits)| bits & !self.0 == 0).map(|(name, _)| *name).collect();
        if names.contains(&"number") {
            names.retain(|name| *name != "integer");
        }
        formatter.write_str(&names.join(" or "))
    }
}

/// What `schema` says about the place at `path`; `None` if nothing can stand there.
pub(super) fn find<'a>(schema: &'a Value, path: &[String]) -> Option<Found<'a>> {
    let look = Look::new(schema);
    let mut found = Found { schemas: vec![schema], always: true };
    for key in path {
        let children: Vec<Option<Found<'a>>> =
            found.schemas.iter().map(|inner| look.child(inner, key, DEPTH)).collect();
        let always = children.iter().all(|child| child.as_ref().is_some_and(|child| child.always));
        let schemas: Vec<&Value> = children.into_iter().flatten().flat_map(|child| child.schemas).collect();
        if schemas.is_empty() {
            return None;
        }
        found = Found { schemas, always: found.always && always };
    }
    Some(found)
}

/// The types that values of these schemas have; `root` is what `$ref` refers to.
pub(super) fn types(root: &Value, schemas: &[&Value]) -> Types {
    let look = Look::new(root);
    schemas.iter().map(|schema| look.types(schema, DEPTH)).fold(Types::NONE, Types::union)
}

/// The values that are possible, if the schemas list them.
pub(super) fn values<'a>(root: &'a Value, schemas: &[&'a Value]) -> Option<Vec<&'a Value>> {
    let mut all = Vec::new();
    for schema in schemas {
        let schema = follow(root, schema);
        match (schema.get("const"), schema.get("enum").and_then(Value::as_array)) {
            (Some(value), _) => all.push(value),
            (None, Some(values)) => all.extend(values),
            (None, None) => return None,
        }
    }
    Some(all)
}

/// The schema of the items of a list.
pub(super) fn items(schema: &Value) -> Value {
    let items = follow(schema, schema).get("items").cloned().unwrap_or(Value::Bool(true));
    with_definitions(items, schema)
}

/// The schema of a list of what `schema` describes.
pub(super) fn list(schema: &Value) -> Value {
    with_definitions(json!({"type": "array", "items": schema}), schema)
}

/// A schema made from a part of another one, or around it, in which `$ref` finds the same definitions.
pub(super) fn with_definitions(mut schema: Value, origin: &Value) -> Value {
    if let Value::Object(map) = &mut schema {
        for key in ["$defs", "definitions"] {
            if let Some(definitions) = origin.get(key) {
                map.entry(key).or_insert_with(|| definitions.clone());
            }
        }
    }
    schema
}

impl<'a> Look<'a> {
    fn new(root: &'a Value) -> Self {
        Self { root, left: Cell::new(LOOKS) }
    }

    fn spent(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left == 0
    }

    fn child(&self, schema: &'a Value, key: &str, depth: usize) -> Option<Found<'a>> {
        let anything = || Some(Found { schemas: vec![&ANYTHING], always: false });
        let schema = follow(self.root, schema);
        let Some(map) = schema.as_object() else {
            return if schema == &Value::Bool(false) { None } else { anything() };
        };
        if depth == 0 || self.spent() {
            return anything();
        }
        let mut found = Found { schemas: Vec::new(), always: false };
        if let Some(property) = map.get("properties").and_then(|properties| properties.get(key)) {
            let required = map.get("required").and_then(Value::as_array);
            found.always |= required.is_some_and(|names| names.iter().any(|name| name == key));
            found.schemas.push(property);
        } else if let Ok(place) = key.parse::<usize>()
            && let Some(item) = item(map, place)
        {
            let least = map.get("minItems").and_then(Value::as_u64).unwrap_or(0);
            found.always |= (place as u64) < least;
            found.schemas.push(item);
        } else if let Some(other) =
            map.get("additionalProperties").filter(|other| *other != &Value::Bool(false))
        {
            found.schemas.push(other);
        }
        for name in ["anyOf", "oneOf", "allOf"] {
            let Some(parts) = map.get(name).and_then(Value::as_array) else { continue };
            let inner: Vec<_> = parts.iter().map(|part| self.child(part, key, depth - 1)).collect();
            let sure = |part: &Option<Found<'_>>| part.as_ref().is_some_and(|part| part.always);
            found.always |= if name == "allOf" { inner.iter().any(sure) } else { inner.iter().all(sure) };
            found.schemas.extend(inner.into_iter().flatten().flat_map(|part| part.schemas));
        }
        // What is not a map or a list for sure may be without.
        let inside = Types(32 | 64);
        let own = self.types(schema, depth);
        found.always &= own.within(inside);
        if found.schemas.is_empty() {
            let closed =
                ["properties", "items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf"];
            let open = own.meets(inside) && !closed.iter().any(|name| map.contains_key(*name));
            return if open { anything() } else { None };
        }
        Some(found)
    }

    fn types(&self, schema: &Value, depth: usize) -> Types {
        let schema = follow(self.root, schema);
        let Some(map) = schema.as_object() else {
            return if schema == &Value::Bool(false) { Types(0) } else { Types::ALL };
        };
        if depth == 0 || self.spent() {
            return Types::ALL;
        }
        let union = |types: &mut dyn Iterator<Item = Types>| types.fold(Types::NONE, Types::union);
        let mut types = match map.get("type") {
            Some(Value::String(name)) => Types::named(name),
            Some(Value::Array(names)) => union(&mut names.iter().filter_map(Value::as_str).map(Types::named)),
            _ => Types::ALL,
        };
        let listed = map.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        if let Some(values) = listed.or_else(|| map.get("const").map(std::slice::from_ref)) {
            types = Types(types.0 & union(&mut values.iter().map(Types::of)).0);
        }
        for name in ["anyOf", "oneOf"] {
            if let Some(parts) = map.get(name).and_then(Value::as_array) {
                types = Types(types.0 & union(&mut parts.iter().map(|part| self.types(part, depth - 1))).0);
            }
        }
        let all = map.get("allOf").and_then(Value::as_array);
        all.into_iter().flatten().fold(types, |types, part| Types(types.0 & self.types(part, depth - 1).0))
    }
}

fn item(map: &serde_json::Map<String, Value>, place: usize) -> Option<&Value> {
    let first = map.get("prefixItems").and_then(|items| items.get(place));
    first.or_else(|| map.get("items").filter(|items| *items != &Value::Bool(false)))
}

/// The schema that a `$ref` into the same document stands for. One that leads elsewhere says nothing.
fn follow<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..REFERENCES {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return schema };
        let Some(found) = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) else {
            break;
        };
        schema = found;
    }
    &ANYTHING
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(schema: &Value, path: &str) -> Option<(String, bool)> {
        let path: Vec<String> = path.split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect();
        find(schema, &path).map(|found| (types(schema, &found.schemas).to_string(), found.always))
    }

    #[test]
    fn fields_are_found_with_their_type_and_whether_they_are_always_there() {
        let schema = json!({
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "age": {"type": ["integer", "null"]},
                "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                "place": {"$ref": "#/$defs/place"},
                "kind": {"enum": ["a", 1]},
                "free": {"type": "object"},
                "other": {"anyOf": [
                    {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
                    {"type": "object", "properties": {"x": {"type": "string"}, "y": {}}, "required": ["x"]}
                ]}
            },
            "required": ["name", "tags", "place"],
            "$defs": {"place": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}
        });
        let some = |types: &str, always| Some((types.to_owned(), always));
        assert_eq!(look(&schema, ""), some("object", true));
        assert_eq!(look(&schema, "name"), some("string", true));
        assert_eq!(look(&schema, "age"), some("null or integer", false));
        assert_eq!(look(&schema, "tags.0"), some("string", true));
        assert_eq!(look(&schema, "tags.1"), some("string", false));
        assert_eq!(look(&schema, "place.city"), some("string", true));
        assert_eq!(look(&schema, "kind"), some("integer or string", false));
        assert!(look(&schema, "free.x").is_some_and(|(_, always)| !always));
        assert_eq!(look(&schema, "other.x"), some("number or string", false));
        assert_eq!(look(&schema["properties"]["other"], "x"), some("number or string", true));
        for absent in ["nam", "name.x", "place.town", "tags.x", "other.z"] {
            assert_eq!(look(&schema, absent), None, "{absent}");
        }
    }

    #[test]
    fn what_may_be_null_has_no_certain_fields() {
        let schema = json!({"type": ["object", "null"], "properties": {"a": {}}, "required": ["a"]});
        assert!(look(&schema, "a").is_some_and(|(_, always)| !always));
        assert_eq!(look(&json!(false), "a"), None);
        assert!(look(&json!(true), "a").is_some());
        let circle = json!({"$ref": "#"});
        assert!(look(&circle, "a.b").is_some());
        let nested =
            json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"properties": {"a": {"type": "string"}}}]});
        assert!(look(&nested, "a").is_some());
    }

    #[test]
    fn sets_of_types() {
        assert!(Types::of(&json!(1.0)).within(Types::named("integer")));
        assert!(Types::named("integer").within(Types::named("number")));
        assert!(!Types::named("number").within(Types::named("integer")));
        assert!(!Types::of(&json!(1.5)).within(Types::named("integer")));
        assert_eq!(values(&json!({"enum": [1, 2]}), &[&json!({"enum": [1, 2]})]).map(|v| v.len()), Some(2));
    }
}
