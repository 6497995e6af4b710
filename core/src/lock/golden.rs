//! The section `[goldens]`.

use std::collections::{BTreeMap, HashSet};

use super::fault::{Fault, Parsed};
use super::field::{Field, Fields, listed};
use super::node::{self, Node};
use super::parse::{Entry, check_known};
use super::{Expected, Golden, GoldenInput, Lock, Recorded};
use crate::prompt::{Message, Role};
use crate::sampler::Sampling;

const ROLES: [(&str, Role); 4] =
    [("system", Role::System), ("user", Role::User), ("assistant", Role::Assistant), ("tool", Role::Tool)];

const FINISHES: [&str; 3] = ["end_of_generation", "stop", "length"];

impl Entry for Golden {
    const SECTION: &str = "goldens";
    const WHAT: &str = "golden";
    const KEYS: &[&str] = &[
        "checkpoint",
        "input",
        "messages",
        "preset",
        "sampling",
        "max_tokens",
        "stop",
        "tokens",
        "text",
        "logprobs",
        "prompt_sha256",
        "finish",
        "recorded",
    ];

    fn read(fields: Fields<'_>) -> Parsed<Self> {
        let sampling =
            fields.get("sampling").map(|field| Sampling::read(field.table()?.only(Sampling::KEYS)?));
        let max_tokens = fields.require("max_tokens")?.u32(1)?;
        Ok(Self {
            checkpoint: fields.require("checkpoint")?.text()?,
            input: read_input(fields)?,
            sampling: sampling.transpose()?.unwrap_or_default(),
            preset: fields.get("preset").map(|field| field.text()).transpose()?,
            max_tokens,
            stop: read_stop(fields)?,
            expected: read_expected(fields, max_tokens)?,
            recorded: read_recorded(fields)?,
        })
    }

    fn write(&self) -> node::Pairs {
        let mut fields = vec![("checkpoint".to_owned(), Node::text(&self.checkpoint))];
        let mut push = |key: &str, node| fields.push((key.to_owned(), node));
        match &self.input {
            GoldenInput::Text(text) => push("input", Node::text(text)),
            GoldenInput::Messages(messages) => {
                push("messages", Node::Column(messages.iter().map(write_message).collect()))
            }
        }
        if let Some(preset) = &self.preset {
            push("preset", Node::text(preset));
        }
        let sampling = self.sampling.write();
        if !sampling.is_empty() {
            push("sampling", Node::Table(sampling));
        }
        push("max_tokens", Node::integer(self.max_tokens.into()));
        if !self.stop.is_empty() {
            push("stop", Node::Row(self.stop.iter().map(Node::text).collect()));
        }
        let expected = &self.expected;
        push("tokens", Node::Row(expected.tokens.iter().map(|&token| Node::integer(token.into())).collect()));
        push("text", Node::text(&expected.text));
        push("logprobs", Node::Row(expected.logprobs.iter().map(|&logprob| Node::float(logprob)).collect()));
        push("prompt_sha256", Node::digest(expected.prompt_sha256));
        push("finish", Node::text(&expected.finish));
        let recorded = [
            ("runtime", &self.recorded.runtime),
            ("backend", &self.recorded.backend),
            ("llama_cpp", &self.recorded.llama_cpp),
        ];
        push("recorded", Node::Table(recorded.map(|(key, text)| (key.to_owned(), Node::text(text))).into()));
        fields
    }

    fn check(&self, _name: &str, _at: usize, fields: Fields<'_>, lock: &Lock) -> Parsed<()> {
        check_known(fields.require("checkpoint")?, &self.checkpoint, &lock.checkpoints)?;
        if let Some(preset) = &self.preset {
            check_known(fields.require("preset")?, preset, &lock.sampling)?;
        }
        Ok(())
    }

    fn of(lock: &Lock) -> &BTreeMap<String, Self> {
        &lock.goldens
    }

    fn of_mut(lock: &mut Lock) -> &mut BTreeMap<String, Self> {
        &mut lock.goldens
    }
}

fn read_input(fields: Fields<'_>) -> Parsed<GoldenInput> {
    match (fields.get("input"), fields.get("messages")) {
        (Some(input), None) => Ok(GoldenInput::Text(input.text()?)),
        (None, Some(messages)) => {
            let list: Vec<Message> = messages.list()?.into_iter().map(read_message).collect::<Parsed<_>>()?;
            if list.is_empty() { Err(messages.fault("is empty")) } else { Ok(GoldenInput::Messages(list)) }
        }
        (Some(_), Some(messages)) => Err(messages.fault("stands beside `input`: keep one of the two")),
        (None, None) => Err(Fault::new(fields.at(), "the key `input` is missing here, or else `messages`")),
    }
}

fn read_message(field: Field<'_>) -> Parsed<Message> {
    let fields = field.table()?.only(&["role", "content"])?;
    let role = fields.require("role")?;
    let name = role.text()?;
    let Some(&(_, known)) = ROLES.iter().find(|(known, _)| *known == name) else {
        return Err(role.fault(format!("must be one of {}", listed(&ROLES.map(|(name, _)| name)))));
    };
    Ok(Message::new(known, fields.require("content")?.text()?))
}

fn write_message(message: &Message) -> Node {
    let role = ROLES.iter().find(|(_, role)| *role == message.role).map_or("", |(name, _)| name);
    Node::Table(vec![("role".into(), Node::text(role)), ("content".into(), Node::text(&message.content))])
}

fn read_stop(fields: Fields<'_>) -> Parsed<Vec<String>> {
    let Some(field) = fields.get("stop") else { return Ok(Vec::new()) };
    let mut seen = HashSet::new();
    let mut stop = Vec::new();
    for element in field.list()? {
        let text = element.text()?;
        if text.is_empty() {
            return Err(element.fault("has an empty text, which would never stop anything"));
        }
        if !seen.insert(text.clone()) {
            return Err(element.fault("has the same text twice: keep one"));
        }
        stop.push(text);
    }
    Ok(stop)
}

fn read_expected(fields: Fields<'_>, max_tokens: u32) -> Parsed<Expected> {
    let list = fields.require("tokens")?;
    let tokens = list.list()?.into_iter().map(|field| field.u32(0)).collect::<Parsed<Vec<u32>>>()?;
    if tokens.len() > max_tokens as usize {
        return Err(list.fault(format!("has {} tokens, more than `max_tokens`, {max_tokens}", tokens.len())));
    }
    let list = fields.require("logprobs")?;
    let logprobs = list.list()?.into_iter().map(read_logprob).collect::<Parsed<Vec<f32>>>()?;
    if logprobs.len() != tokens.len() {
        let reason =
            format!("has {} numbers for {} tokens: one for each is right", logprobs.len(), tokens.len());
        return Err(list.fault(reason));
    }
    let finish = fields.require("finish")?;
    let reason = finish.text()?;
    if !FINISHES.contains(&reason.as_str()) {
        return Err(finish.fault(format!("must be one of {}", listed(&FINISHES))));
    }
    Ok(Expected {
        prompt_sha256: fields.require("prompt_sha256")?.digest()?,
        tokens,
        text: fields.require("text")?.text()?,
        logprobs,
        finish: reason,
    })
}

fn read_logprob(field: Field<'_>) -> Parsed<f32> {
    let logprob = field.number()?;
    if logprob.is_finite() && logprob <= 0.0 {
        return Ok(logprob);
    }
    Err(field.fault(format!("has {logprob}, but the logarithm of a probability is finite and at most 0")))
}

fn read_recorded(fields: Fields<'_>) -> Parsed<Recorded> {
    let fields = fields.require("recorded")?.table()?.only(&["runtime", "backend", "llama_cpp"])?;
    Ok(Recorded {
        runtime: fields.require("runtime")?.text()?,
        backend: fields.require("backend")?.text()?,
        llama_cpp: fields.require("llama_cpp")?.text()?,
    })
}
