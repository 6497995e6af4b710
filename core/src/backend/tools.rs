//! The tools that a conversation declares, and whether a call is one of them.

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::prompt::{Data, Role, Text, ToolCall, Turn};

/// A declaration of a tool, as chat templates and servers want it: `parameters` is the JSON schema of the map
/// that it is called with. All of it is the author's.
///
/// # Errors
/// [`Error::InvalidOption`] for a name that is not of 1 to 64 letters, digits, `_`, `-`, `.` or `/` (servers take
/// no dots and slashes), or a schema that is none.
pub fn tool(name: &str, description: &str, parameters: &Value) -> Result<Data> {
    let function = serde_json::json!({ "name": name, "description": description, "parameters": parameters });
    let tool = Data::of_json(&serde_json::json!({ "type": "function", "function": function }), false);
    Tools::new(std::slice::from_ref(&tool))?;
    Ok(tool)
}

/// The result of a call as a turn. What the tool gave is sealed.
pub fn tool_result(call: &ToolCall, result: impl Into<String>) -> Turn {
    let mut turn = Turn::new(Role::Tool, Text::sealed(result));
    turn.tool_call_id = call.id.clone();
    turn.name = Some(call.name.clone());
    turn
}

/// The declared tools.
pub(super) struct Tools(Vec<Tool>);

/// One of them.
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) parameters: Value,
    validator: Validator,
}

impl Tools {
    /// Reads the declarations.
    ///
    /// # Errors
    /// [`Error::InvalidOption`].
    pub(super) fn new(declared: &[Data]) -> Result<Self> {
        let bad = |number: usize, what: &str| Error::option("tools", format!("tool {}: {what}", number + 1));
        let mut tools: Vec<Tool> = Vec::with_capacity(declared.len());
        for (number, data) in declared.iter().enumerate() {
            let declaration = data.to_json();
            let function = declaration.get("function").unwrap_or(&declaration);
            let name = function.get("name").and_then(Value::as_str);
            let name = name.ok_or_else(|| bad(number, "it has no name"))?.to_owned();
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
            if !(1..=64).contains(&name.len()) || !name.bytes().all(fits) {
                return Err(bad(number, "a name has 1 to 64 letters, digits, `_`, `-`, `.` or `/`"));
            }
            if tools.iter().any(|other| other.name == name) {
                return Err(bad(number, "another one has the same name"));
            }
            let any = || serde_json::json!({ "type": "object" });
            let parameters = match function.get("parameters") {
                None | Some(Value::Null) => any(),
                Some(schema) => schema.clone(),
            };
            let validator = jsonschema::validator_for(&parameters)
                .map_err(|_| bad(number, "its parameters are no JSON schema"))?;
            tools.push(Tool { name, parameters, validator });
        }
        Ok(Self(tools))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Tool> {
        self.0.iter().find(|tool| tool.name == name)
    }

    /// A call that a model made, checked: a map of arguments, or JSON of one.
    ///
    /// # Errors
    /// What is wrong with it, without its words.
    pub(super) fn call(&self, id: Option<String>, name: &str, arguments: Value) -> Result<ToolCall, String> {
        let Some(tool) = self.get(name) else {
            return Err("it calls a tool that is not declared".to_owned());
        };
        let name = &tool.name;
        let arguments = match arguments {
            Value::String(json) if json.trim().is_empty() => Value::Object(Map::new()),
            Value::String(json) => serde_json::from_str(&json)
                .map_err(|_| format!("the arguments of the call of {name:?} are not JSON"))?,
            Value::Null => Value::Object(Map::new()),
            arguments => arguments,
        };
        if !arguments.is_object() {
            return Err(format!("the arguments of the call of {name:?} are no map"));
        }
        if let Err(error) = tool.validator.validate(&arguments) {
            // The place in the schema is the author's; one in the arguments could be the model's.
            let place = error.schema_path();
            return Err(format!("the arguments of the call of {name:?} break its schema at \"{place}\""));
        }
        Ok(ToolCall {
            id: id.map(Text::sealed),
            name: Text::author(name.as_str()),
            arguments: Data::of_json(&arguments, true),
        })
    }
}

/// Whether a name of a tool or of a speaker is one that every server takes, and no text.
pub(super) fn is_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(good)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn weather() -> Tools {
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"], "additionalProperties": false});
        Tools::new(&[tool("weather", "Of a city", &schema).unwrap()]).unwrap()
    }

    #[test]
    fn calls_are_checked_and_sealed() {
        let tools = weather();
        let call = tools.call(Some("1".into()), "weather", json!({"city": "Paris"})).unwrap();
        assert_eq!(call.arguments, Data::Map(vec![(Text::sealed("city"), Data::sealed("Paris"))]));
        assert_eq!((call.name, call.id), (Text::author("weather"), Some(Text::sealed("1"))));
        let text = tools.call(None, "weather", json!("{\"city\": \"Rome\", \"days\": 2}")).unwrap();
        assert_eq!(text.arguments.to_json(), json!({"city": "Rome", "days": 2}));
        for (name, arguments, reason) in [
            ("wether", json!({}), "it calls a tool that is not declared"),
            (
                "weather",
                json!(null),
                "the arguments of the call of \"weather\" break its schema at \"/required\"",
            ),
            ("weather", json!("{"), "the arguments of the call of \"weather\" are not JSON"),
            ("weather", json!([1]), "the arguments of the call of \"weather\" are no map"),
            (
                "weather",
                json!({"city": 7}),
                "the arguments of the call of \"weather\" break its schema at \"/properties/city/type\"",
            ),
        ] {
            assert_eq!(tools.call(None, name, arguments).unwrap_err(), reason);
        }
    }

    #[test]
    fn declarations_that_are_none_are_refused() {
        let bad = |data: Data| Tools::new(&[data]).map(|_| ()).unwrap_err().to_string();
        assert_eq!(bad(Data::Null), "tools: tool 1: it has no name");
        assert!(tool("a b", "", &json!({})).is_err());
        assert!(tool("a", "", &json!({"type": "text"})).is_err());
        let twice = tool("a", "", &json!({})).unwrap();
        assert!(Tools::new(&[twice.clone(), twice]).is_err());
        let bare = Data::of_json(&json!({"name": "a"}), false);
        assert!(Tools::new(&[bare]).unwrap().call(None, "a", json!("")).is_ok());
    }
}
