//! Which variables a body uses, as far as that can be told without values.

use std::collections::{BTreeMap, BTreeSet};

use super::body::Program;
use super::body::tree::{Block, Call, Expression, Head, Helper, Node, Path, Template};
use super::source::{Place, Source};

/// Visits of nodes at most: partials that include each other are many.
const MAX_VISITS: usize = 100_000;

/// A use of a variable.
#[derive(Debug, Clone)]
pub(super) struct Use<'a> {
    pub name: &'a str,
    pub source: &'a Source,
    /// The byte at which it starts.
    pub at: usize,
}

/// What a body uses.
#[derive(Debug, Default)]
pub(super) struct Uses<'a> {
    pub variables: Vec<Use<'a>>,
    /// Whether it uses all variables together: `{{json this}}`.
    pub whole: bool,
    /// What else there is in it, in the order in which it is written.
    pub marks: Vec<Mark<'a>>,
}

/// Something that a lint looks at.
#[derive(Debug, Clone)]
pub(super) struct Mark<'a> {
    pub source: &'a Source,
    /// The byte at which it starts.
    pub at: usize,
    pub kind: MarkKind<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum MarkKind<'a> {
    /// `{{role "..."}}`; without a name if a variable gives it.
    Role(Option<&'a str>),
    /// A value is written.
    Value {
        bare: bool,
    },
    Partial(&'a str),
    History,
    Log,
}

impl Use<'_> {
    pub fn place(&self) -> Place {
        self.source.place(self.at)
    }
}

impl Mark<'_> {
    pub fn place(&self) -> Place {
        self.source.place(self.at)
    }
}

pub(super) fn of<'a>(program: &'a Program, partials: &'a BTreeMap<String, Program>) -> Uses<'a> {
    let mut visitor = Visitor {
        partials,
        source: &program.source,
        levels: vec![Level::root()],
        open: Vec::new(),
        seen: BTreeSet::new(),
        uses: Uses::default(),
        visits: 0,
    };
    visitor.template(&program.template);
    visitor.uses
}

/// What names mean in a part of a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Level<'a> {
    /// Whether names that nothing else gives are variables of the prompt.
    root: bool,
    options: Vec<&'a str>,
    names: Vec<&'a str>,
    counts: bool,
    partial: bool,
}

impl Level<'_> {
    fn root() -> Self {
        Self { root: true, options: Vec::new(), names: Vec::new(), counts: true, partial: false }
    }
}

struct Visitor<'a> {
    partials: &'a BTreeMap<String, Program>,
    source: &'a Source,
    levels: Vec<Level<'a>>,
    /// The partials that are being visited.
    open: Vec<&'a str>,
    /// The partials that were visited, with what names mean there.
    seen: BTreeSet<(&'a str, Level<'a>)>,
    uses: Uses<'a>,
    visits: usize,
}

impl<'a> Visitor<'a> {
    fn template(&mut self, nodes: &'a Template) {
        for node in nodes {
            self.visits += 1;
            if self.visits > MAX_VISITS {
                return;
            }
            match node {
                Node::Text(_) => {}
                Node::Value { value, bare, at } => {
                    match value {
                        Expression::Call(call) if !call.helper.is_value() => self.mark(call),
                        _ => self.note(*at, MarkKind::Value { bare: *bare }),
                    }
                    self.expression(value);
                }
                Node::Block(block) => self.block(block),
                Node::Partial(partial) => {
                    self.note(partial.at, MarkKind::Partial(&partial.name));
                    partial.context.iter().for_each(|context| self.expression(context));
                    partial.hash.iter().for_each(|(_, value)| self.expression(value));
                    let mut options: Vec<&str> = partial.hash.iter().map(|(name, _)| name.as_str()).collect();
                    let outer = self.level(0);
                    let root = partial.context.is_none() && outer.is_some_and(|level| level.root);
                    if let (true, Some(outer)) = (partial.context.is_none(), outer) {
                        options.extend(&outer.options);
                    }
                    options.sort_unstable();
                    options.dedup();
                    let counts = partial.context.is_some() || !partial.hash.is_empty();
                    let level = Level { root, options, names: Vec::new(), counts, partial: true };
                    self.partial(&partial.name, level);
                }
            }
        }
    }

    fn partial(&mut self, name: &'a str, level: Level<'a>) {
        let partials = self.partials;
        let Some((name, program)) = partials.get_key_value(name) else { return };
        if self.open.contains(&name.as_str()) || !self.seen.insert((name, level.clone())) {
            return;
        }
        self.open.push(name);
        let source = std::mem::replace(&mut self.source, &program.source);
        self.levels.push(level);
        self.template(&program.template);
        self.levels.pop();
        self.source = source;
        self.open.pop();
    }

    fn block(&mut self, block: &'a Block) {
        let inner = match &block.head {
            Head::Path(path) => {
                self.path(path);
                true
            }
            Head::Helper(call) => {
                call.params.iter().for_each(|param| self.expression(param));
                call.hash.iter().for_each(|(_, value)| self.expression(value));
                matches!(call.helper, Helper::Each | Helper::With)
            }
        };
        if inner {
            let names = block.names.iter().map(String::as_str).collect();
            // `{{#name}}` over a true value stays where it is, which is not known here.
            self.levels.push(Level { root: false, names, ..Level::root() });
            self.template(&block.body);
            self.levels.pop();
        } else {
            self.template(&block.body);
        }
        self.template(&block.inverse);
    }

    fn mark(&mut self, call: &'a Call) {
        let kind = match call.helper {
            Helper::Role => MarkKind::Role(match call.params.first() {
                Some(Expression::Literal(crate::prompt::data::Data::Text(name))) => Some(name.as_str()),
                _ => None,
            }),
            Helper::History => MarkKind::History,
            Helper::Log => MarkKind::Log,
            _ => return,
        };
        self.note(call.at, kind);
    }

    fn note(&mut self, at: usize, kind: MarkKind<'a>) {
        let mark = Mark { source: self.source, at, kind };
        self.uses.marks.push(mark);
    }

    fn expression(&mut self, expression: &'a Expression) {
        match expression {
            Expression::Literal(_) => {}
            Expression::Path(path) => self.path(path),
            Expression::Call(call) => {
                call.params.iter().for_each(|param| self.expression(param));
                call.hash.iter().for_each(|(_, value)| self.expression(value));
            }
        }
    }

    fn path(&mut self, path: &'a Path) {
        let (first, root) = match path.segments.split_first() {
            Some((first, rest)) if path.data && first == "root" => (rest.first(), true),
            _ if path.data => return,
            Some((first, _)) => {
                let named = !path.scoped && self.names().any(|name| name == first);
                let level = self.level(path.up);
                if named || level.is_some_and(|level| level.options.contains(&first.as_str())) {
                    return;
                }
                (Some(first), level.is_some_and(|level| level.root))
            }
            None => (None, self.level(path.up).is_some_and(|level| level.root)),
        };
        match first {
            _ if !root => {}
            Some(name) => self.uses.variables.push(Use { name, source: self.source, at: path.at }),
            None => self.uses.whole = true,
        }
    }

    fn names(&self) -> impl Iterator<Item = &'a str> {
        let within = self.levels.iter().rposition(|level| level.partial).unwrap_or_default();
        self.levels[within..].iter().flat_map(|level| level.names.iter().copied())
    }

    fn level(&self, up: usize) -> Option<&Level<'a>> {
        let mut up = up;
        for level in self.levels.iter().rev() {
            if up == 0 {
                return Some(level);
            }
            up -= usize::from(level.counts);
        }
        None
    }
}
