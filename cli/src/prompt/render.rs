//! `pinfold prompt render`: the messages of a prompt, with what in them are values.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use pinfold::prompt::{Content, Conversation, MediaKind, Part, Text, Turn};
use pinfold::{Error, Pinned, PromptFile, Tokenizer};
use serde_json::{Value, json};

use super::given::{self, VariableArgs};
use crate::options::{Located, locate};
use crate::output::{self, Exit, Failure};
use crate::pins::PinArgs;

const HELP: &str = "\
Values stand between ⟦ and ⟧: these bytes can never become control. With --model the prompt is shown as the chat \
template of that checkpoint writes it; only its vocabulary is loaded.

Examples:
  pinfold prompt render greet.prompt -v name=Ada
  pinfold prompt render greet.prompt --input values.json --history turns.json
  pinfold prompt render greet.prompt -v name=Ada --model intent
  pinfold prompt render greet.prompt -v name=Ada --json | jq '.messages'";

#[derive(Args)]
#[command(after_help = HELP)]
pub struct RenderArgs {
    /// The prompt file
    file: PathBuf,

    #[command(flatten)]
    variables: VariableArgs,

    /// A file with the turns before: a JSON list of messages
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,

    /// A file with a JSON object of the `@` variables, e.g. {"state": {...}}
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,

    /// Show what the chat template of this checkpoint makes of it
    #[arg(long, value_name = "MODEL")]
    model: Option<OsString>,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pins: PinArgs,
}

pub fn render(args: &RenderArgs) -> Result<Exit, Failure> {
    let prompt = PromptFile::open(&args.file)?;
    let values = args.variables.values(&prompt)?;
    let history = given::history(args.history.as_deref())?;
    let context = match args.context.as_deref().map(given::json).transpose()? {
        Some(Value::Object(context)) => context,
        Some(_) => return Err(Failure::usage("--context: the file holds one JSON object")),
        None => pinfold::Values::new(),
    };
    let conversation = prompt.render_with(&values, &history, &context)?;
    let written = match &args.model {
        Some(model) => Some(written(model, &args.pins, &conversation)?),
        None => None,
    };
    if args.json {
        output::print_json(&as_json(&prompt, &conversation, written.as_ref()))?;
    } else if let Some(text) = written {
        output::print(&format!("{}\n", shown(&text)))?;
    } else {
        output::print(&for_people(&conversation))?;
    }
    Ok(Exit::Done)
}

/// What the chat template of a checkpoint writes.
fn written(model: &OsString, pins: &PinArgs, conversation: &Conversation) -> Result<Text, Failure> {
    let tokenizer = match locate(model, pins)? {
        Located::Embedded(embedded) => Tokenizer::load_bytes(embedded.name, embedded.bytes)?,
        Located::Pinned(Pinned { path, .. }) | Located::File(path) => Tokenizer::load(path)?,
    };
    match tokenizer.chat_template_source() {
        Some(source) => Ok(tokenizer.chat_template(source)?.render(conversation)?),
        None => {
            let reason = format!("{} has no chat template", model.to_string_lossy());
            Err(Error::ChatTemplate { reason }.into())
        }
    }
}

/// Messages with their roles in a column.
fn for_people(conversation: &Conversation) -> String {
    let mut text = String::new();
    for turn in &conversation.turns {
        let mut name = turn.role.name();
        for line in content(turn).lines() {
            text += format!("{name:<10} {line}").trim_end();
            text.push('\n');
            name = "";
        }
        if !name.is_empty() {
            text += &format!("{name}\n");
        }
    }
    text
}

fn content(turn: &Turn) -> String {
    let mut text = match &turn.content {
        None => String::new(),
        Some(Content::Text(text)) => shown(text),
        Some(Content::Parts(parts)) => parts.iter().map(part).collect(),
    };
    for call in &turn.tool_calls {
        text += &format!("(calls {})", shown(&call.name));
    }
    text
}

fn part(part: &Part) -> String {
    match part {
        Part::Text { text } => shown(text),
        Part::Media { kind, url, .. } => format!("({} {})", kind_name(*kind), shown(url)),
        Part::Image => "(image)".into(),
        Part::Audio => "(audio)".into(),
        Part::Video => "(video)".into(),
    }
}

fn kind_name(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
    }
}

/// Text with its values marked. What could steer a terminal, or could be taken for a mark, is escaped.
fn shown(text: &Text) -> String {
    let mut shown = String::new();
    for (piece, sealed) in text.pieces() {
        let (open, close) = if sealed { ("⟦", "⟧") } else { ("", "") };
        shown += open;
        for character in piece.chars() {
            match character {
                '\n' | '\t' => shown.push(character),
                '⟦' | '⟧' => shown.extend(character.escape_unicode()),
                _ if character.is_control() => shown.extend(character.escape_debug()),
                _ => shown.push(character),
            }
        }
        shown += close;
    }
    shown
}

fn as_json(prompt: &PromptFile, conversation: &Conversation, written: Option<&Text>) -> Value {
    let messages: Vec<Value> = conversation.turns.iter().map(message).collect();
    let config = prompt.config();
    let mut json = json!({
        "digest": prompt.digest().to_string(),
        "model": prompt.model(),
        "messages": messages,
        "config": {
            "sampling": config.sampling,
            "max_tokens": config.max_tokens,
            "stop": config.stop,
        },
        "tools": prompt.tool_names().collect::<Vec<_>>(),
        "output_schema": prompt.output_schema(),
    });
    if let Some(text) = written {
        json["prompt"] = sealed_text(text);
    }
    json
}

fn message(turn: &Turn) -> Value {
    let content: Vec<Value> = match &turn.content {
        None => Vec::new(),
        Some(Content::Text(text)) => vec![sealed_text(text)],
        Some(Content::Parts(parts)) => parts.iter().map(part_json).collect(),
    };
    let mut message = json!({ "role": turn.role, "content": content });
    if !turn.tool_calls.is_empty() {
        let names: Vec<&str> = turn.tool_calls.iter().map(|call| call.name.as_str()).collect();
        message["tool_calls"] = json!(names);
    }
    message
}

/// A text, with the ranges of its bytes that are values.
fn sealed_text(text: &Text) -> Value {
    let ranges: Vec<[usize; 2]> = text.sealed_ranges().iter().map(|range| [range.start, range.end]).collect();
    json!({ "text": text.as_str(), "sealed": ranges })
}

fn part_json(part: &Part) -> Value {
    match part {
        Part::Text { text } => sealed_text(text),
        Part::Media { kind, url, content_type } => json!({
            "media": kind_name(*kind),
            "url": url.as_str(),
            "content_type": content_type.as_ref().map(Text::as_str),
        }),
        Part::Image => json!({ "media": "image" }),
        Part::Audio => json!({ "media": "audio" }),
        Part::Video => json!({ "media": "video" }),
    }
}
