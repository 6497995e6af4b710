//! What a trial showed: a table with a summary, or JSON.

use std::fmt;

use serde::Serialize;

use super::cases::Case;
use super::compare::Outcome;
use crate::output::{Align, Table, excerpt};

/// Characters of an answer in the table.
const SHOWN: usize = 60;

#[derive(Debug, Serialize)]
pub struct Report {
    backends: Vec<String>,
    cases: Vec<Row>,
    summary: Summary,
}

/// A case with the outcome of each backend.
#[derive(Debug, Serialize)]
struct Row {
    line: usize,
    outcomes: Vec<Outcome>,
    /// Whether all say the same, if there are several.
    same: Option<bool>,
    /// In what each of the others differs from the first.
    differences: Vec<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Summary {
    cases: usize,
    same: Option<Share>,
    backends: Vec<OfBackend>,
}

#[derive(Debug, Serialize)]
struct OfBackend {
    errors: usize,
    valid: Option<Share>,
    expected: Option<Share>,
    median_seconds: Option<f64>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Share {
    count: usize,
    of: usize,
    share: f64,
}

impl Share {
    /// Of the answers that there are; none if there are none.
    fn of(answers: impl Iterator<Item = Option<bool>>) -> Option<Self> {
        let (mut count, mut of) = (0, 0);
        for yes in answers.flatten() {
            of += 1;
            count += usize::from(yes);
        }
        (of > 0).then(|| Self { count, of, share: count as f64 / of as f64 })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} ({:.1} %)", self.count, self.of, self.share * 100.0)
    }
}

impl Report {
    pub fn new(backends: Vec<String>, cases: &[Case], outcomes: Vec<Vec<Outcome>>) -> Self {
        let rows = cases.iter().zip(outcomes).map(|(case, outcomes)| {
            let (first, others) =
                outcomes.split_first().map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
            let differences: Vec<_> =
                others.iter().filter_map(|other| Some(first?.differences(other))).collect();
            let same = (!differences.is_empty()).then(|| differences.iter().all(Vec::is_empty));
            Row { line: case.line, same, differences, outcomes }
        });
        let rows: Vec<Row> = rows.collect();
        let of_backend = |index: usize| {
            let outcomes = || rows.iter().map(move |row| &row.outcomes[index]);
            let mut seconds: Vec<f64> = outcomes().filter_map(|outcome| outcome.seconds).collect();
            seconds.sort_by(f64::total_cmp);
            OfBackend {
                errors: outcomes().filter(|outcome| outcome.error.is_some()).count(),
                valid: Share::of(outcomes().map(|outcome| outcome.valid)),
                expected: Share::of(outcomes().map(|outcome| outcome.expected)),
                median_seconds: seconds.get(seconds.len() / 2).copied(),
            }
        };
        let summary = Summary {
            cases: rows.len(),
            same: Share::of(rows.iter().map(|row| row.same)),
            backends: (0..backends.len()).map(of_backend).collect(),
        };
        Self { backends, cases: rows, summary }
    }

    /// Whether the shares that were asked for are reached.
    pub fn is_enough(&self, min_same: Option<f64>, min_expected: Option<f64>) -> bool {
        let reaches = |share: Option<Share>, least: Option<f64>| {
            least.is_none_or(|least| share.is_some_and(|share| share.share >= least))
        };
        reaches(self.summary.same, min_same)
            && self.summary.backends.iter().all(|backend| reaches(backend.expected, min_expected))
    }
}

/// A, B, ..., then numbers.
fn letter(index: usize) -> String {
    u8::try_from(index)
        .ok()
        .filter(|index| *index < 26)
        .map_or_else(|| (index + 1).to_string(), |index| char::from(b'A' + index).to_string())
}

fn yes(answer: Option<bool>) -> String {
    match answer {
        None => "-".to_owned(),
        Some(true) => "yes".to_owned(),
        Some(false) => "NO".to_owned(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.backends.iter().enumerate() {
            writeln!(f, "{} = {}", letter(index), excerpt(name, 200))?;
        }
        writeln!(f)?;
        let mut table = Table::new(&[
            ("line", Align::Right),
            ("", Align::Left),
            ("as A", Align::Left),
            ("valid", Align::Left),
            ("expected", Align::Left),
            ("seconds", Align::Right),
            ("tokens", Align::Right),
            ("answer", Align::Left),
        ]);
        for row in &self.cases {
            for (index, outcome) in row.outcomes.iter().enumerate() {
                let compared = match index.checked_sub(1).map(|other| &row.differences[other]) {
                    None => String::new(),
                    Some(differences) if differences.is_empty() => "same".to_owned(),
                    Some(differences) => excerpt(&differences.join(" "), SHOWN),
                };
                let answer = match (&outcome.error, &outcome.text) {
                    (Some(error), _) => excerpt(&format!("{}: {}", error.code, error.message), SHOWN * 2),
                    (None, Some(text)) if !text.is_empty() => excerpt(text, SHOWN),
                    _ => {
                        let names = outcome.tool_calls.iter().filter_map(|call| call["name"].as_str());
                        excerpt(&format!("calls {}", names.collect::<Vec<_>>().join(", ")), SHOWN)
                    }
                };
                table.row([
                    if index == 0 { row.line.to_string() } else { String::new() },
                    letter(index),
                    compared,
                    yes(outcome.valid),
                    yes(outcome.expected),
                    outcome.seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.2}")),
                    outcome.generated_tokens.map_or("-".to_owned(), |tokens| tokens.to_string()),
                    answer,
                ]);
            }
        }
        writeln!(f, "{table}")?;
        writeln!(f, "cases: {}", self.summary.cases)?;
        if let Some(same) = self.summary.same {
            writeln!(f, "same: {same}")?;
        }
        for (index, backend) in self.summary.backends.iter().enumerate() {
            let mut parts = Vec::new();
            parts.extend(backend.valid.map(|share| format!("valid {share}")));
            parts.extend(backend.expected.map(|share| format!("expected {share}")));
            parts.push(format!("errors {}", backend.errors));
            parts.extend(backend.median_seconds.map(|seconds| format!("median {seconds:.2} s")));
            writeln!(f, "{}: {}", letter(index), parts.join(", "))?;
        }
        Ok(())
    }
}
