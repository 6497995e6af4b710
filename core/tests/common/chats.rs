//! The conversations and chat templates of the tests.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::{Path, PathBuf};

use pinfold::ChatTemplate;
use pinfold::prompt::{Content, Conversation, Data, Part, Text, Turn};
use serde::Deserialize;

/// A file of core/vectors/chat-templates.
pub fn vector(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/chat-templates");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[derive(Deserialize)]
struct Case {
    name: String,
    turns: Vec<Turn>,
    #[serde(default = "yes")]
    add_generation_prompt: bool,
    tools: Option<String>,
    #[serde(default)]
    documents: Vec<Data>,
    variables: Option<Data>,
}

fn yes() -> bool {
    true
}

/// The conversations by name, all of their strings sealed.
pub fn conversations() -> Vec<(String, Conversation)> {
    let cases: Vec<Case> = serde_json::from_str(&vector("conversations.json")).unwrap();
    let Data::List(tools) = Data::from_json(&vector("tools.json")).unwrap() else { panic!("no list") };
    let conversation = |case: Case| {
        let mut conversation = Conversation::new(case.turns);
        conversation.add_generation_prompt = case.add_generation_prompt;
        conversation.documents = case.documents;
        conversation.tools = match case.tools.as_deref() {
            Some("both") => tools.clone(),
            Some("one") => tools[..1].to_vec(),
            _ => Vec::new(),
        };
        conversation.variables = variables(case.variables);
        (case.name, conversation)
    };
    cases.into_iter().map(conversation).collect()
}

/// The entries of a map as variables.
pub fn variables(data: Option<Data>) -> Vec<(String, Data)> {
    match data {
        Some(Data::Map(entries)) => {
            entries.into_iter().map(|(key, value)| (key.into_string(), value)).collect()
        }
        None => Vec::new(),
        Some(other) => panic!("{other:?} is no map"),
    }
}

/// The collection, the name and the source of each template under `folder`.
pub fn templates(folder: &Path) -> Vec<(String, String, String)> {
    let files = |folder: &Path| {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    };
    let mut found = Vec::new();
    for path in files(folder).iter().filter(|path| path.is_dir()).flat_map(|folder| files(folder)) {
        let part = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let name = part(&path);
        let text = || String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let source = if name.ends_with(".json") {
            let json: serde_json::Value = serde_json::from_str(&text()).unwrap();
            json["chat_template"].as_str().filter(|source| source.contains('{')).map(str::to_owned)
        } else {
            (name.ends_with(".jinja") || name.ends_with(".jinja2")).then(text)
        };
        found.extend(source.map(|source| (part(path.parent().unwrap()), name, source)));
    }
    found
}

/// A template at 2025-07-10 12:00 UTC, the clock of the vectors.
pub fn template(source: &str) -> pinfold::Result<ChatTemplate> {
    let noon = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_752_148_800);
    Ok(ChatTemplate::new(source)?.at(noon).with_tokens("<s>", "</s>"))
}

/// Changes all strings of data that are no key.
pub fn change_data(data: &mut Data, change: &mut dyn FnMut(&Text) -> Text) {
    match data {
        Data::Text(text) => *text = change(text),
        Data::List(items) => items.iter_mut().for_each(|item| change_data(item, change)),
        Data::Map(entries) => entries.iter_mut().for_each(|(_, value)| change_data(value, change)),
        _ => {}
    }
}

/// Changes what a turn says.
pub fn change_turn(turn: &mut Turn, change: &mut dyn FnMut(&Text) -> Text) {
    match &mut turn.content {
        Some(Content::Text(text)) => *text = change(text),
        Some(Content::Parts(parts)) => {
            for part in parts {
                if let Part::Text { text } = part {
                    *text = change(text);
                }
            }
        }
        None => {}
    }
    for text in [&mut turn.reasoning, &mut turn.tool_call_id, &mut turn.name].into_iter().flatten() {
        *text = change(text);
    }
    for call in &mut turn.tool_calls {
        call.name = change(&call.name);
        if let Some(id) = &mut call.id {
            *id = change(id);
        }
        change_data(&mut call.arguments, change);
    }
}
