//! Few-shot examples: what a prompt shows a model before it asks, and how they are chosen from many.
//!
//! In the front matter of a prompt file, `pinfold.examples` is a list of maps, or says where the examples are and
//! which of them are shown:
//!
//! ```yaml
//! pinfold.examples:
//!   file: examples.jsonl     # beside the prompt; or `list:` with the maps
//!   select: mmr              # all (default), length, similar, mmr
//!   count: 4                 # at most
//!   budget: 2000             # bytes of the examples and the query together, at most
//!   by: [question]           # the variables of an example that are compared
//!   query: [question]        # the inputs of the prompt that they are compared with
//!   lambda: 0.5              # for mmr: 1 looks at the query alone, 0 at variety alone
//!   model: embedder          # what embeds, for similar and mmr
//! ```
//!
//! The body sees them as `{{#each examples}}`, the keys of an example as its variables. They are values as any other:
//! sealed.

mod read;
pub mod select;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cancel::Cancel;
use crate::checkpoint::Digest;
use crate::embedder::Embedder;
use crate::error::{Error, Result};
use crate::prompt::Values;

/// Examples that are shown where `count` does not say how many.
const COUNT: usize = 4;

/// Which examples are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Select {
    /// All, in their order.
    #[default]
    All,
    /// The first ones, as many as the budget has room for.
    Length,
    /// Those that are most like the query, the likest first.
    Similar,
    /// Those that are like the query and unlike each other: [maximal marginal relevance](select::marginal).
    Mmr,
}

/// How examples are chosen. See the [module](self).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    /// Which.
    pub select: Select,
    /// How many at most; for [`Select::Similar`] and [`Select::Mmr`] 4 where nothing is said, else all.
    pub count: Option<usize>,
    /// Bytes (UTF-8) that the values of the chosen examples and of the query may have together. The first example
    /// that does not fit ends the choice.
    pub budget: Option<usize>,
    /// The variables of an example whose texts are compared; by default those that are inputs of the prompt too.
    pub by: Vec<String>,
    /// The inputs of the prompt whose texts are compared and count for the budget; by default those that `by` names,
    /// and all for [`Select::Length`].
    pub query: Vec<String>,
    /// The weight of likeness to the query against variety, 0 to 1, for [`Select::Mmr`]; 0.5 where nothing is said.
    pub lambda: Option<f32>,
    /// The name of the model that embeds.
    pub model: Option<String>,
}

/// The examples of a prompt, with how they are chosen. Immutable.
#[derive(Debug, Clone, PartialEq)]
pub struct FewShot {
    examples: Vec<Values>,
    selection: Selection,
    place: Place,
    file_digest: Option<Digest>,
}

/// Where examples are declared, for messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The prompt file.
    pub path: PathBuf,
    /// The line of `examples`, from 1.
    pub line: usize,
}

impl FewShot {
    /// Examples that all have the same keys, chosen by `selection`.
    ///
    /// # Errors
    /// [`Error::BadPrompt`] at `place` for an example with other keys than the first one, and for a selection whose
    /// parts do not go together or are out of their range.
    pub fn new(examples: Vec<Values>, selection: Selection, place: Place) -> Result<Self> {
        selection.check().map_err(|reason| place.bad(reason))?;
        if let Some(first) = examples.first() {
            for (index, example) in examples.iter().enumerate() {
                read::same_keys(first, example)
                    .map_err(|reason| place.bad(format!("example {} {reason}", index + 1)))?;
            }
            if let Some(name) = selection.by.iter().find(|name| !first.contains_key(*name)) {
                return Err(place.bad(format!("`by` names {name:?}, which the examples do not have")));
            }
        }
        Ok(Self { examples, selection, place, file_digest: None })
    }

    /// All examples.
    pub fn examples(&self) -> &[Values] {
        &self.examples
    }

    /// How they are chosen.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The SHA-256 of the file of examples, if they came from one.
    pub fn file_digest(&self) -> Option<Digest> {
        self.file_digest
    }

    /// The line of the prompt file that declares them, from 1.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// Whether an [`Embedder`] is needed to choose.
    pub fn needs_embedder(&self) -> bool {
        matches!(self.selection.select, Select::Similar | Select::Mmr) && !self.examples.is_empty()
    }

    /// Checks that the selection fits to the inputs of a prompt.
    ///
    /// # Errors
    /// [`Error::BadPrompt`] if `query` names another input, or nothing is there to compare.
    pub fn check(&self, inputs: &[&str]) -> Result<()> {
        if let Some(name) = self.selection.query.iter().find(|name| !inputs.contains(&name.as_str())) {
            return Err(self.place.bad(format!("`query` names {name:?}, which is no input of the prompt")));
        }
        if self.needs_embedder() {
            let query = self.query(inputs);
            if let Some(name) = query.iter().find(|name| !inputs.contains(name)) {
                let reason = format!(
                    "the examples are compared by {name:?}, which is no input: say by `query` what is"
                );
                return Err(self.place.bad(reason));
            }
            if query.is_empty() {
                let reason = "no variable of the examples is an input of the prompt: say by `by` and `query` what is \
                              compared with what";
                return Err(self.place.bad(reason.into()));
            }
        }
        Ok(())
    }

    /// The examples for these inputs of the prompt. `embedder` is needed if [`needs_embedder`](Self::needs_embedder).
    ///
    /// # Errors
    /// [`Error::Unsupported`] if there is no embedder, [`Error::BadVariable`] if no input is given that examples are
    /// compared with, and those of [`Embedder::embed`].
    pub fn select(
        &self,
        values: &Values,
        embedder: Option<&Embedder>,
        cancel: &Cancel,
    ) -> Result<Vec<&Values>> {
        let order: Vec<usize> = match self.needs_embedder() {
            false => (0..self.examples.len()).collect(),
            true => self.nearest(values, embedder, cancel)?,
        };
        let chosen = order.into_iter().map(|index| &self.examples[index]);
        let chosen = chosen.take(self.selection.count.unwrap_or(usize::MAX));
        let Some(budget) = self.selection.budget else { return Ok(chosen.collect()) };
        let inputs: Vec<&str> = values.keys().map(String::as_str).collect();
        let used = texts(values, &self.query(&inputs)).iter().map(String::len).sum();
        Ok(select::fitting(chosen, budget, used, bytes))
    }

    fn nearest(&self, values: &Values, embedder: Option<&Embedder>, cancel: &Cancel) -> Result<Vec<usize>> {
        let embedder = embedder.ok_or_else(|| Error::Unsupported {
            what: format!(
                "{}: its examples are chosen by likeness: give an embedder",
                self.place.path.display()
            ),
        })?;
        let inputs: Vec<&str> = values.keys().map(String::as_str).collect();
        let names = self.query(&inputs);
        let query = texts(values, &names);
        if query.is_empty() {
            return Err(Error::BadVariable {
                path: self.place.path.clone(),
                line: self.place.line,
                name: names.join(", "),
                reason: "it is missing, and the examples are chosen by it".into(),
            });
        }
        let by = self.by(&inputs);
        let examples: Vec<String> =
            self.examples.iter().map(|example| texts(example, &by).join("\n")).collect();
        let examples: Vec<&str> = examples.iter().map(String::as_str).collect();
        let vectors = embedder.embed_kept(&examples, cancel)?;
        let query = embedder.embed(&[&query.join("\n")], cancel)?.swap_remove(0);
        let count = self.selection.count.unwrap_or(COUNT);
        Ok(match self.selection.select {
            Select::Mmr => {
                select::marginal(&query, &vectors, count, self.selection.lambda.unwrap_or(select::LAMBDA))
            }
            _ => select::nearest(&query, &vectors, count),
        })
    }

    /// The variables of an example that are compared.
    fn by<'a>(&'a self, inputs: &[&str]) -> Vec<&'a str> {
        if !self.selection.by.is_empty() {
            return self.selection.by.iter().map(String::as_str).collect();
        }
        let first = self.examples.first().map(Values::keys).into_iter().flatten();
        let keys: Vec<&str> = first.map(String::as_str).collect();
        let both: Vec<&str> = keys.iter().copied().filter(|key| inputs.contains(key)).collect();
        // With a query of other names, all of an example is looked at.
        if both.is_empty() && !self.selection.query.is_empty() { keys } else { both }
    }

    /// The inputs that examples are compared with.
    fn query<'a>(&'a self, inputs: &[&'a str]) -> Vec<&'a str> {
        if !self.selection.query.is_empty() {
            return self.selection.query.iter().map(String::as_str).collect();
        }
        if self.needs_embedder() { self.by(inputs) } else { inputs.to_vec() }
    }
}

impl Selection {
    fn check(&self) -> Result<(), String> {
        let near = matches!(self.select, Select::Similar | Select::Mmr);
        if self.select == Select::Length && self.budget.is_none() {
            return Err("`select: length` needs a `budget` of bytes".into());
        }
        if self.count == Some(0) {
            return Err("`count` is 0: it is at least 1".into());
        }
        if let Some(lambda) = self.lambda {
            if self.select != Select::Mmr {
                return Err("`lambda` is for `select: mmr` alone".into());
            }
            if !(0.0..=1.0).contains(&lambda) {
                return Err(format!("`lambda` is {lambda}: it is from 0 to 1"));
            }
        }
        for (name, given) in [("by", !self.by.is_empty()), ("model", self.model.is_some())] {
            if given && !near {
                return Err(format!("`{name}` is for `select: similar` and `select: mmr` alone"));
            }
        }
        if !self.query.is_empty() && !near && self.budget.is_none() {
            return Err("`query` has no use without a `budget`, `select: similar` or `select: mmr`".into());
        }
        Ok(())
    }
}

impl Place {
    fn bad(&self, reason: String) -> Error {
        Error::BadPrompt { path: self.path.clone(), line: self.line, column: 1, reason }
    }
}

/// The texts of the variables that are given: strings as they are, other values as JSON.
fn texts(values: &Values, names: &[&str]) -> Vec<String> {
    let given = names.iter().filter_map(|name| values.get(*name)).filter(|value| !value.is_null());
    given.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect()
}

fn bytes(example: &&Values) -> usize {
    example.values().map(|value| value.as_str().map_or_else(|| json_bytes(value), str::len)).sum()
}

fn json_bytes(value: &Value) -> usize {
    value.to_string().len()
}

#[cfg(test)]
mod tests;
