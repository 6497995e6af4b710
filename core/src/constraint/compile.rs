//! From a [`Constraint`] to llguidance's parser.

use std::fmt::Display;
use std::panic::AssertUnwindSafe;

use llguidance::api::{GrammarInit, TopLevelGrammar};
use llguidance::earley::lexerspec::LexerSpec;
use llguidance::{Matcher, ParserFactory, TokenParser, panic_utils};

use super::leaf::Leaf;
use super::{Constraint, gbnf, schema};
use crate::error::{Error, Result};

/// The stack of the thread that compiles. llguidance recurses into what is nested, and the threads of an app may
/// have small stacks.
const STACK: usize = 32 << 20;

/// Bytes of a grammar or regular expression at most.
const GRAMMAR_BYTES: usize = 1 << 20;

/// Brackets within brackets of a grammar at most.
const NESTED: usize = 100;

/// A grammar in which some terminals are markers, and what stands for each of these.
pub(super) struct Plan {
    pub grammar: TopLevelGrammar,
    pub leaves: Vec<(String, Leaf)>,
}

/// Compiles a constraint for the vocabulary of `factory`.
pub(super) fn compile(factory: &ParserFactory, constraint: &Constraint) -> Result<Matcher> {
    let compile = || {
        // llguidance catches its own panics in most places, but not in all.
        let built = panic_utils::catch_unwind(AssertUnwindSafe(|| Ok(build(factory, constraint))));
        let matcher = Matcher::new(Ok(built.map_err(|error| bad(&error))??));
        matcher.get_error().map_or(Ok(matcher), |error| Err(bad(&error)))
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("pinfold-compile".into()).stack_size(STACK);
        let running =
            thread.spawn_scoped(scope, compile).map_err(|error| Error::engine(error.to_string()))?;
        running.join().unwrap_or_else(|_| Err(bad(&"llguidance failed on it")))
    })
}

fn build(factory: &ParserFactory, constraint: &Constraint) -> Result<TokenParser> {
    let plan = plan(constraint)?;
    let (environment, limits) = (factory.tok_env().clone(), factory.limits().clone());
    let init = GrammarInit::Serialized(plan.grammar);
    let (grammar, mut spec) = init.to_internal(Some(environment), limits).map_err(|error| bad(&error))?;
    for (marker, leaf) in &plan.leaves {
        leaf.put(&mut spec, marker)?;
    }
    check(&spec)?;
    factory.create_parser_from_init_default(GrammarInit::Internal(grammar, spec)).map_err(|error| bad(&error))
}

fn plan(constraint: &Constraint) -> Result<Plan> {
    match constraint {
        Constraint::JsonSchema(schema) => schema::plan(schema),
        Constraint::Regex(regex) => {
            check_source(regex)?;
            Leaf::regex(regex).alone()
        }
        Constraint::Choice(texts) => Leaf::choice(texts)?.alone(),
        Constraint::Quote(text) => Leaf::quote(text).alone(),
        Constraint::Lark(grammar) => {
            check_source(grammar)?;
            Ok(Plan { grammar: TopLevelGrammar::from_lark(grammar.clone()), leaves: Vec::new() })
        }
        Constraint::Gbnf(grammar) => {
            check_source(grammar)?;
            let lark = gbnf::to_lark(grammar)?;
            Ok(Plan { grammar: TopLevelGrammar::from_lark(lark), leaves: Vec::new() })
        }
    }
}

/// Refuses what would take too long, or too much of the stack.
fn check_source(text: &str) -> Result<()> {
    if text.len() > GRAMMAR_BYTES {
        return Err(bad(&format!("{} bytes, of {GRAMMAR_BYTES} at most", text.len())));
    }
    let (mut depth, mut line) = (0_usize, 1);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'\n' => line += 1,
            _ => {}
        }
        if depth > NESTED {
            return Err(bad(&format!("line {line}: more than {NESTED} brackets within one another")));
        }
    }
    Ok(())
}

/// Refuses what depends on how a text is cut into tokens: an output could not be checked without them.
fn check(spec: &LexerSpec) -> Result<()> {
    if spec.has_max_tokens {
        return Err(bad(
            &"max_tokens in a grammar is not supported: bound the text itself, e.g. by /.{0,80}/",
        ));
    }
    Ok(())
}

/// The error for a constraint that llguidance refuses, or that we do.
pub(super) fn bad(reason: &impl Display) -> Error {
    Error::BadConstraint { reason: summary(reason) }
}

/// What an error says, without a backtrace and the state of the parser: these hold the text so far.
pub(super) fn summary(error: &impl Display) -> String {
    let text = format!("{error:#}");
    let end =
        ["\n<backtrace>", "\n<state>", "\n<non-verbose/>"].iter().filter_map(|mark| text.find(mark)).min();
    text[..end.unwrap_or(text.len())].trim().to_owned()
}
