//! The outcome of a verification, as it is printed.

use std::fmt;

use pinfold::VerifyReport;
use pinfold::verify::{Cause, Difference, FileReport, GoldenOutcome, GoldenReport};
use serde::Serialize;

use super::difference;
use crate::output::{Align, Table, excerpt};

#[derive(Serialize)]
pub struct Report<'a> {
    pub passed: bool,
    files: Vec<File<'a>>,
    goldens: Vec<Golden<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    name: &'a str,
    passed: bool,
    causes: &'a [Cause],
    detail: &'a str,
}

#[derive(Serialize)]
struct Golden<'a> {
    name: &'a str,
    checkpoint: &'a str,
    outcome: GoldenOutcome,
    /// Whether it was compared byte for byte.
    exact: bool,
    cause: Option<Cause>,
    first_difference: Option<Place<'a>>,
    deviation: f32,
    detail: &'a str,
}

#[derive(Serialize)]
struct Place<'a> {
    index: u32,
    expected_token: Option<u32>,
    actual_token: Option<u32>,
    expected_text: &'a str,
    actual_text: &'a str,
    margin: Option<f32>,
}

impl<'a> Report<'a> {
    pub fn new(report: &'a VerifyReport) -> Self {
        Self {
            passed: report.passed(),
            files: report.files.iter().map(File::new).collect(),
            goldens: report.goldens.iter().map(Golden::new).collect(),
        }
    }
}

impl<'a> File<'a> {
    fn new(file: &'a FileReport) -> Self {
        Self { name: &file.name, passed: file.passed, causes: &file.causes, detail: &file.detail }
    }
}

impl<'a> Golden<'a> {
    fn new(golden: &'a GoldenReport) -> Self {
        Self {
            name: &golden.name,
            checkpoint: &golden.checkpoint,
            outcome: golden.outcome,
            exact: golden.exact,
            cause: golden.cause,
            first_difference: golden.difference.as_ref().map(Place::new),
            deviation: golden.deviation,
            detail: &golden.detail,
        }
    }

    fn outcome(&self) -> &'static str {
        match self.outcome {
            GoldenOutcome::Same => "same",
            GoldenOutcome::WithinTolerance => "within tolerance",
            GoldenOutcome::Different => "DIFFERENT",
            GoldenOutcome::NotRun => "NOT RUN",
        }
    }
}

impl<'a> Place<'a> {
    fn new(found: &'a Difference) -> Self {
        Self {
            index: found.index,
            expected_token: found.expected_token,
            actual_token: found.actual_token,
            expected_text: &found.expected_text,
            actual_text: &found.actual_text,
            margin: found.margin,
        }
    }
}

/// For people: a table, then what is to be said of each that is not the same.
impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.files.is_empty() {
            write!(f, "{}", self.table_of_files())?;
        }
        if !self.goldens.is_empty() {
            let between = if self.files.is_empty() { "" } else { "\n" };
            write!(f, "{between}{}", self.table_of_goldens())?;
        }
        for file in self.files.iter().filter(|file| !file.passed) {
            write!(f, "\n{}: {}\n", excerpt(file.name, 80), excerpt(file.detail, 1000))?;
        }
        for golden in self.goldens.iter().filter(|golden| golden.outcome != GoldenOutcome::Same) {
            write!(f, "\n{}: {}\n", excerpt(golden.name, 80), excerpt(golden.detail, 1000))?;
            if let Some(place) = &golden.first_difference {
                write!(f, "{place}")?;
            }
        }
        self.say_what_is_not_exact(f)
    }
}

impl Report<'_> {
    fn table_of_files(&self) -> Table {
        let mut table = Table::new(&["file", "outcome", "cause"].map(|name| (name, Align::Left)));
        for file in &self.files {
            let outcome = if file.passed { "as pinned" } else { "NOT AS PINNED" };
            table.row([excerpt(file.name, 80), outcome.into(), words(file.causes)]);
        }
        table
    }

    fn table_of_goldens(&self) -> Table {
        let columns = ["golden", "checkpoint", "outcome", "cause"];
        let mut table = Table::new(&columns.map(|name| (name, Align::Left)));
        for golden in &self.goldens {
            let (name, checkpoint) = (excerpt(golden.name, 80), excerpt(golden.checkpoint, 80));
            table.row([name, checkpoint, golden.outcome().into(), words(golden.cause.as_slice())]);
        }
        table
    }

    fn say_what_is_not_exact(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let same = |golden: &&Golden<'_>| golden.outcome == GoldenOutcome::Same && !golden.exact;
        let elsewhere: Vec<_> = self.goldens.iter().filter(same).collect();
        if elsewhere.is_empty() {
            return Ok(());
        }
        let most = elsewhere.iter().map(|golden| golden.deviation).fold(0.0, f32::max);
        writeln!(
            f,
            "\n{} of the same were recorded by another version or processor, so they were compared by margin: \
             log-probabilities deviate by {most:.4} nats at most",
            elsewhere.len()
        )
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [expected, actual, mark] = difference::lines(self.expected_text, self.actual_text);
        writeln!(f, "  recorded  {expected}")?;
        writeln!(f, "  now       {actual}")?;
        write!(f, "            {mark} ")?;
        if (self.expected_token, self.actual_token) == (None, None) {
            return writeln!(f, "the tokens are the same");
        }
        let id = |token: Option<u32>| token.map_or_else(|| "the end".into(), |id| id.to_string());
        let (recorded, now) = (id(self.expected_token), id(self.actual_token));
        write!(f, "token {}: {recorded} was recorded, {now} is chosen now", self.index)?;
        match self.margin {
            Some(margin) => writeln!(f, " (margin of its logit: {margin:+.3})"),
            None => writeln!(f),
        }
    }
}

/// The words of JSON, for people.
fn words(causes: &[Cause]) -> String {
    let word = |cause: &Cause| Some(serde_json::to_value(cause).ok()?.as_str()?.replace('_', " "));
    match causes {
        [] => "-".into(),
        causes => causes.iter().filter_map(word).collect::<Vec<_>>().join(", "),
    }
}
