//! The state of a run: all that is needed to go on with it, as JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Plan, validate};
use crate::digest::Digest;
use crate::prompt::Values;

/// The version of the format.
const VERSION: u32 = 1;

/// Bytes of a state at most.
const BYTES: usize = 256 << 20;

/// Whether a run may go on with a chain that was changed since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Changed {
    /// It is an error.
    #[default]
    Refuse,
    /// It may, if what it has so far still fits.
    Allow,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    pinfold_chain: u32,
    /// The chain file.
    chain: PathBuf,
    /// The digest of each file that the run began with; that of the chain under no name.
    files: BTreeMap<String, String>,
    /// The inputs.
    pub values: Values,
    /// The output of each step that ran.
    pub outputs: Map<String, Value>,
    /// The step that is next; none when the run is done.
    pub next: Option<String>,
    /// The step that ran last.
    pub last: Option<String>,
    /// How often each jump back was taken: the step and the place in its `next`.
    pub jumps: BTreeMap<String, Vec<u32>>,
    /// The outputs so far of a `foreach` that was not finished.
    pub items: Vec<Value>,
    /// The answer of a person that the next step waited for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<Value>,
}

impl State {
    pub fn new(plan: &Plan, values: Values) -> Self {
        Self {
            pinfold_chain: VERSION,
            chain: std::path::absolute(&plan.path).unwrap_or_else(|_| plan.path.clone()),
            files: files(plan),
            values,
            outputs: Map::new(),
            next: plan.file.steps.first().map(|step| step.id.clone()),
            last: None,
            jumps: BTreeMap::new(),
            items: Vec::new(),
            answer: None,
        }
    }

    /// Reads a state and checks that it belongs to a chain.
    pub fn read(plan: &Plan, text: &str, changed: Changed) -> Result<Self, String> {
        let mut state = parse(text)?;
        let now = files(plan);
        if state.files != now && changed == Changed::Refuse {
            let name =
                |name: &str| if name.is_empty() { "the chain".to_owned() } else { format!("{name:?}") };
            let names = now.keys().chain(state.files.keys().filter(|name| !now.contains_key(*name)));
            let differing = names.filter(|name| now.get(*name) != state.files.get(*name));
            let differing: Vec<String> = differing.map(|changed| name(changed)).collect();
            return Err(format!(
                "{} changed since this run began: start anew, or allow it",
                differing.join(", ")
            ));
        }
        state.files = now;
        let known = |id: &String| plan.step(id).is_some();
        if let Some(id) = state.next.as_ref().filter(|id| !known(id)) {
            return Err(format!("the chain has no step {id:?} any more: start anew"));
        }
        state.last = state.last.filter(known);
        state.outputs.retain(|id, _| known(id));
        state.jumps.retain(|id, _| known(id));
        for (id, output) in &state.outputs {
            let Some(index) = plan.step(id) else { continue };
            validate::value(&plan.schemas.outputs[index], output)
                .map_err(|(path, reason)| format!("the output of step {id:?}{path}: {reason}"))?;
        }
        Ok(state)
    }

    pub fn json(&self) -> String {
        // Maps with names for keys and JSON values cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// The chain file of a state.
pub(super) fn chain_of(text: &str) -> Result<PathBuf, String> {
    parse(text).map(|state| state.chain)
}

fn parse(text: &str) -> Result<State, String> {
    if text.len() > BYTES {
        return Err(format!("it has {} bytes; a saved run has {BYTES} at most", text.len()));
    }
    #[derive(Deserialize)]
    struct Version {
        pinfold_chain: u32,
    }
    // What serde says may quote a value, so its place is all that is told.
    let at = |error: &serde_json::Error| format!("line {}, column {}", error.line(), error.column());
    let version: Version = serde_json::from_str(text)
        .map_err(|error| format!("it is not the state of a chain that was saved ({})", at(&error)))?;
    if version.pinfold_chain != VERSION {
        let found = version.pinfold_chain;
        return Err(format!("it has version {found} of the format; this program reads {VERSION}"));
    }
    serde_json::from_str(text).map_err(|error| format!("it is damaged ({})", at(&error)))
}

fn files(plan: &Plan) -> BTreeMap<String, String> {
    plan.digests.iter().map(|(name, digest): (_, &Digest)| (name.clone(), digest.to_string())).collect()
}
