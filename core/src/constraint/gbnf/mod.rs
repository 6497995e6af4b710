//! GBNF, the grammars of llama.cpp, made into Lark for llguidance.
//!
//! GBNF works on characters; llguidance cuts the text into lexemes first, each as long as possible. So whatever is
//! regular is made one lexeme, which is quick, as long as no lexeme can take what another has to begin with; where
//! one could, it is split, at the worst into its characters.

mod lark;
mod lexemes;
mod parse;
#[cfg(test)]
mod tests;

pub(super) use lark::to_lark;

/// A set of characters: ranges of code points, both ends included.
type Chars = Vec<(u32, u32)>;

/// A grammar: its rules, the first of which is `root`.
struct Grammar {
    rules: Vec<Node>,
}

/// What a rule, or a part of it, is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    /// One character of these.
    Chars(Chars),
    /// One after another; nothing, if there is none.
    Sequence(Vec<Node>),
    /// One of these.
    Either(Vec<Node>),
    /// Some number of times: at least, at most.
    Repeat(Box<Node>, u32, Option<u32>),
    /// What the rule of this index is.
    Rule(usize),
}
