//! A template as it is evaluated: the parser's tree with names numbered, chains of operators and of `elif`
//! made flat, and filters and tests looked up. So how deep the evaluator recurses is bounded by the brackets
//! and blocks of the template.

use std::sync::Arc;

use super::filters::Filter;
use super::predicates::Predicate;
use crate::prompt::text::Text;

/// The number of a name; [`Tree::names`] has the spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(pub u32);

/// A whole template.
#[derive(Debug)]
pub(super) struct Tree {
    pub names: Vec<Arc<str>>,
    pub body: Body,
}

pub(super) type Body = Vec<Node>;

/// A statement and the line where it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub line: u32,
    pub statement: Statement,
}

#[derive(Debug)]
pub(super) enum Statement {
    /// Text of the template.
    Write(Text),
    /// `{{ }}`
    Print(Expression),
    For(Arc<For>),
    If {
        branches: Vec<(Expression, Body)>,
        otherwise: Body,
    },
    With {
        assignments: Vec<(Target, Expression)>,
        body: Body,
    },
    Set {
        target: Target,
        value: Expression,
    },
    SetBlock {
        target: Target,
        filters: Vec<Step>,
        body: Body,
    },
    FilterBlock {
        filters: Vec<Step>,
        body: Body,
    },
    Macro {
        name: Name,
        declaration: Arc<Macro>,
    },
    CallBlock {
        call: Expression,
        caller: Arc<Macro>,
    },
    Continue,
    Break,
    Do(Expression),
    /// What a chat template cannot have, as there is but one template, or text only.
    Unsupported(&'static str),
}

#[derive(Debug)]
pub(super) struct For {
    pub target: Target,
    pub iterable: Expression,
    pub filter: Option<Expression>,
    pub recursive: bool,
    /// `loop`, if the body names it.
    pub loop_name: Option<Name>,
    pub body: Body,
    pub otherwise: Body,
}

#[derive(Debug)]
pub(super) struct Macro {
    pub name: Arc<str>,
    pub parameters: Vec<Parameter>,
    /// `caller`, `varargs` and `kwargs`, if the body names them; only then may these be given.
    pub caller: Option<Name>,
    pub varargs: Option<Name>,
    pub kwargs: Option<Name>,
    pub body: Body,
}

#[derive(Debug)]
pub(super) struct Parameter {
    pub name: Name,
    pub spelling: Arc<str>,
    pub default: Option<Expression>,
}

/// What is assigned to.
#[derive(Debug)]
pub(super) enum Target {
    Name(Name),
    Attribute(Name, Arc<Text>),
    Tuple(Vec<Target>),
}

#[derive(Debug, Clone)]
pub(super) enum Constant {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Arc<Text>),
}

#[derive(Debug)]
pub(super) enum Expression {
    Constant(Constant),
    Name(Name),
    List(Vec<Expression>),
    Tuple(Vec<Expression>),
    Dict(Vec<(Expression, Expression)>),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    /// Operators from left to right: each takes what the ones before gave.
    Chain {
        first: Box<Expression>,
        rest: Vec<(Operator, Expression)>,
    },
    /// `a < b < c`: each takes the operand before.
    Compare {
        first: Box<Expression>,
        rest: Vec<(Operator, Expression)>,
    },
    If(Box<Conditional>),
    /// Steps from left to right: each takes what the ones before gave.
    Path {
        first: Box<Expression>,
        steps: Vec<Step>,
    },
}

#[derive(Debug)]
pub(super) struct Conditional {
    pub test: Expression,
    pub then: Expression,
    pub otherwise: Option<Expression>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    And,
    Or,
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
    Concatenate,
}

#[derive(Debug)]
pub(super) enum Step {
    Attribute(Arc<str>),
    Item(Expression),
    Slice(Box<[Option<Expression>; 3]>),
    Call(u32, Vec<Argument>),
    /// An attribute that is called at once.
    Method(u32, Arc<str>, Vec<Argument>),
    Filter(u32, Option<Filter>, Arc<str>, Vec<Argument>),
    Test(u32, Option<Predicate>, Arc<str>, Vec<Argument>),
}

#[derive(Debug)]
pub(super) enum Argument {
    Positional(Expression),
    Named(Arc<Text>, Expression),
    Unpacked(Expression),
    UnpackedNamed(Expression),
}
