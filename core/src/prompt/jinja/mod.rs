//! Jinja, as Hugging Face's transformers evaluates chat templates: Jinja2 in its immutable sandbox, with
//! Python's types and methods. minijinja parses; the evaluator is our own, since every string must know
//! which of its bytes a value gave ([`Text`]) whatever a template does to it.
//!
//! Nothing here is trusted. What a template computes is paid for from a budget (`evaluator.rs`), how deep it
//! and its values are nested is bounded, and no failure quotes a value.

mod cases;
mod collections;
mod evaluator;
mod expressions;
mod filters;
mod format;
mod functions;
mod items;
mod json;
mod lines;
mod numbers;
mod operators;
mod predicates;
mod print;
mod scope;
mod source;
mod statements;
mod strings;
mod translate;
mod tree;
mod value;

use std::time::SystemTime;

use minijinja::machinery;
use minijinja::syntax::SyntaxConfig;

use super::data::Data;
use super::text::Text;
use evaluator::Evaluator;
use tree::Tree;
use value::Value;

/// A template that was parsed.
#[derive(Debug)]
pub(super) struct Template {
    tree: Tree,
}

impl Template {
    /// Parses a template. The error says why it is none, and where.
    pub fn new(source: &str) -> Result<Self, String> {
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        let syntax = syntax.map_err(|error| error.to_string())?;
        let source = source::prepare(source);
        source::check(&source, &syntax)?;
        let parsed = machinery::parse(&source, "", syntax).map_err(|error| {
            let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            format!("line {}: syntax error: {detail}", error.line().unwrap_or(0))
        })?;
        Ok(Self { tree: translate::translate(&parsed)? })
    }

    /// Renders with `variable`s, which give the data of a name where there is one. The error says why not,
    /// and where.
    pub fn render(&self, now: SystemTime, variable: impl Fn(&str) -> Option<Data>) -> Result<Text, String> {
        let value = |name: &str| variable(name).map(Value::from_data).transpose();
        let mut evaluator = match Evaluator::new(&self.tree, now, value) {
            Ok(evaluator) => evaluator,
            Err(failure) => return Err(failure.reason().to_owned()),
        };
        let rendered = evaluator.run();
        rendered.map_err(|failure| format!("line {}: {}", evaluator.line, failure.reason()))
    }
}
