//! Evaluates a template. A value goes into the output as a [`Text`] that is sealed, and marks (roles, history,
//! media, sections) go there as themselves: nothing is read again from text, so that no value can be taken for
//! what an author wrote.

use std::collections::BTreeMap;

use super::Program;
use super::output::{Event, MAX_BYTES, Output, TooLong};
use super::seen::Seen;
use super::tree::{Block, Call, Expression, Head, Helper, Node, Partial, Path};
use crate::error::{Error, Result};
use crate::prompt::conversation::Role;
use crate::prompt::data::Data;
use crate::prompt::file::source::Source;
use crate::prompt::text::Text;

/// Steps of an evaluation: nodes that are written, and entries that are looked at to find a name.
const MAX_STEPS: usize = 500_000;
/// How deep blocks and partials may be nested while they are written.
const MAX_DEPTH: usize = 96;

/// What a template is evaluated with.
pub(crate) struct Scope<'a> {
    /// The variables: a map. All of it is sealed.
    pub variables: &'a Data,
    /// What `@name` means, each with whether it is sealed.
    pub context: Vec<(String, &'a Data, bool)>,
    /// Whether a variable, with the path into it (`slots.value`), is declared, so that it may be absent.
    pub declared: &'a dyn Fn(&str) -> bool,
}

pub(crate) fn evaluate<'a>(
    program: &'a Program,
    partials: &'a BTreeMap<String, Program>,
    scope: &'a Scope<'a>,
) -> Result<Vec<Event>> {
    let root = Frame::new(Seen::borrowed(scope.variables, true).named(""));
    let mut evaluator = Evaluator {
        source: &program.source,
        partials,
        scope,
        frames: vec![root],
        output: Output::default(),
        steps: 0,
        depth: 0,
    };
    evaluator.template(&program.template)?;
    Ok(evaluator.output.into_events())
}

/// What names mean in a part of a template.
struct Frame<'a> {
    this: Seen<'a>,
    /// The options of a partial, which come before what is in `this`.
    options: Vec<(String, Seen<'a>)>,
    /// The names that a block gives: `as |item|`.
    names: Vec<(String, Seen<'a>)>,
    /// `@index`, `@key`, `@first`, `@last`
    turn: Option<Turn>,
    /// Whether `../` leaves it.
    counts: bool,
    /// Whether it is a partial's, which does not see the names of blocks around.
    partial: bool,
}

#[derive(Clone)]
struct Turn {
    index: usize,
    key: Option<Text>,
    last: bool,
}

impl<'a> Frame<'a> {
    fn new(this: Seen<'a>) -> Self {
        Self { this, options: Vec::new(), names: Vec::new(), turn: None, counts: true, partial: false }
    }
}

struct Evaluator<'a> {
    source: &'a Source,
    partials: &'a BTreeMap<String, Program>,
    scope: &'a Scope<'a>,
    frames: Vec<Frame<'a>>,
    output: Output,
    steps: usize,
    depth: usize,
}

impl<'a> Evaluator<'a> {
    fn template(&mut self, nodes: &'a [Node]) -> Result<()> {
        for node in nodes {
            match node {
                Node::Text(text) => {
                    let written = self.output.author(text);
                    self.written(written, 0)?;
                    self.step(1, 0)?;
                }
                Node::Value { value, at, .. } => self.value(value, *at)?,
                Node::Block(block) => self.deeper(block.at, |this| this.block(block))?,
                Node::Partial(partial) => self.deeper(partial.at, |this| this.partial(partial))?,
            }
        }
        Ok(())
    }

    fn deeper(&mut self, at: usize, inside: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.step(1, at)?;
        if self.depth >= MAX_DEPTH {
            let reason = format!(
                "blocks and partials are nested deeper than {MAX_DEPTH}: does a partial include itself?"
            );
            return Err(self.fault(at, reason));
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    fn value(&mut self, value: &'a Expression, at: usize) -> Result<()> {
        self.step(1, at)?;
        match value {
            Expression::Call(call) if !call.helper.is_value() => return self.mark(call),
            _ => {}
        }
        let seen = self.expression(value)?;
        let text = self.text(&seen, at)?;
        let written = self.output.text(&text);
        self.written(written, at)
    }

    /// The helpers that write no value.
    fn mark(&mut self, call: &'a Call) -> Result<()> {
        let event = match (call.helper, call.params.first()) {
            (Helper::Role, Some(name)) => Event::Role(self.role(name, call.at)?),
            (Helper::Section, Some(name)) => {
                let name = self.expression(name)?;
                Event::Section(self.text(&name, call.at)?)
            }
            (Helper::History, _) => Event::History,
            (Helper::Media, _) => {
                let url = self.option_text(call, "url")?.filter(|url| !url.is_empty());
                let content_type = self.option_text(call, "contentType")?.filter(|kind| !kind.is_empty());
                let Some(url) = url else { return Err(self.fault(call.at, "the `url` of `media` is empty")) };
                Event::Media { url, content_type }
            }
            // `log` writes nothing, and values must not get into logs.
            _ => return Ok(()),
        };
        let written = self.output.event(event);
        self.written(written, call.at)
    }

    fn role(&mut self, name: &'a Expression, at: usize) -> Result<Role> {
        let seen = self.expression(name)?;
        match &*seen.data {
            Data::Text(text) if !text.has_sealed() => {
                super::role(text.as_str()).ok_or_else(|| self.fault(at, super::unknown_role(text.as_str())))
            }
            _ => {
                Err(self
                    .fault(at, "a value may not choose a role: write its name, as in `{{role \"user\"}}`"))
            }
        }
    }

    fn option_text(&mut self, call: &'a Call, name: &str) -> Result<Option<Text>> {
        let Some(value) = call.option(name) else { return Ok(None) };
        let seen = self.expression(value)?;
        self.text(&seen, call.at).map(Some)
    }

    fn block(&mut self, block: &'a Block) -> Result<()> {
        match &block.head {
            Head::Helper(call) => {
                let first = call.params.first();
                let Some(first) = first else { return Ok(()) };
                match call.helper {
                    Helper::If | Helper::Unless => {
                        let zero = match call.option("includeZero") {
                            Some(option) => self.expression(option)?.is_true(false),
                            None => false,
                        };
                        let is_true = self.tested(first)?.is_some_and(|seen| seen.is_true(zero));
                        self.branch(block, is_true == (call.helper == Helper::If))
                    }
                    Helper::IfEquals | Helper::UnlessEquals => {
                        let Some(second) = call.params.get(1) else { return Ok(()) };
                        let (first, second) = (self.expression(first)?, self.expression(second)?);
                        self.step(first.weight().min(second.weight()), call.at)?;
                        let equal = super::equal(&first.data, &second.data);
                        self.branch(block, equal == (call.helper == Helper::IfEquals))
                    }
                    Helper::With => {
                        let seen = self.expression(first)?;
                        self.with(block, seen)
                    }
                    _ => {
                        let seen = self.expression(first)?;
                        self.each(block, &seen)
                    }
                }
            }
            Head::Path(path) => {
                let seen = self.required(path)?;
                match &*seen.data {
                    Data::List(_) => self.each(block, &seen),
                    Data::Bool(true) => self.branch(block, true),
                    _ => self.with(block, seen),
                }
            }
        }
    }

    fn branch(&mut self, block: &'a Block, first: bool) -> Result<()> {
        self.template(if first { &block.body } else { &block.inverse })
    }

    fn with(&mut self, block: &'a Block, seen: Seen<'a>) -> Result<()> {
        if !seen.is_true(false) {
            return self.branch(block, false);
        }
        let names = block.names.first().map(|name| (name.clone(), seen.clone()));
        let frame = Frame { names: names.into_iter().collect(), ..Frame::new(seen) };
        self.within(frame, &block.body)
    }

    fn each(&mut self, block: &'a Block, seen: &Seen<'a>) -> Result<()> {
        let count = match &*seen.data {
            Data::List(items) => items.len(),
            Data::Map(entries) => entries.len(),
            _ if !seen.is_true(false) => 0,
            other => {
                let reason = format!("is {}, not a list: `each` cannot go through it", super::kind(other));
                return Err(self.wrong(seen, block.at, &reason));
            }
        };
        if count == 0 {
            return self.branch(block, false);
        }
        for index in 0..count {
            self.step(1, block.at)?;
            let key = match &*seen.data {
                Data::Map(entries) => entries.get(index).map(|(key, _)| key.clone()),
                _ => None,
            };
            // A key is a value, which a message must not quote.
            let place = if key.is_some() { "*".to_owned() } else { index.to_string() };
            let name = seen.name.as_ref().map(|name| format!("{name}[{place}]"));
            let Some(item) = seen.child(index, name) else { break };
            let number = match &key {
                Some(key) => Seen::owned(Data::Text(key.clone()), true),
                None => Seen::owned(Data::Int(index as i128), false),
            };
            let names = block.names.iter().cloned().zip([item.clone(), number]).collect();
            let turn = Some(Turn { index, key, last: index + 1 == count });
            self.within(Frame { names, turn, ..Frame::new(item) }, &block.body)?;
        }
        Ok(())
    }

    fn within(&mut self, frame: Frame<'a>, nodes: &'a [Node]) -> Result<()> {
        self.frames.push(frame);
        let result = self.template(nodes);
        self.frames.pop();
        result
    }

    fn partial(&mut self, partial: &'a Partial) -> Result<()> {
        let partials = self.partials;
        let Some(program) = partials.get(&partial.name) else {
            return Err(self.fault(partial.at, format!("there is no partial {:?}", partial.name)));
        };
        let this = match &partial.context {
            Some(context) => self.expression(context)?,
            None => self.frame(0).map_or(Seen::borrowed(&Data::Null, false), |frame| frame.this.clone()),
        };
        let mut options = Vec::with_capacity(partial.hash.len());
        for (name, value) in &partial.hash {
            options.push((name.clone(), self.expression(value)?));
        }
        if partial.context.is_none() {
            // A partial in a partial sees the options of the outer one.
            let outer = self.frame(0).map(|frame| frame.options.clone()).unwrap_or_default();
            options.extend(outer);
        }
        let counts = partial.context.is_some() || !partial.hash.is_empty();
        let turn = self.frames.last().and_then(|frame| frame.turn.clone());
        let frame = Frame { options, counts, partial: true, turn, ..Frame::new(this) };
        let before = self.output.indent(&partial.indent);
        let source = std::mem::replace(&mut self.source, &program.source);
        self.within(frame, &program.template)?;
        self.source = source;
        self.output.restore(before);
        Ok(())
    }

    /// A value that must be there, or be declared.
    fn expression(&mut self, expression: &'a Expression) -> Result<Seen<'a>> {
        match expression {
            Expression::Literal(data) => Ok(Seen::borrowed(data, false)),
            Expression::Path(path) => self.required(path),
            Expression::Call(call) => self.call(call),
        }
    }

    /// A value that a condition looks at: it may be absent.
    fn tested(&mut self, expression: &'a Expression) -> Result<Option<Seen<'a>>> {
        match expression {
            Expression::Path(path) => Ok(self.resolve(path)?.0),
            other => self.expression(other).map(Some),
        }
    }

    fn call(&mut self, call: &'a Call) -> Result<Seen<'a>> {
        let Some(first) = call.params.first() else { return Ok(Seen::owned(Data::Null, false)) };
        let first = self.expression(first)?;
        if call.helper == Helper::Json {
            let indent = match call.option("indent") {
                None => 0,
                Some(option) => match &*self.expression(option)?.data {
                    Data::Int(indent @ 0..=10) => *indent as usize,
                    _ => return Err(self.fault(call.at, "the `indent` of `json` is a number from 0 to 10")),
                },
            };
            self.step(first.weight(), call.at)?;
            return Ok(Seen::owned(Data::Text(first.json(indent)), first.sealed));
        }
        let Some(key) = call.params.get(1) else { return Ok(Seen::owned(Data::Null, false)) };
        let key = self.expression(key)?;
        self.step(entries(&first.data) + key.weight(), call.at)?;
        let Some(found) = key.text().and_then(|key| first.get(key.as_str())) else {
            return Ok(Seen::owned(Data::Null, first.sealed));
        };
        // The key may be a value, which a message must not quote.
        Ok(Seen { name: first.name.map(|name| format!("{name}[*]")), ..found })
    }

    fn required(&mut self, path: &'a Path) -> Result<Seen<'a>> {
        match self.resolve(path)? {
            (Some(seen), _) => Ok(seen),
            (None, name) if path.data || (self.scope.declared)(&name) => {
                Ok(Seen::owned(Data::Null, true).named(name))
            }
            (None, name) => {
                let reason = "is used here, but neither given nor declared in `input.schema`";
                Err(self.bad_variable(name, path.at, reason))
            }
        }
    }

    /// What a path leads to, with its name as a variable.
    fn resolve(&mut self, path: &'a Path) -> Result<(Option<Seen<'a>>, String)> {
        let (mut seen, segments) = match path.segments.split_first() {
            Some((first, rest)) if path.data => (self.context(first, path.up), rest),
            Some((first, rest)) => match self.local(first, path) {
                Some(seen) => (Some(seen), rest),
                None => (self.frame(path.up).map(|frame| frame.this.clone()), path.segments.as_slice()),
            },
            None => (self.frame(path.up).map(|frame| frame.this.clone()), &[][..]),
        };
        let mut name = seen.as_ref().and_then(|seen| seen.name.clone()).unwrap_or_default();
        for segment in segments {
            if let Some(seen) = &seen {
                self.step(entries(&seen.data), path.at)?;
            }
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(segment);
            seen = seen.and_then(|seen| seen.get(segment));
        }
        Ok((seen, name))
    }

    /// The frame that `../` leads to.
    fn frame(&self, up: usize) -> Option<&Frame<'a>> {
        let mut up = up;
        for frame in self.frames.iter().rev() {
            if up == 0 {
                return Some(frame);
            }
            up -= usize::from(frame.counts);
        }
        None
    }

    /// A name that a block or the call of a partial gives.
    fn local(&self, name: &str, path: &Path) -> Option<Seen<'a>> {
        let find = |names: &[(String, Seen<'a>)]| {
            names.iter().find(|(known, _)| known == name).map(|(_, seen)| seen.clone())
        };
        if !path.scoped {
            for frame in self.frames.iter().rev() {
                if let Some(seen) = find(&frame.names) {
                    return Some(seen);
                }
                if frame.partial {
                    break;
                }
            }
        }
        self.frame(path.up).and_then(|frame| find(&frame.options))
    }

    /// What `@name` means.
    fn context(&self, name: &str, up: usize) -> Option<Seen<'a>> {
        if let Some(turn) = self.frames.iter().rev().filter_map(|frame| frame.turn.as_ref()).nth(up) {
            let data = match name {
                "index" => Some(Data::Int(turn.index as i128)),
                "key" => Some(turn.key.clone().map_or(Data::Int(turn.index as i128), Data::Text)),
                "first" => Some(Data::Bool(turn.index == 0)),
                "last" => Some(Data::Bool(turn.last)),
                _ => None,
            };
            if let Some(data) = data {
                return Some(Seen::owned(data, false));
            }
        }
        if name == "root" {
            return self.frames.first().map(|frame| frame.this.clone());
        }
        let (_, data, sealed) = self.scope.context.iter().find(|(known, ..)| known == name)?;
        Some(Seen::borrowed(data, *sealed).named(format!("@{name}")))
    }

    fn text(&self, seen: &Seen<'_>, at: usize) -> Result<Text> {
        seen.text().ok_or_else(|| self.wrong(seen, at, "is a map, not a text: write it with `{{json ...}}`"))
    }

    fn step(&mut self, steps: usize, at: usize) -> Result<()> {
        self.steps += steps;
        if self.steps > MAX_STEPS {
            return Err(self.fault(at, format!("the template takes more than {MAX_STEPS} steps")));
        }
        Ok(())
    }

    fn written(&self, written: Result<(), TooLong>, at: usize) -> Result<()> {
        written.map_err(|TooLong| {
            self.fault(at, format!("the template writes more than {} MiB", MAX_BYTES >> 20))
        })
    }

    fn wrong(&self, seen: &Seen<'_>, at: usize, reason: &str) -> Error {
        match seen.name.as_ref().filter(|name| !name.is_empty()) {
            Some(name) => self.bad_variable(name.clone(), at, reason),
            None => self.fault(at, format!("this {reason}")),
        }
    }

    fn bad_variable(&self, name: String, at: usize, reason: &str) -> Error {
        let line = self.source.place(at).line;
        Error::BadVariable { path: self.source.path.clone(), line, name, reason: reason.into() }
    }

    fn fault(&self, at: usize, reason: impl Into<String>) -> Error {
        let fault = crate::prompt::file::source::Fault::new(self.source.place(at), reason);
        fault.in_file(self.source.path.clone())
    }
}

/// What it costs to find a name in data.
fn entries(data: &Data) -> usize {
    match data {
        Data::Map(entries) => 1 + entries.len() / 32,
        _ => 1,
    }
}
