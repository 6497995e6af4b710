//! From the lexemes and rules of a grammar to Lark.

use super::lexemes::{Cut, Part};
use super::parse::parse;
use crate::error::Result;

/// The same grammar in Lark.
///
/// # Errors
/// [`Error::BadConstraint`](crate::Error::BadConstraint) with the line.
pub(in super::super) fn to_lark(text: &str) -> Result<String> {
    let grammar = parse(text)?;
    let cut = Cut::of(&grammar);
    let mut lark = String::from("start: r0\n");
    for (rule, part) in cut.rules.iter().enumerate() {
        if let Some(part) = part {
            lark += &format!("r{rule}: {}\n", spell(part));
        }
    }
    for (index, lexeme) in cut.lexemes.iter().enumerate() {
        lark += &format!("T{index}: /{}/\n", lexeme.regex);
    }
    Ok(lark)
}

fn spell(part: &Part) -> String {
    let join = |parts: &[Part], between| parts.iter().map(spell).collect::<Vec<_>>().join(between);
    match part {
        Part::Lexeme(lexeme) => format!("T{lexeme}"),
        Part::Rule(rule) => format!("r{rule}"),
        Part::Sequence(parts) if parts.is_empty() => "\"\"".into(),
        Part::Sequence(parts) => format!("({})", join(parts, " ")),
        Part::Either(parts) => format!("({})", join(parts, " | ")),
        Part::Repeat(part, least, most) => {
            let most = most.map(|most| most.to_string()).unwrap_or_default();
            format!("({}){{{least},{most}}}", spell(part))
        }
    }
}
