//! Constraints on what a model writes: a [`Constraint`] says what an output must be, [`Grammars`] compiles it
//! for a vocabulary, and [`Masks`] says at each step which tokens may come next. llguidance computes the masks;
//! the sampler applies them.

mod compile;
mod gbnf;
mod grammars;
mod leaf;
mod masks;
mod output;
mod quote;
mod schema;
#[cfg(test)]
mod tests;

pub use grammars::Grammars;
pub use masks::Masks;

use serde_json::Value;

/// What an output must be.
///
/// ```
/// use pinfold::Constraint;
///
/// let size = Constraint::Choice(vec!["small".into(), "large".into()]);
/// assert_eq!(size.parse("large")?, "large");
/// assert!(size.parse("huge").is_err());
/// # Ok::<(), pinfold::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Constraint {
    /// JSON of this schema: of the draft that its `$schema` names, else of 2020-12. What cannot be enforced, e.g.
    /// `uniqueItems` or `not`, is an error and not left out. Between the parts of an object or an array there may
    /// be up to 64 characters of white space.
    ///
    /// A string with `"x-quote": TEXT` can only be a substring of that text, cut at characters; `minLength`,
    /// `maxLength` and `pattern` may narrow it. It may be empty unless `minLength` says otherwise.
    JsonSchema(Value),
    /// A text that matches a regular expression as a whole. The syntax is that of the crate `regex`, without
    /// look-around, word boundaries and lazy operators.
    Regex(String),
    /// One of these texts.
    Choice(Vec<String>),
    /// A text of a grammar as [llguidance's variant of Lark](https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md)
    /// writes it, beginning with the rule `start`.
    Lark(String),
    /// A text of a grammar as [llama.cpp](https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md)
    /// writes it, beginning with the rule `root`. Tokens (`<think>`, `<[1000]>`) are not supported.
    Gbnf(String),
    /// A substring of this text, cut at characters; it may be empty.
    Quote(String),
}
