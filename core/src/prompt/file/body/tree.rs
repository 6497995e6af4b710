//! The tree of a Handlebars template. Every node knows the byte of the file at which it starts.

use crate::prompt::data::Data;

/// A template, or the part of one that a block holds.
pub(crate) type Template = Vec<Node>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// What the author wrote, after whitespace control.
    Text(String),
    /// `{{...}}`; `bare` if it is `{{{...}}}` or `{{&...}}`.
    Value { value: Expression, bare: bool, at: usize },
    /// `{{#...}}...{{/...}}`
    Block(Box<Block>),
    /// `{{> ...}}`
    Partial(Box<Partial>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub at: usize,
    pub head: Head,
    /// The names behind `as`.
    pub names: Vec<String>,
    pub body: Template,
    pub inverse: Template,
}

/// What decides whether and how often a block is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Head {
    Helper(Call),
    /// `{{#name}}`: as often as there are items; once, over a map or a true value.
    Path(Path),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Partial {
    pub at: usize,
    pub name: String,
    /// Its own context, if it does not have that around it.
    pub context: Option<Expression>,
    pub hash: Hash,
    /// What stands before each of its lines.
    pub indent: String,
}

pub(crate) type Hash = Vec<(String, Expression)>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Path(Path),
    /// What the author wrote as a value.
    Literal(Data),
    Call(Box<Call>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub at: usize,
    /// Whether it starts with `@`.
    pub data: bool,
    /// How often it starts with `../`.
    pub up: usize,
    /// Whether it starts with `this`, `.` or `../`, so that it means neither a helper nor a name of a block.
    pub scoped: bool,
    pub segments: Vec<String>,
}

impl Path {
    /// Whether it is `this`: what is there anyway.
    pub fn is_this(&self) -> bool {
        !self.data && self.up == 0 && self.segments.is_empty()
    }

    /// The name, if it is nothing else.
    pub fn name(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [name] if !self.data && !self.scoped => Some(name),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub at: usize,
    pub helper: Helper,
    pub params: Vec<Expression>,
    pub hash: Hash,
}

impl Call {
    pub fn option(&self, name: &str) -> Option<&Expression> {
        self.hash.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Helper {
    Each,
    History,
    If,
    IfEquals,
    Json,
    Log,
    Lookup,
    Media,
    Role,
    Section,
    Unless,
    UnlessEquals,
    With,
}

impl Helper {
    pub const ALL: [(&str, Self); 13] = [
        ("each", Self::Each),
        ("history", Self::History),
        ("if", Self::If),
        ("ifEquals", Self::IfEquals),
        ("json", Self::Json),
        ("log", Self::Log),
        ("lookup", Self::Lookup),
        ("media", Self::Media),
        ("role", Self::Role),
        ("section", Self::Section),
        ("unless", Self::Unless),
        ("unlessEquals", Self::UnlessEquals),
        ("with", Self::With),
    ];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, helper)| *helper)
    }

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, helper)| *helper == self).map_or("", |(name, _)| name)
    }

    /// Whether it opens a block, as `{{#if}}` does.
    pub fn is_block(self) -> bool {
        matches!(
            self,
            Self::Each | Self::If | Self::IfEquals | Self::Unless | Self::UnlessEquals | Self::With
        )
    }

    /// Whether it gives a value, that another helper can take.
    pub fn is_value(self) -> bool {
        matches!(self, Self::Json | Self::Lookup)
    }

    /// How many parameters it takes; `log` takes any.
    pub fn takes(self) -> Option<usize> {
        match self {
            Self::Log => None,
            Self::History | Self::Media => Some(0),
            Self::Each | Self::If | Self::Json | Self::Role | Self::Section | Self::Unless | Self::With => {
                Some(1)
            }
            Self::IfEquals | Self::Lookup | Self::UnlessEquals => Some(2),
        }
    }

    /// The names of its options.
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Self::If | Self::Unless => &["includeZero"],
            Self::Json => &["indent"],
            Self::Log => &["level"],
            Self::Media => &["url", "contentType"],
            _ => &[],
        }
    }
}
