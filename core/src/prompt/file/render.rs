//! From values to a conversation, and to what its answer must be.

use serde_json::{Value, json};

use super::body::{self, Scope};
use super::messages::{PromptMessage, messages};
use super::source::{Fault, suggestion};
use super::{PromptFile, Values, picoschema, values};
use crate::constraint::Constraint;
use crate::error::Result;
use crate::prompt::conversation::{Conversation, Turn};
use crate::prompt::data::Data;

impl PromptFile {
    /// The output that is declared, for these values (quotes are of values): in a JSON Schema each quote has
    /// `"x-quote"` with the text of its variable.
    ///
    /// # Errors
    /// [`Error::BadVariable`].
    pub fn output(&self, values: &Values) -> Result<Option<Constraint>> {
        let values = self.check(values)?;
        if let Some((constraint, _)) = &self.front.grammar {
            return Ok(Some(constraint.clone()));
        }
        match (&self.front.output, self.front.format.as_deref()) {
            (_, Some("text")) | (None, None) => Ok(None),
            (None, Some(_)) => Ok(Some(Constraint::JsonSchema(json!({})))),
            (Some(schema), _) => {
                for (name, _) in &schema.quotes {
                    if values.get(name).and_then(Value::as_str).is_none() {
                        return Err(self.bad_variable(name, "must be a text: the output quotes it"));
                    }
                }
                let mut json = schema.json.clone();
                quote(&mut json, &values);
                Ok(Some(Constraint::JsonSchema(json)))
            }
        }
    }

    /// The conversation for these values, with the turns before.
    ///
    /// # Errors
    /// [`Error::BadVariable`] for a variable that is missing, unknown or of another type; [`Error::BadPrompt`]
    /// if the body cannot be rendered: a value would choose a role, or the limits of steps, depth or size are
    /// reached.
    pub fn render(&self, values: &Values, history: &[Turn]) -> Result<Conversation> {
        self.render_with(values, history, &Values::new())
    }

    /// The same, with a context: each of its keys is an `@` variable of the body, e.g. `@state`, `@auth`.
    ///
    /// # Errors
    /// Those of [`render`](Self::render).
    pub fn render_with(&self, values: &Values, history: &[Turn], context: &Values) -> Result<Conversation> {
        let values = self.check(values)?;
        let messages = self.rendered(&values, history, context)?;
        let mut conversation = Conversation::new(messages.into_iter().filter_map(PromptMessage::into_turn));
        for tool in &self.front.tools {
            let Some(function) = &tool.function else {
                let reason = format!("the tool {:?} is not defined: define it here, or give it", tool.name);
                return Err(Fault::new(tool.place, reason).in_file(self.path()));
            };
            conversation.tools.push(author(function));
        }
        if let Some((name, _)) = &self.front.documents {
            match values.get(name) {
                Some(Value::Array(documents)) if documents.iter().all(Value::is_object) => {
                    conversation.documents = documents.iter().map(sealed).collect();
                }
                None | Some(Value::Null) => {}
                Some(_) => return Err(self.bad_variable(name, "must be a list of maps: documents")),
            }
        }
        let variables = self.front.variables.iter();
        conversation.variables = variables.map(|(name, value)| (name.clone(), author(value))).collect();
        Ok(conversation)
    }

    /// The messages for these values: as [`render_with`](Self::render_with), with sections.
    ///
    /// # Errors
    /// Those of [`render`](Self::render).
    pub fn messages(
        &self,
        values: &Values,
        history: &[Turn],
        context: &Values,
    ) -> Result<Vec<PromptMessage>> {
        self.rendered(&self.check(values)?, history, context)
    }

    fn rendered(&self, values: &Values, history: &[Turn], context: &Values) -> Result<Vec<PromptMessage>> {
        let variables = sealed(&Value::Object(self.shown(values)?));
        let context: Vec<(String, Data)> =
            context.iter().map(|(name, value)| (name.clone(), sealed(value))).collect();
        let metadata = Data::map([("prompt", author(&Value::Object(self.front.raw.clone())))]);
        let given = context.iter().map(|(name, data)| (name.clone(), data, true));
        let declared = |name: &str| match &self.front.input {
            Some(schema) => schema.declares(name),
            None => false,
        };
        let scope = Scope {
            variables: &variables,
            context: given.chain([("metadata".to_owned(), &metadata, false)]).collect(),
            declared: &declared,
        };
        let events = body::evaluate(&self.program, &self.partials, &scope)?;
        Ok(messages(events, history))
    }

    /// The values with defaults, if they are what the prompt declares.
    fn check(&self, values: &Values) -> Result<Values> {
        let mut all = self.front.defaults.clone();
        all.extend(values.clone());
        match &self.front.input {
            Some(schema) => match values::first_wrong(schema, &all, false) {
                None => Ok(all),
                Some(wrong) => Err(self.bad_variable(&wrong.name, wrong.reason)),
            },
            None => match all.keys().find(|name| !self.used.contains(name.as_str())) {
                Some(name) if !self.uses_all => {
                    let meant = suggestion(name, self.used.iter().map(String::as_str));
                    let meant = meant.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
                    Err(self.bad_variable(name, format!("is not used by the prompt{meant}")))
                }
                _ => Ok(all),
            },
        }
    }
}

/// Puts the text of its variable to each quote.
fn quote(schema: &mut Value, values: &Values) {
    let Value::Object(schema) = schema else { return };
    if let Some(Value::String(name)) = schema.shift_remove(picoschema::QUOTE_OF) {
        let text = values.get(&name).cloned().unwrap_or_default();
        schema.insert("x-quote".into(), text);
    }
    for inner in picoschema::subschemas(schema) {
        quote(inner, values);
    }
}

/// What a caller gave.
fn sealed(value: &Value) -> Data {
    Data::of_json(value, true)
}

/// What the author wrote.
fn author(value: &Value) -> Data {
    Data::of_json(value, false)
}
