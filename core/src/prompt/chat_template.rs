//! Chat templates: the Jinja text in a checkpoint that turns a conversation into a prompt.

use std::io;
use std::time::SystemTime;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{Environment, ErrorKind, context};
use minijinja_contrib::pycompat::unknown_method_callback;
use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, PrettyFormatter};

use super::clock::strftime;
use crate::error::{Error, Result};

/// How much a template may compute: about a step for each unit, and for each 64 bytes that it makes.
/// Enough for thousands of messages, and over in a fraction of a second.
const FUEL: u64 = 2_000_000;

/// The most bytes that a template may write.
const OUTPUT_LIMIT: usize = 10 << 20;

/// The most bytes that a template itself may have. Real ones stay below 100 KB.
const SOURCE_LIMIT: usize = 1 << 20;

/// Who says a [`Message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The author of the app: instructions that hold for the whole conversation.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// A tool that the model called: its result.
    Tool,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// The text.
    pub content: String,
}

impl Message {
    /// A message of `role`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// A chat template, ready to render; checked as far as that is possible without messages.
///
/// It renders as `apply_chat_template` of Hugging Face's transformers does: Python's methods on strings,
/// lists and dictionaries, `raise_exception`, `strftime_now`, `tojson`, `{% break %}`, and no HTML escapes.
/// `{% generation %}`, which marks what to train on, is read and ignored. A template comes with a checkpoint
/// and is not to be trusted: it reads nothing but its arguments, and its work and output are bounded.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    now: Option<SystemTime>,
}

/// The name of the only template of an environment.
const NAME: &str = "chat_template";

impl ChatTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// [`Error::ChatTemplate`] if it is not Jinja, or longer than 1 MiB.
    pub fn new(source: &str) -> Result<Self> {
        if source.len() > SOURCE_LIMIT {
            return Err(failed(format!("it has {} bytes, but may have {SOURCE_LIMIT}", source.len())));
        }
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| failed(error.to_string()))?);
        environment.set_fuel(Some(FUEL));
        environment.set_unknown_method_callback(unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment.add_filter("tojson", tojson);
        let added = environment.add_template_owned(NAME, without_generation_tags(source));
        added.map_err(|error| failed(error.to_string()))?;
        Ok(Self { environment, now: None })
    }

    /// Makes the template see the time `now` instead of the clock's, for the same prompt every time.
    pub fn at(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }

    /// The prompt for `messages`. With `add_generation_prompt` it ends with the beginning of an assistant's
    /// turn. `bos` and `eos` are the spellings of the tokens that begin and end a sequence, or empty.
    ///
    /// # Errors
    /// [`Error::ChatTemplate`] if the template refuses the messages (`raise_exception`), does something
    /// that is not defined, writes more than 10 MiB or does not end. The reason never quotes a message.
    pub fn render(
        &self,
        messages: &[Message],
        add_generation_prompt: bool,
        bos: &str,
        eos: &str,
    ) -> Result<String> {
        let variables = context! {
            messages => Value::from(Serde(messages)),
            add_generation_prompt,
            bos_token => bos,
            eos_token => eos,
        };
        self.render_variables(variables)
    }

    /// Renders with `variables` over those that every template has.
    fn render_variables(&self, variables: Value) -> Result<String> {
        let now = self.now.unwrap_or_else(SystemTime::now);
        let defaults = context! {
            tools => (),
            documents => (),
            strftime_now => Value::from_function(move |format: &str| {
                let unknown = || invalid("strftime_now: this format or time is not supported");
                strftime(now, format).ok_or_else(unknown)
            }),
        };
        // The first one that has a variable counts.
        let variables = context! { ..variables, ..defaults };
        let template = self.environment.get_template(NAME).map_err(|error| failed(error.to_string()))?;
        let mut output = Output::default();
        match template.render_captured_to(variables, &mut output) {
            Ok(_) => String::from_utf8(output.bytes).map_err(|error| failed(error.to_string())),
            Err(_) if output.full => Err(failed(format!("it writes more than {OUTPUT_LIMIT} bytes"))),
            Err(error) if error.kind() == ErrorKind::OutOfFuel => Err(failed("it does not come to an end")),
            Err(error) => {
                // A detail may quote a message, unless it is written in the template.
                let detail = error.detail().filter(|detail| template.source().contains(detail));
                let reason = detail.map_or_else(|| error.kind().to_string(), str::to_owned);
                Err(failed(format!("line {}: {reason}", error.line().unwrap_or(0))))
            }
        }
    }
}

/// What a template wrote, up to [`OUTPUT_LIMIT`].
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    full: bool,
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > OUTPUT_LIMIT - self.bytes.len() {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failed(reason: impl Into<String>) -> Error {
    Error::ChatTemplate { reason: reason.into() }
}

fn invalid(detail: impl Into<String>) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, detail.into())
}

fn raise_exception(message: &str) -> Result<String, minijinja::Error> {
    Err(invalid(message))
}

/// JSON as Python's `json.dumps(value, ensure_ascii=False)` writes it. The other arguments that
/// transformers takes are read; `ensure_ascii` and `sort_keys` must keep their defaults.
fn tojson(value: &Value, arguments: Kwargs) -> Result<Value, minijinja::Error> {
    let indent: Option<usize> = arguments.get("indent")?;
    let separators: Option<(String, String)> = match arguments.get::<Option<Value>>("separators")? {
        Some(pair) if pair.len() == Some(2) => {
            Some((pair.get_item_by_index(0)?.to_string(), pair.get_item_by_index(1)?.to_string()))
        }
        Some(_) => return Err(invalid("tojson: separators must be a pair")),
        None => None,
    };
    for name in ["ensure_ascii", "sort_keys"] {
        if arguments.get::<Option<bool>>(name)?.unwrap_or(false) {
            return Err(invalid(format!("tojson: {name} is not supported")));
        }
    }
    arguments.assert_all_used()?;

    let json = match indent {
        Some(indent) => {
            let indent = " ".repeat(indent.min(16));
            serialize(value, PrettyFormatter::with_indent(indent.as_bytes()))?
        }
        None => {
            let (item, key) = separators.unwrap_or_else(|| (", ".to_owned(), ": ".to_owned()));
            serialize(value, Separators { item, key })?
        }
    };
    Ok(Value::from_safe_string(json))
}

fn serialize(value: &Value, formatter: impl Formatter) -> Result<String, minijinja::Error> {
    let mut json = Vec::new();
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, formatter));
    written.map_err(|_| invalid("tojson: not a value that JSON has"))?;
    String::from_utf8(json).map_err(|_| invalid("tojson: not a value that JSON has"))
}

/// Writes JSON on one line.
struct Separators {
    /// Between the items of a list or a dictionary.
    item: String,
    /// Between a key and its value.
    key: String,
}

impl Formatter for Separators {
    fn begin_array_value<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(self.item.as_bytes()) }
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(writer, first)
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(self.key.as_bytes())
    }
}

/// `{% generation %}` and `{% endgeneration %}`, which minijinja does not know, become a block that does
/// nothing; so the white space around them is treated as ever.
fn without_generation_tags(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start + 2);
        text.push_str(before);
        rest = tag;
        let name = tag.trim_start_matches(['-', '+']).trim_start();
        for (old, new) in [("generation", "if true"), ("endgeneration", "endif")] {
            if let Some(end) = name.strip_prefix(old)
                && end.trim_start().trim_start_matches(['-', '+']).starts_with("%}")
            {
                text.push_str(&tag[..tag.len() - name.len()]);
                text.push_str(new);
                rest = end;
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
#[path = "chat_template_tests.rs"]
mod tests;
