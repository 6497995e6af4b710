//! The tools of a prompt file: names, or definitions in place.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::picoschema::Schema;
use super::source::{Parsed, Place};
use super::yaml::Node;

/// A tool that the model may call.
#[derive(Debug, Clone)]
pub(super) struct Tool {
    pub name: String,
    pub place: Place,
    /// As OpenAI's chat completions have it; none if only the name is there.
    pub function: Option<Value>,
}

pub(super) fn read(node: &Node, schemas: &BTreeMap<String, Value>) -> Parsed<Vec<Tool>> {
    let mut tools: Vec<Tool> = Vec::new();
    for item in node.items("`tools`")? {
        let tool = match item.text() {
            Some(name) => Tool { name: name.to_owned(), place: item.place, function: None },
            None => definition(item, schemas)?,
        };
        let fits = |character: char| character.is_ascii_alphanumeric() || "_-./".contains(character);
        if tool.name.is_empty() || tool.name.len() > 64 || !tool.name.chars().all(fits) {
            return Err(item.fault("a tool is named by 1 to 64 ASCII letters, digits, `_`, `-`, `.` or `/`"));
        }
        if tools.iter().any(|other| other.name == tool.name) {
            return Err(item.fault(format!("the tool {:?} is there twice", tool.name)));
        }
        tools.push(tool);
    }
    Ok(tools)
}

fn definition(node: &Node, schemas: &BTreeMap<String, Value>) -> Parsed<Tool> {
    const KEYS: [&str; 4] = ["description", "input", "name", "parameters"];
    let entries = node.known_entries("a tool", &KEYS)?;
    let mut function = Map::new();
    let mut name = None;
    for entry in entries {
        match entry.key.as_str() {
            "name" => name = Some(entry.node.require_text("`name`")?),
            "description" => {
                let text = entry.node.require_text("`description`")?;
                function.insert("description".into(), text.into());
            }
            "input" => {
                for entry in entry.node.known_entries("`input`", &["schema"])? {
                    function.insert("parameters".into(), Schema::read(&entry.node, schemas)?.json);
                }
            }
            _ => {
                function.insert("parameters".into(), Schema::read(&entry.node, schemas)?.json);
            }
        }
    }
    let Some(name) = name else { return Err(node.fault("a tool needs a `name`")) };
    let mut named = json!({"name": name});
    if let Value::Object(named) = &mut named {
        named.extend(function);
        named.entry("parameters").or_insert_with(|| json!({"type": "object", "properties": {}}));
    }
    let function = Some(json!({"type": "function", "function": named}));
    Ok(Tool { name: name.to_owned(), place: node.place, function })
}
