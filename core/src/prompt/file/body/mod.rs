//! The body of a prompt file: [Handlebars](https://handlebarsjs.com/guide/) with the helpers of Dotprompt,
//! evaluated so that every byte keeps its origin.
//!
//! Parsed here, not by the crate `handlebars`: that one knows neither `{{.}}`, `{{../}}` nor `{{^name}}`, reads
//! the whole file again for each tag, and its renderer can neither tell the origin of a byte nor be stopped.

mod eval;
mod lex;
mod output;
mod parse;
mod seen;
pub(super) mod tree;
mod words;

pub(super) use eval::{Scope, evaluate};
pub(super) use output::Event;

use std::collections::BTreeMap;

use super::source::{Parsed, Source};
use crate::prompt::conversation::Role;
use crate::prompt::data::Data;
use tree::Template;

/// A file with the tree of its template.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub source: Source,
    pub template: Template,
}

impl Program {
    /// The program of the bytes in `body` of a file.
    pub fn new(source: Source, body: std::ops::Range<usize>) -> Parsed<Self> {
        let template = parse::parse(&source, body.start, body.end)?;
        Ok(Self { source, template })
    }
}

/// The role of a name, as Dotprompt and chat templates have it.
pub(super) fn role(name: &str) -> Option<Role> {
    match name {
        "system" => Some(Role::System),
        "user" => Some(Role::User),
        "model" | "assistant" => Some(Role::Assistant),
        "tool" => Some(Role::Tool),
        _ => None,
    }
}

pub(super) fn unknown_role(name: &str) -> String {
    super::source::unknown("role", name, &["system", "user", "model", "tool"])
}

/// Strict equality: 1 equals 1.0, as there is one kind of numbers, and never "1".
fn equal(first: &Data, second: &Data) -> bool {
    match (first, second) {
        (Data::Int(int), Data::Float(float)) | (Data::Float(float), Data::Int(int)) => *int as f64 == *float,
        (Data::Text(first), Data::Text(second)) => first.as_str() == second.as_str(),
        (Data::List(first), Data::List(second)) => {
            first.len() == second.len()
                && first.iter().zip(second).all(|(first, second)| equal(first, second))
        }
        (Data::Map(first), Data::Map(second)) => {
            first.len() == second.len()
                && first.iter().zip(second).all(|((first_key, first), (second_key, second))| {
                    first_key.as_str() == second_key.as_str() && equal(first, second)
                })
        }
        _ => first == second,
    }
}

/// The kind of a value, for messages.
fn kind(data: &Data) -> &'static str {
    match data {
        Data::Null => "null",
        Data::Bool(_) => "true or false",
        Data::Int(_) | Data::Float(_) => "a number",
        Data::Text(_) => "a text",
        Data::List(_) => "a list",
        Data::Map(_) => "a map",
    }
}

/// The partials that a template includes, each once, with a byte at which it does.
pub(super) fn partials(template: &Template) -> BTreeMap<&str, usize> {
    fn collect<'a>(template: &'a Template, found: &mut BTreeMap<&'a str, usize>) {
        for node in template {
            match node {
                tree::Node::Partial(partial) => {
                    found.entry(&partial.name).or_insert(partial.at);
                }
                tree::Node::Block(block) => {
                    collect(&block.body, found);
                    collect(&block.inverse, found);
                }
                _ => {}
            }
        }
    }
    let mut found = BTreeMap::new();
    collect(template, &mut found);
    found
}
