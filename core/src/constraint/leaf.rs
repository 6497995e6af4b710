//! Terminals that llguidance has no syntax for: they are put into a compiled grammar, each in the place of a
//! terminal that matches a marker only.

use llguidance::api::TopLevelGrammar;
use llguidance::derivre::{JsonQuoteOptions, RegexAst, RegexBuilder};
use llguidance::earley::lexerspec::LexerSpec;
use llguidance::regex_to_lark;
use llguidance::substring::{chunk_into_chars, substring};

use super::compile::{Plan, bad};
use crate::error::Result;

/// Fuel of llguidance to find out whether anything matches.
const EMPTY_CHECK: u64 = 200_000;

/// A terminal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    kind: Kind,
    /// Whether it is written as a JSON string.
    json: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Regex(String),
    Choice(Vec<String>),
    /// A substring of `text`, of `least` to `most` characters, in which `pattern` is found.
    Quote {
        text: String,
        least: u32,
        most: Option<u32>,
        pattern: Option<String>,
    },
}

impl Leaf {
    /// What a regular expression matches as a whole.
    pub fn regex(regex: &str) -> Self {
        Self { kind: Kind::Regex(regex.to_owned()), json: false }
    }

    /// One of `texts`.
    pub fn choice(texts: &[String]) -> Result<Self> {
        if texts.is_empty() {
            return Err(bad(&"there is nothing to choose from"));
        }
        Ok(Self { kind: Kind::Choice(texts.to_vec()), json: false })
    }

    /// A substring of `text`.
    pub fn quote(text: &str) -> Self {
        let kind = Kind::Quote { text: text.to_owned(), least: 0, most: None, pattern: None };
        Self { kind, json: false }
    }

    /// A JSON string that is a substring of `text`.
    pub fn json_quote(text: &str, least: u32, most: Option<u32>, pattern: Option<&str>) -> Self {
        let (text, pattern) = (text.to_owned(), pattern.map(str::to_owned));
        Self { kind: Kind::Quote { text, least, most, pattern }, json: true }
    }

    /// A grammar that is this terminal.
    pub fn alone(self) -> Result<Plan> {
        let marker = "marker";
        let mut builder = RegexBuilder::new();
        let regex = self.regex_in(&mut builder)?;
        let expression = builder.mk(&regex).map_err(|error| bad(&error))?;
        let optional = if builder.is_nullable(expression) { "?" } else { "" };
        let grammar = TopLevelGrammar::from_lark(format!("start: LEAF{optional}\nLEAF: \"{marker}\""));
        Ok(Plan { grammar, leaves: vec![(marker.to_owned(), self)] })
    }

    /// Puts the terminal in the place of each that matches only `marker`.
    pub fn put(&self, spec: &mut LexerSpec, marker: &str) -> Result<()> {
        let spelling = if self.json { format!("\"{marker}\"") } else { marker.to_owned() };
        let is_marker =
            |spec: &LexerSpec, index: usize| spec.has_forced_bytes(&spec.lexemes[index], spelling.as_bytes());
        let places: Vec<usize> = (0..spec.lexemes.len()).filter(|&index| is_marker(spec, index)).collect();
        for place in places {
            let regex = self.regex_in(&mut spec.regex_builder)?;
            self.replace(spec, place, regex)?;
        }
        let lost = |lexeme: &_| format!("{lexeme:?}").contains(marker);
        if spec.lexemes.iter().any(lost) {
            return Err(bad(
                &"x-quote stands where it is mixed with other conditions: give the string alone",
            ));
        }
        Ok(())
    }

    /// Lexemes know their index, and only llguidance can make one. So it makes one behind as many others as
    /// stand before the place.
    fn replace(&self, spec: &mut LexerSpec, place: usize, regex: RegexAst) -> Result<()> {
        let filler = spec.lexeme_spec(spec.skip_by_class[0]).clone();
        let others = std::mem::replace(&mut spec.lexemes, vec![filler; place]);
        spec.current_class = others[place].class();
        let added = spec.add_greedy_lexeme(String::new(), regex, false, None, usize::MAX);
        let made = spec.lexemes.split_off(place);
        spec.lexemes = others;
        added.map_err(|error| bad(&error))?;
        match made.into_iter().next() {
            Some(lexeme) => spec.lexemes[place] = lexeme,
            None => return Err(bad(&"llguidance gave no terminal for it")),
        }
        Ok(())
    }

    fn regex_in(&self, builder: &mut RegexBuilder) -> Result<RegexAst> {
        let regex = match &self.kind {
            Kind::Regex(regex) => RegexAst::Regex(regex.clone()),
            Kind::Choice(texts) => RegexAst::Or(texts.iter().cloned().map(RegexAst::Literal).collect()),
            Kind::Quote { text, least, most, pattern } => {
                let any = substring(builder, chunk_into_chars(text)).map_err(|error| bad(&error))?;
                let mut all = vec![RegexAst::ExprRef(any)];
                if *least > 0 || most.is_some() {
                    let most = most.map(|most| most.to_string()).unwrap_or_default();
                    all.push(RegexAst::Regex(format!("(?s:.{{{least},{most}}})")));
                }
                if let Some(pattern) = pattern {
                    all.push(RegexAst::SearchRegex(regex_to_lark(pattern, "dw")));
                }
                RegexAst::And(all)
            }
        };
        let expression = builder.mk(&regex).map_err(|error| bad(&error))?;
        let certain = matches!(self.kind, Kind::Choice(_)) || builder.is_nullable(expression);
        if !certain {
            let limited = builder.to_regex_limited(expression, EMPTY_CHECK);
            let mut limited = limited.map_err(|_| bad(&"too large to find out whether any text matches"))?;
            if limited.always_empty() {
                return Err(bad(&"no text matches"));
            }
        }
        let regex = RegexAst::ExprRef(expression);
        Ok(if self.json { RegexAst::JsonQuote(Box::new(regex), JsonQuoteOptions::regular()) } else { regex })
    }
}
