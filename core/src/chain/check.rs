//! What is checked before anything runs: that every step is reached, that every variable is given, and that the
//! types fit.

use serde_json::Value;

use super::condition::{Condition, Test, same};
use super::file::{File, Input, Jump, Step};
use super::reference::{Reference, Root, Source};
use super::schema::{self, Types};
use crate::prompt::yaml::{Fault, Parsed, Place, unknown};

/// What the schemas of a chain are.
pub(super) struct Schemas {
    /// Of the chain's inputs.
    pub input: Value,
    /// Of the inputs of each step's prompt.
    pub inputs: Vec<Value>,
    /// Of the output of each step.
    pub outputs: Vec<Value>,
}

/// What is known of a value before it is there.
struct Known {
    types: Types,
    /// Whether it is there for sure.
    always: bool,
}

pub(super) fn check(file: &File, schemas: &Schemas) -> Parsed<()> {
    let edges: Vec<Vec<usize>> =
        (0..file.steps.len()).map(|index| edges(index, &file.steps[index])).collect();
    let dominators = dominators(&edges);
    if let Some((step, _)) = file.steps.iter().zip(&dominators).find(|(_, found)| found.is_none()) {
        return Err(Fault::new(step.place, format!("step {:?} is never reached", step.id)));
    }
    let checker = Checker { file, schemas, dominators };
    for (index, step) in file.steps.iter().enumerate() {
        checker.step(index, step)?;
    }
    let end = file.steps.len();
    for (place, source) in file.output.iter().flat_map(|output| output.sources()) {
        let known = checker.source(At { place, index: end, guard: None, item: None }, source)?;
        if !known.always {
            return Err(may_be_missing(place, "the output"));
        }
    }
    Ok(())
}

/// Where a run may go on after a step; the number of steps is the end.
fn edges(index: usize, step: &Step) -> Vec<usize> {
    let mut edges: Vec<usize> = step.next.iter().map(|jump| jump.to).collect();
    // A jump back falls through once it is spent, a step that is skipped does too.
    let leaves = |jump: &Jump| jump.when.is_none() && jump.times.is_none();
    if step.when.is_some() || !step.next.iter().any(leaves) {
        edges.push(index + 1);
    }
    edges
}

/// For each step and the end, through which steps every way from the start leads; `None` if no way leads there.
fn dominators(edges: &[Vec<usize>]) -> Vec<Option<Vec<bool>>> {
    let count = edges.len() + 1;
    let mut found: Vec<Option<Vec<bool>>> = vec![None; count];
    let only = |index: usize| (0..count).map(|other| other == index).collect::<Vec<bool>>();
    found[0] = Some(only(0));
    let mut changed = true;
    while changed {
        changed = false;
        for (from, targets) in edges.iter().enumerate() {
            let Some(way) = found[from].clone() else { continue };
            for &to in targets {
                let mut through = only(to);
                match &found[to] {
                    None => through.iter_mut().zip(&way).for_each(|(through, way)| *through |= way),
                    Some(old) => through
                        .iter_mut()
                        .zip(way.iter().zip(old))
                        .for_each(|(through, (way, old))| *through |= *way && *old),
                }
                if found[to].as_ref() != Some(&through) {
                    found[to] = Some(through);
                    changed = true;
                }
            }
        }
    }
    found
}

struct Checker<'a> {
    file: &'a File,
    schemas: &'a Schemas,
    dominators: Vec<Option<Vec<bool>>>,
}

/// From where a reference looks.
#[derive(Clone, Copy)]
struct At<'a> {
    place: Place,
    /// The step that runs, or the number of steps for the end.
    index: usize,
    /// What holds when it runs.
    guard: Option<&'a Condition>,
    /// The schema of `item`.
    item: Option<&'a Value>,
}

impl Checker<'_> {
    fn step(&self, index: usize, step: &Step) -> Parsed<()> {
        let at = |place, guard, item| At { place, index, guard, item };
        if let Some((place, condition)) = &step.when {
            self.condition(at(*place, None, None), condition)?;
        }
        let guard = step.when.as_ref().map(|(_, condition)| condition);
        let item = match &step.foreach {
            Some((place, list)) => Some(self.items(at(*place, guard, None), list)?),
            None => None,
        };
        for input in &step.inputs {
            self.input(at(input.place, guard, item.as_ref()), input, &self.schemas.inputs[index])?;
        }
        let declared = self.schemas.inputs[index].get("required");
        for name in declared.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !step.inputs.iter().any(|input| input.name == name) {
                let reason = format!("step {:?} does not give {name:?} to {}", step.id, step.prompt);
                return Err(Fault::new(step.place, reason));
            }
        }
        for jump in &step.next {
            if let Some(condition) = &jump.when {
                self.condition(at(jump.place, None, None), condition)?;
            }
        }
        Ok(())
    }

    fn input(&self, at: At<'_>, input: &Input, schema: &Value) -> Parsed<()> {
        let known = self.source(at, &input.source)?;
        let name = &input.name;
        let Some(found) = schema::find(schema, std::slice::from_ref(name)) else {
            let names: Vec<&str> = names(schema);
            return Err(Fault::new(at.place, unknown("variable of the prompt", name, &names)));
        };
        let wanted = schema::types(schema, &found.schemas);
        if !known.types.within(wanted) {
            let reason = format!("{name:?} is given {}, but the prompt takes {wanted}", known.types);
            let hint = if known.types.without(Types::NULL).within(wanted) {
                ": {from: REFERENCE, default: VALUE} says what stands for null"
            } else {
                ""
            };
            return Err(Fault::new(at.place, reason + hint));
        }
        match found.always && !known.always {
            true => Err(may_be_missing(at.place, &format!("{name:?}"))),
            false => Ok(()),
        }
    }

    fn items(&self, at: At<'_>, list: &Reference) -> Parsed<Value> {
        let known = self.reference(at, list)?;
        if !known.types.within(Types::ARRAY) {
            return Err(Fault::new(
                at.place,
                format!("`foreach` needs a list, and {list} is {}", known.types),
            ));
        }
        if !known.always {
            return Err(may_be_missing(at.place, "the list"));
        }
        let (root, path) = self.schema(at, list)?;
        let found = schema::find(root, &path);
        let first = found.and_then(|found| found.schemas.first().map(|first| (*first).clone()));
        Ok(schema::items(&first.map_or(Value::Bool(true), |first| schema::with_definitions(first, root))))
    }

    fn condition(&self, at: At<'_>, condition: &Condition) -> Parsed<()> {
        for (reference, test) in condition.tests() {
            let known = self.reference(at, reference)?;
            let Test::In(values) = test else { continue };
            let (root, path) = self.schema(at, reference)?;
            let listed = schema::find(root, &path).and_then(|found| schema::values(root, &found.schemas));
            for value in values {
                let possible = Types::of(value).meets(known.types)
                    && listed.as_ref().is_none_or(|listed| listed.iter().any(|other| same(value, other)));
                if !possible {
                    let types = known.types;
                    let reason = match &listed {
                        Some(listed) => {
                            format!("{reference} is never {value}: it is one of {}", list(listed))
                        }
                        None => format!("{reference} is never {value}: it is {types}"),
                    };
                    return Err(Fault::new(at.place, reason));
                }
            }
        }
        Ok(())
    }

    fn source(&self, at: At<'_>, source: &Source) -> Parsed<Known> {
        match source {
            Source::Literal(value) => Ok(Known { types: Types::of(value), always: true }),
            Source::Reference(reference) => self.reference(at, reference),
            Source::Default(reference, value) => {
                let types = self.reference(at, reference)?.types.without(Types::NULL).union(Types::of(value));
                Ok(Known { types, always: true })
            }
            Source::First(sources) => {
                let mut all = Known { types: Types::NONE, always: false };
                for source in sources {
                    let known = self.source(at, source)?;
                    all.always |= known.always && !known.types.meets(Types::NULL);
                    all.types = all.types.union(known.types.without(Types::NULL));
                }
                Ok(all)
            }
        }
    }

    fn reference(&self, at: At<'_>, reference: &Reference) -> Parsed<Known> {
        let (root, path) = self.schema(at, reference)?;
        let Some(found) = schema::find(root, &path) else {
            return Err(Fault::new(at.place, self.absent(reference, root, &path)));
        };
        let proven = at.guard.is_some_and(|guard| {
            let proofs = guard.conjuncts().into_iter().filter_map(Condition::proves);
            proofs
                .into_iter()
                .any(|proof| proof.root == reference.root && proof.path.starts_with(&reference.path))
        });
        let types = schema::types(root, &found.schemas);
        let types = if proven { types.without(Types::NULL) } else { types };
        let ran = match &reference.root {
            Root::Step(id) => self.has_run(at, id),
            Root::Input(_) | Root::Item => true,
        };
        Ok(Known { types, always: proven || (ran && found.always) })
    }

    /// The schema that a reference looks into, and the path there.
    fn schema<'b>(&'b self, at: At<'b>, reference: &Reference) -> Parsed<(&'b Value, Vec<String>)> {
        match &reference.root {
            Root::Input(name) => {
                let path = [name].into_iter().chain(&reference.path).cloned().collect();
                Ok((&self.schemas.input, path))
            }
            Root::Step(id) => match self.index(id) {
                Some(index) => Ok((&self.schemas.outputs[index], reference.path.clone())),
                None => {
                    let ids: Vec<&str> = self.file.steps.iter().map(|step| step.id.as_str()).collect();
                    Err(Fault::new(at.place, unknown("step", id, &ids)))
                }
            },
            Root::Item => match at.item {
                Some(schema) => Ok((schema, reference.path.clone())),
                None => Err(Fault::new(at.place, "`item` is for the inputs of a step with `foreach`")),
            },
        }
    }

    fn absent(&self, reference: &Reference, root: &Value, path: &[String]) -> String {
        // The longest way that there is.
        let known = (0..path.len())
            .rev()
            .find_map(|length| schema::find(root, &path[..length]).map(|found| (length, found)));
        let Some((length, found)) = known else { return format!("there is no {reference}") };
        let names: Vec<&str> = found.schemas.iter().flat_map(|schema| names(schema)).collect();
        match (&reference.root, length) {
            (Root::Input(name), 0) => unknown("input of the chain", name, &names),
            _ if names.is_empty() => {
                let types = schema::types(root, &found.schemas);
                format!("{reference}: there is no {:?} in {types}", path[length])
            }
            _ => format!("{reference}: {}", unknown("field", &path[length], &names)),
        }
    }

    fn index(&self, id: &str) -> Option<usize> {
        self.file.steps.iter().position(|step| step.id == id)
    }

    /// Whether a step has an output for sure, as seen from another one.
    fn has_run(&self, at: At<'_>, id: &str) -> bool {
        let Some(index) = self.index(id) else { return false };
        let guards = at.guard.map(Condition::conjuncts).unwrap_or_default();
        let on_every_way =
            index != at.index && self.dominators[at.index].as_ref().is_some_and(|through| through[index]);
        let runs_too = match &self.file.steps[index].when {
            None => true,
            Some((_, condition)) => condition.conjuncts().iter().all(|needed| guards.contains(needed)),
        };
        let proofs = guards.iter().filter_map(|guard| guard.proves());
        (on_every_way && runs_too) || proofs.into_iter().any(|proof| proof.root == Root::Step(id.to_owned()))
    }
}

fn may_be_missing(place: Place, what: &str) -> Fault {
    let reason = format!(
        "{what} may be missing: give {{from: REFERENCE, default: VALUE}} or {{first: [...]}}, or let `when` ask \
         whether it exists"
    );
    Fault::new(place, reason)
}

/// The names of the properties of a schema.
fn names(schema: &Value) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(|properties| properties.keys()).map(String::as_str).collect()
}

fn list(values: &[&Value]) -> String {
    values.iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}
