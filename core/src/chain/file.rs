//! The chain file: YAML with steps, read strictly.

use super::condition::Condition;
use super::reference::{Reference, Source};
use crate::prompt::yaml::{Entry, Fault, Node, Parsed, Place, unknown};

/// Steps of a chain at most.
const STEPS: usize = 200;

/// How often a jump back may be taken at most.
const TIMES: i64 = 1000;

/// A chain file before its prompts are looked at.
pub(super) struct File {
    /// The schema of the inputs, as it is written.
    pub input: Option<Node>,
    pub steps: Vec<Step>,
    pub output: Option<Output>,
}

/// One step, as it is written.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub id: String,
    pub place: Place,
    /// The prompt file, beside the chain file.
    pub prompt: String,
    pub prompt_place: Place,
    /// Whether a person answers instead of a backend.
    pub human: bool,
    pub backend: Option<String>,
    pub model: Option<String>,
    pub inputs: Vec<Input>,
    pub when: Option<(Place, Condition)>,
    pub foreach: Option<(Place, Reference)>,
    pub next: Vec<Jump>,
}

/// What a variable of a prompt is given.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub name: String,
    pub place: Place,
    pub source: Source,
}

/// Where a run goes on after a step.
#[derive(Debug, Clone)]
pub(super) struct Jump {
    pub place: Place,
    pub when: Option<Condition>,
    /// The place of the step in the file; the number of steps for the end.
    pub to: usize,
    /// How often at most, in a run; for jumps that lead back.
    pub times: Option<u32>,
}

/// What a chain gives.
#[derive(Debug, Clone)]
pub(super) enum Output {
    One(Place, Source),
    Map(Vec<Input>),
}

pub(super) fn read(node: &Node) -> Parsed<File> {
    node.known_entries("a chain", &["description", "input", "steps", "output"])?;
    if let Some(description) = node.get("description") {
        description.require_text("`description`")?;
    }
    let steps = node.get("steps").ok_or_else(|| node.fault("a chain needs `steps`"))?;
    let nodes = steps.items("`steps`")?;
    if nodes.is_empty() || nodes.len() > STEPS {
        return Err(steps.fault(format!("there are {} steps; a chain has 1 to {STEPS}", nodes.len())));
    }
    let ids = nodes.iter().map(id).collect::<Parsed<Vec<_>>>()?;
    for (index, (node, id)) in nodes.iter().zip(&ids).enumerate() {
        if ids[..index].contains(id) {
            return Err(node.fault(format!("two steps are named {id:?}")));
        }
    }
    let read = |(index, node)| step(node, index, &ids);
    let steps = nodes.iter().enumerate().map(read).collect::<Parsed<Vec<_>>>()?;
    Ok(File { input: node.get("input").cloned(), steps, output: node.get("output").map(output).transpose()? })
}

fn id(node: &Node) -> Parsed<&str> {
    node.entries("a step")?;
    let id = node.get("id").ok_or_else(|| node.fault("a step needs an `id`"))?;
    let text = id.require_text("`id`")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match text.chars().all(plain) && !text.is_empty() && text != "end" {
        true => Ok(text),
        false => Err(id.fault("an `id` has letters (a to z), digits, `_` and `-`, and is not `end`")),
    }
}

fn step(node: &Node, index: usize, ids: &[&str]) -> Parsed<Step> {
    let known = ["id", "prompt", "human", "backend", "model", "inputs", "when", "foreach", "next"];
    node.known_entries("a step", &known)?;
    let text = |key: &str| {
        let found = node.get(key).map(|node| node.require_text(&format!("`{key}`")));
        Ok(found.transpose()?.map(str::to_owned))
    };
    let (file, human) = match (node.get("prompt"), node.get("human")) {
        (Some(file), None) => (file, false),
        (None, Some(file)) => (file, true),
        _ => return Err(node.fault("a step has either a `prompt` or a `human`: the name of a prompt file")),
    };
    let forbidden = if human { &["backend", "model", "foreach"][..] } else { &[] };
    if let Some(key) = forbidden.iter().find(|key| node.get(key).is_some()) {
        return Err(node.fault(format!("a step that a person answers has no `{key}`")));
    }
    let when = node.get("when").map(|node| Ok((node.place, Condition::read(node)?))).transpose()?;
    let foreach =
        node.get("foreach").map(|node| Ok((node.place, Reference::read(node, "`foreach`")?))).transpose()?;
    Ok(Step {
        id: ids[index].to_owned(),
        place: node.place,
        prompt: file.require_text(if human { "`human`" } else { "`prompt`" })?.to_owned(),
        prompt_place: file.place,
        human,
        backend: text("backend")?,
        model: text("model")?,
        inputs: node.get("inputs").map_or(Ok(Vec::new()), |node| inputs(node, "`inputs`"))?,
        when,
        foreach,
        next: node.get("next").map_or(Ok(Vec::new()), |node| jumps(node, index, ids))?,
    })
}

fn inputs(node: &Node, what: &str) -> Parsed<Vec<Input>> {
    let read = |entry: &Entry| {
        let source = Source::read(&entry.node, &format!("{what}: {:?}", entry.key))?;
        Ok(Input { name: entry.key.clone(), place: entry.place, source })
    };
    node.entries(what)?.iter().map(read).collect()
}

fn output(node: &Node) -> Parsed<Output> {
    match node.text() {
        Some(_) => Ok(Output::One(node.place, Source::read(node, "`output`")?)),
        None => inputs(node, "`output`").map(Output::Map),
    }
}

fn jumps(node: &Node, from: usize, ids: &[&str]) -> Parsed<Vec<Jump>> {
    let jumps = match node.items("`next`") {
        Ok(items) => items.iter().map(|item| jump(item, from, ids)).collect::<Parsed<Vec<_>>>()?,
        Err(_) => vec![jump(node, from, ids)?],
    };
    // A jump back falls through once it is spent.
    let always = jumps.iter().position(|jump| jump.when.is_none() && jump.times.is_none());
    match always.and_then(|index| jumps.get(index + 1)) {
        Some(never) => {
            Err(Fault::new(never.place, "it is never reached: the one before it has no condition"))
        }
        None => Ok(jumps),
    }
}

fn jump(node: &Node, from: usize, ids: &[&str]) -> Parsed<Jump> {
    let to = match node.text() {
        Some(_) => node,
        None => {
            node.known_entries("`next`", &["step", "when", "times"])?;
            node.get("step").ok_or_else(|| node.fault("`next` needs a `step`"))?
        }
    };
    let name = to.require_text("`step`")?;
    let found = ids.iter().position(|id| *id == name).or_else(|| (name == "end").then_some(ids.len()));
    let to = found.ok_or_else(|| to.fault(unknown("step", name, ids)))?;
    let when = node.get("when").map(Condition::read).transpose()?;
    let times = match node.get("times").map(|times| (times, times.json())) {
        None => None,
        Some((times, value)) => {
            let number = value.as_i64().filter(|number| (1..=TIMES).contains(number));
            let number = number.and_then(|number| u32::try_from(number).ok());
            Some(number.ok_or_else(|| times.fault(format!("`times` is a number from 1 to {TIMES}")))?)
        }
    };
    match (to <= from, times) {
        (true, None) => Err(node.fault(format!(
            "it leads back to {name:?}: say how often at most, by {{step: {name}, times: N}}"
        ))),
        (false, Some(_)) => Err(node.fault("`times` is for a jump that leads back")),
        _ => Ok(Jump { place: node.place, when, to, times }),
    }
}

impl Output {
    /// What is taken from the run, with the places.
    pub fn sources(&self) -> Vec<(Place, &Source)> {
        match self {
            Self::One(place, source) => vec![(*place, source)],
            Self::Map(entries) => entries.iter().map(|entry| (entry.place, &entry.source)).collect(),
        }
    }
}
