//! Counts over a file of schemas with valid and invalid instances.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Instant;

use pinfold::constraint::{Grammars, Masks};
use pinfold::{Constraint, Error, Special, Token, Tokenizer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::spaced;
use crate::output::{self, Exit, Failure, Table};

#[derive(Deserialize)]
struct Case {
    schema: Value,
    #[serde(default)]
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    data: Value,
    valid: bool,
}

/// The names of the counts are those of MaskBench.
#[derive(Default, Serialize)]
struct Counts {
    schemas: usize,
    passing: usize,
    compile_errors: usize,
    validation_errors: usize,
    invalidation_errors: usize,
    valid_instances: usize,
    valid_accepted: usize,
    invalid_instances: usize,
    invalid_refused: usize,
    compile_microseconds: Spread,
    mask_microseconds: Spread,
    failures: Vec<Fault>,
}

#[derive(Serialize)]
struct Fault {
    line: usize,
    kind: &'static str,
    reason: String,
}

#[derive(Default, Serialize)]
struct Spread {
    count: usize,
    median: f64,
    p99: f64,
    max: f64,
}

impl Spread {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).or(times.last()).copied();
        let at = |share| (at(share).unwrap_or(0.0) * 10.0).round() / 10.0;
        Self { count: times.len(), median: at(0.5), p99: at(0.99), max: at(1.0) }
    }
}

/// What became of a text under a constraint.
pub struct Walk {
    /// Each token was allowed, and the output may end there.
    pub accepted: bool,
    /// Microseconds for each mask.
    pub times: Vec<f64>,
}

/// Goes through the tokens of a text.
pub fn walk(mut masks: Masks, tokenizer: &Tokenizer, text: &str) -> Result<Walk, Failure> {
    let mut times = Vec::new();
    for token in tokens(tokenizer, text)? {
        let start = Instant::now();
        let allowed = masks.mask()?.allows(token);
        if allowed {
            masks.accept(token)?;
        }
        times.push(start.elapsed().as_secs_f64() * 1e6);
        if !allowed {
            return Ok(Walk { accepted: false, times });
        }
    }
    Ok(Walk { accepted: masks.may_end()?, times })
}

/// The tokens of a text. Some tokenizers put a space before it, which an output would not have: it is taken away.
fn tokens(tokenizer: &Tokenizer, text: &str) -> Result<Vec<Token>, Failure> {
    let mut tokens = tokenizer.tokenize(text, Special::Plain)?;
    let vocabulary = tokenizer.vocabulary();
    let Some(rest) = tokens.first().and_then(|&first| vocabulary.bytes(first).strip_prefix(b" ")) else {
        return Ok(tokens);
    };
    if text.starts_with(' ') {
        return Ok(tokens);
    }
    // The longest tokens that spell the rest of the first one.
    let (mut rest, mut spelled) = (rest, Vec::new());
    while !rest.is_empty() {
        let all = (0..vocabulary.len() as u32).map(Token);
        let fits = all.filter(|&token| {
            let bytes = vocabulary.visible_bytes(token);
            !bytes.is_empty() && rest.starts_with(bytes)
        });
        let Some(longest) = fits.max_by_key(|&token| vocabulary.bytes(token).len()) else {
            return Ok(tokens);
        };
        rest = &rest[vocabulary.bytes(longest).len()..];
        spelled.push(longest);
    }
    tokens.splice(..1, spelled);
    Ok(tokens)
}

pub fn count(path: &Path, tokenizer: &Tokenizer, grammars: &Grammars, json: bool) -> Result<Exit, Failure> {
    let file = File::open(path).map_err(Error::io(path))?;
    let mut counts = Counts::default();
    let (mut compiled, mut masked) = (Vec::new(), Vec::new());
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(Error::io(path))?;
        if line.trim().is_empty() {
            continue;
        }
        let case: Case = serde_json::from_str(&line).map_err(|error| {
            let message = format!("{}:{}: not a case: {error}", path.display(), index + 1);
            Failure::new(Exit::Failed, "bad_cases", message)
        })?;
        counts.schemas += 1;
        let start = Instant::now();
        let masks = grammars.compile(&Constraint::JsonSchema(case.schema));
        compiled.push(start.elapsed().as_secs_f64() * 1e6);
        let fault = match masks {
            Err(error) => Some(("compile_error", error.to_string())),
            Ok(masks) => counts.instances(&masks, &case.tests, tokenizer, &mut masked)?,
        };
        match fault {
            None => counts.passing += 1,
            Some((kind, reason)) => {
                match kind {
                    "compile_error" => counts.compile_errors += 1,
                    "validation_error" => counts.validation_errors += 1,
                    _ => counts.invalidation_errors += 1,
                }
                counts.failures.push(Fault { line: index + 1, kind, reason });
            }
        }
    }
    counts.compile_microseconds = Spread::of(compiled);
    counts.mask_microseconds = Spread::of(masked);
    if json {
        output::print_json(&counts)?
    } else {
        counts.print()?
    }
    Ok(Exit::Done)
}

impl Counts {
    /// What is wrong with the instances of a schema; letting an invalid one through is the graver fault.
    fn instances(
        &mut self,
        masks: &Masks,
        tests: &[Test],
        tokenizer: &Tokenizer,
        times: &mut Vec<f64>,
    ) -> Result<Option<(&'static str, String)>, Failure> {
        let (mut refused, mut let_through) = (None, None);
        for (index, test) in tests.iter().enumerate() {
            let mut accepted = Vec::new();
            for text in [test.data.to_string(), spaced(&test.data)] {
                match walk(masks.clone(), tokenizer, &text) {
                    Ok(walk) => {
                        times.extend(walk.times);
                        accepted.push(walk.accepted);
                    }
                    // Too complex to follow: neither accepted nor let through.
                    Err(failure) => {
                        refused = Some(format!("instance {index}: {}", failure.message));
                        accepted.push(false);
                    }
                }
            }
            if test.valid {
                self.valid_instances += 1;
                match accepted.iter().all(|&accepted| accepted) {
                    true => self.valid_accepted += 1,
                    false => refused = refused.or(Some(format!("instance {index} is valid and was refused"))),
                }
            } else {
                self.invalid_instances += 1;
                match accepted.iter().any(|&accepted| accepted) {
                    false => self.invalid_refused += 1,
                    true => let_through = Some(format!("instance {index} is invalid and was let through")),
                }
            }
        }
        let let_through = let_through.map(|reason| ("invalidation_error", reason));
        Ok(let_through.or(refused.map(|reason| ("validation_error", reason))))
    }

    fn print(&self) -> Result<(), Failure> {
        for fault in &self.failures {
            output::note(&format!("line {}: {}: {}", fault.line, fault.kind, fault.reason));
        }
        let mut table = Table::facts();
        table.fact("schemas", self.schemas);
        table.fact("passing", self.passing);
        table.fact("compile errors", self.compile_errors);
        table.fact("validation errors", self.validation_errors);
        table.fact("invalidation errors", self.invalidation_errors);
        table
            .fact("valid instances accepted", format!("{} of {}", self.valid_accepted, self.valid_instances));
        table.fact(
            "invalid instances refused",
            format!("{} of {}", self.invalid_refused, self.invalid_instances),
        );
        for (name, spread) in [("compile", &self.compile_microseconds), ("mask", &self.mask_microseconds)] {
            let Spread { median, p99, max, .. } = spread;
            table.fact(&format!("{name}, microseconds"), format!("median {median}, p99 {p99}, max {max}"));
        }
        output::print(&table.to_string())
    }
}
