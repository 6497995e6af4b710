//! Chains over a backend that plays a script.

mod checks;
mod running;
mod states;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::backend::{Backend, Reply, Request};
use crate::prompt::{Content, PromptParts, Role, Text};
use crate::runtime::FinishReason;

/// What the prompts of the tests are.
const PROMPTS: &[(&str, &str)] = &[
    (
        "intent.prompt",
        "---\ninput:\n  schema:\n    request: string\n    hint?: string\noutput:\n  schema:\n    intent(enum): \
         [Play, Book]\n    artist?: string\n    rooms?(array): string\n---\n{{request}}{{hint}}\n",
    ),
    ("answer.prompt", "---\ninput:\n  schema:\n    artist: string\n---\nPlay {{artist}}.\n"),
    ("room.prompt", "---\ninput:\n  schema:\n    room: string\n---\nGo to {{room}}.\n"),
    (
        "ask.prompt",
        "---\ninput:\n  schema:\n    text: string\noutput:\n  schema:\n    sure: boolean\n---\nReally {{text}}?\n",
    ),
    ("count.prompt", "---\ninput:\n  schema:\n    n: integer\n---\n{{n}}\n"),
    ("free.prompt", "Say {{a}} and {{b}}."),
    ("choice.prompt", "---\npinfold.output:\n  choice: [yes, no]\n---\nWell?\n"),
];

fn prompt(name: &str) -> Result<PromptFile> {
    let found = PROMPTS.iter().find(|(known, _)| *known == name);
    let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
    let (_, text) = found.ok_or_else(missing).map_err(Error::io(name))?;
    PromptFile::from_text(name, text, &PromptParts::default())
}

fn parse(text: &str) -> Result<Chain> {
    Chain::parse("a.chain.yaml", text.as_bytes(), &mut prompt)
}

fn chain(text: &str) -> Chain {
    parse(text).unwrap()
}

fn values(value: Value) -> Values {
    value.as_object().unwrap().clone()
}

/// Answers with what the script says, and keeps what it was asked.
#[derive(Default)]
struct Script {
    replies: Mutex<VecDeque<Result<Value>>>,
    asked: Mutex<Vec<Request>>,
    cancels: bool,
}

impl Script {
    fn new(replies: impl IntoIterator<Item = Value>) -> Arc<Self> {
        let replies = Mutex::new(replies.into_iter().map(Ok).collect());
        Arc::new(Self { replies, ..Self::default() })
    }

    fn fail(&self, error: Error) {
        self.replies.lock().unwrap().push_back(Err(error));
    }

    fn say(&self, reply: Value) {
        self.replies.lock().unwrap().push_back(Ok(reply));
    }

    /// The texts that it was asked, with what is sealed between brackets.
    fn asked(&self) -> Vec<String> {
        let text = |request: &Request| {
            let texts = request.conversation.turns.iter().map(|turn| match &turn.content {
                Some(Content::Text(text)) => marked(text),
                other => panic!("{other:?}"),
            });
            texts.collect::<Vec<_>>().join("|")
        };
        self.asked.lock().unwrap().iter().map(text).collect()
    }
}

fn marked(text: &Text) -> String {
    text.pieces()
        .map(|(piece, sealed)| if sealed { format!("[{piece}]") } else { piece.to_owned() })
        .collect()
}

impl Backend for Script {
    fn name(&self) -> String {
        "script".to_owned()
    }

    fn reply(&self, request: &Request, show: &mut dyn FnMut(&str)) -> Result<Reply> {
        request.cancel.check()?;
        self.asked.lock().unwrap().push(request.clone());
        if self.cancels {
            request.cancel.cancel();
        }
        let value = self.replies.lock().unwrap().pop_front().expect("the script has a reply")?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        show(&text);
        Ok(Reply {
            text,
            value: request.output.as_ref().map(|_| value),
            tool_calls: Vec::new(),
            finish: FinishReason::EndOfGeneration,
            prompt_tokens: Some(10),
            cached_tokens: Some(4),
            generated_tokens: Some(3),
            neutralized: Some(1),
            seconds: 0.0,
        })
    }
}

fn backends(script: &Arc<Script>) -> NamedBackends {
    NamedBackends::new().with_default(script.clone())
}

fn advance(run: &mut ChainRun, script: &Arc<Script>) -> Result<Outcome> {
    run.advance(&backends(script), &mut ChainWatch::default())
}

/// The output of a chain whose steps get these replies.
fn run(text: &str, inputs: Value, replies: impl IntoIterator<Item = Value>) -> (Value, Vec<String>) {
    let script = Script::new(replies);
    let mut run = chain(text).start(values(inputs)).unwrap();
    let Outcome::Done(output) = advance(&mut run, &script).unwrap() else { panic!("it waits") };
    assert!(script.replies.lock().unwrap().is_empty(), "replies are left");
    (output, script.asked())
}
