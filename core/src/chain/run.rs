//! A run of a chain: step after step, until it is done or a person is asked.

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use serde_json::{Value, json};

use super::file::{Input, Output, Step};
use super::question::Question;
use super::reference::Scope;
use super::state::State;
use super::trace::{self, StepOutcome, Trace, TracePrompt, TraceTokens};
use super::{Backends, Plan, Wanted, bad_chain, validate};
use crate::backend::{Reply, Request};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::files::{self, Durable};
use crate::prompt::{PromptFile, Values};
use crate::runtime::FinishReason;

/// Where a run is when it stops.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is done; this is its output.
    Done(Value),
    /// A person is asked. [`ChainRun::answer`] goes on.
    Waiting(Question),
}

/// What is called with each line of a trace.
pub type TraceFn<'a> = dyn FnMut(&Trace) -> Result<()> + 'a;

/// What watches a run.
#[derive(Default)]
pub struct ChainWatch<'a> {
    /// Stops the run from another thread, between two steps or within one.
    pub cancel: Cancel,
    /// Called with the name of each step when it begins.
    pub step: Option<&'a mut dyn FnMut(&str)>,
    /// Called with what the model writes, as it comes.
    pub text: Option<&'a mut dyn FnMut(&str)>,
    /// Called with what happened in each step. An error of it ends the run before the
    /// step counts as done.
    pub trace: Option<&'a mut TraceFn<'a>>,
    /// Whether the trace has the messages and the outputs.
    pub trace_text: bool,
}

/// A run of a chain. It can be saved, and go on, between any two calls, also where one gave an error: then the step
/// that failed is run again.
#[derive(Clone)]
pub struct ChainRun {
    plan: Arc<Plan>,
    state: State,
}

impl ChainRun {
    pub(super) fn new(plan: Arc<Plan>, state: State) -> Self {
        Self { plan, state }
    }

    /// Runs step after step. Blocks; the state is kept whatever happens.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::BadOutput`] where a model did not write what its prompt declares, calls a tool,
    /// or was cut off; [`Error::BadChain`] for a value that is missing where it is needed; those of `backends`, of
    /// the backend, of rendering the prompt, and of the trace.
    pub fn advance(&mut self, backends: &dyn Backends, watch: &mut ChainWatch<'_>) -> Result<Outcome> {
        while let Some(index) = self.next() {
            watch.cancel.check()?;
            if let Some(question) = self.run(index, backends, watch)? {
                return Ok(Outcome::Waiting(question));
            }
        }
        self.output().map(Outcome::Done)
    }

    /// Takes the answer of the person that the run waits for: [`advance`](Self::advance) goes on with it.
    ///
    /// # Errors
    /// [`Error::BadVariable`] named `answer` if it is not of the schema of the question: ask again;
    /// [`Error::BadChain`] if the run waits for none.
    pub fn answer(&mut self, answer: Value) -> Result<()> {
        let index = self.next().filter(|&index| self.plan.file.steps[index].human);
        let Some(index) = index else {
            return Err(bad_chain(&self.plan.path, None, "the run does not wait for an answer"));
        };
        validate::value(&self.plan.schemas.outputs[index], &answer).map_err(|(path, reason)| {
            let (path, name) = (self.plan.prompts[index].path().to_owned(), format!("answer{path}"));
            Error::BadVariable { path, line: 1, name, reason }
        })?;
        self.state.answer = Some(answer);
        Ok(())
    }

    /// The JSON schema of the answer that the run waits for, if a person is to answer next.
    pub fn question_schema(&self) -> Option<&Value> {
        let index = self.next().filter(|&index| self.plan.file.steps[index].human)?;
        Some(&self.plan.schemas.outputs[index])
    }

    /// The step that is next: the one that failed, waits, or was not begun.
    pub fn step(&self) -> Option<&str> {
        self.state.next.as_deref()
    }

    /// The state as JSON: what [`Chain::restore`](super::Chain::restore) goes on from. The inputs and outputs are in
    /// it, as they are.
    pub fn state(&self) -> String {
        self.state.json()
    }

    /// Writes the state to a file, beside it first and renamed.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.state.json();
        files::replace(path, bytes.as_bytes(), ".pinfold-chain-", None, Durable::Yes).map_err(Error::io(path))
    }

    fn next(&self) -> Option<usize> {
        self.state.next.as_deref().and_then(|id| self.plan.step(id))
    }

    fn scope(&self) -> Scope<'_> {
        Scope { values: &self.state.values, outputs: &self.state.outputs, item: None }
    }

    /// Runs one step, and says where the run goes on. A question stops there.
    fn run(
        &mut self,
        index: usize,
        backends: &dyn Backends,
        watch: &mut ChainWatch<'_>,
    ) -> Result<Option<Question>> {
        let plan = self.plan.clone();
        let step = &plan.file.steps[index];
        let mut line = Line::new(step);
        if let Some((_, condition)) = &step.when
            && !condition.holds(self.scope())
        {
            self.state.outputs.shift_remove(&step.id);
            self.go_to(index + 1);
            line.trace.outcome = StepOutcome::Skipped;
            line.trace(watch)?;
            return Ok(None);
        }
        if let Some(show) = &mut watch.step {
            show(&step.id);
        }
        let output = match (step.human, &step.foreach) {
            (true, _) => match self.ask(index, watch)? {
                Ok(answer) => answer,
                Err(question) => return Ok(Some(question)),
            },
            (false, None) => self.prompt(index, None, backends, watch)?,
            (false, Some((_, list))) => {
                let items = self.scope().get(list).and_then(Value::as_array).cloned();
                let items = items.ok_or_else(|| missing(&plan, step, &list.to_string()))?;
                // What was done before an error is not done again.
                for (place, item) in items.iter().enumerate().skip(self.state.items.len()) {
                    watch.cancel.check()?;
                    let output = self.prompt(index, Some((place, item)), backends, watch)?;
                    self.state.items.push(output);
                }
                Value::Array(std::mem::take(&mut self.state.items))
            }
        };
        self.state.answer = None;
        self.state.outputs.insert(step.id.clone(), output);
        self.state.last = Some(step.id.clone());
        let to = self.jump(index);
        self.go_to(to);
        Ok(None)
    }

    /// The answer of a person, or the question.
    fn ask(&self, index: usize, watch: &mut ChainWatch<'_>) -> Result<Result<Value, Question>> {
        let plan = self.plan.clone();
        let (step, prompt) = (&plan.file.steps[index], &plan.prompts[index]);
        let mut line = Line::new(step);
        line.trace.prompt = Some(trace_prompt(step, prompt));
        let outcome = match self.state.answer.clone() {
            Some(answer) => {
                line.trace.output = watch.trace_text.then(|| answer.clone());
                Ok(answer)
            }
            None => {
                line.trace.outcome = StepOutcome::Waiting;
                let values = self.inputs(step, None)?;
                match Question::new(&step.id, prompt, &values) {
                    Ok(question) => Err(question),
                    Err(error) => return Err(line.failed(error, watch)),
                }
            }
        };
        line.trace(watch)?;
        Ok(outcome)
    }

    /// The output of a backend.
    fn prompt(
        &self,
        index: usize,
        item: Option<(usize, &Value)>,
        backends: &dyn Backends,
        watch: &mut ChainWatch<'_>,
    ) -> Result<Value> {
        let step = &self.plan.file.steps[index];
        let mut line = Line::new(step);
        line.trace.item = item.map(|(place, _)| place);
        line.trace.prompt = Some(trace_prompt(step, &self.plan.prompts[index]));
        let done = self.reply(index, item.map(|(_, item)| item), backends, watch, &mut line.trace);
        match done {
            Ok(value) => {
                line.trace.output = watch.trace_text.then(|| value.clone());
                line.trace(watch)?;
                Ok(value)
            }
            Err(error) => Err(line.failed(error, watch)),
        }
    }

    fn reply(
        &self,
        index: usize,
        item: Option<&Value>,
        backends: &dyn Backends,
        watch: &mut ChainWatch<'_>,
        line: &mut Trace,
    ) -> Result<Value> {
        let (step, prompt) = (&self.plan.file.steps[index], &self.plan.prompts[index]);
        let values = self.inputs(step, item)?;
        let model = step.model.as_deref().or_else(|| prompt.model());
        let wanted = Wanted { step: &step.id, backend: step.backend.as_deref(), model };
        let backend = backends.backend(wanted)?;
        line.backend = Some(backend.name());
        let mut request = match prompt.few_shot().filter(|few| few.needs_embedder()) {
            None => Request::new(prompt, &values, &[])?,
            Some(few) => {
                let embedder = backends.embedder(few.selection().model.as_deref())?;
                Request::new(&prompt.clone().with_embedder(embedder), &values, &[])?
            }
        };
        request.cancel = watch.cancel.clone();
        let (messages, digest) = trace::messages(&request.conversation);
        line.messages = watch.trace_text.then_some(messages);
        if let Some(prompt) = &mut line.prompt {
            prompt.rendered_sha256 = Some(digest.to_string());
        }
        let mut nothing = |_: &str| {};
        let show: &mut dyn FnMut(&str) = match &mut watch.text {
            Some(show) => *show,
            None => &mut nothing,
        };
        let reply = backend.reply(&request, show)?;
        line.tokens = Some(TraceTokens {
            prompt: reply.prompt_tokens,
            cached: reply.cached_tokens,
            generated: reply.generated_tokens,
        });
        line.neutralized = reply.neutralized;
        line.finish = Some(reply.finish);
        value(prompt, reply)
    }

    /// The variables of a step's prompt. One that is not required and has no value is left out.
    fn inputs(&self, step: &Step, item: Option<&Value>) -> Result<Values> {
        let scope = Scope { item, ..self.scope() };
        let given = |input: &Input| Some((input.name.clone(), input.source.resolve(scope)?));
        Ok(step.inputs.iter().filter_map(given).collect())
    }

    /// Where the run goes on after a step.
    fn jump(&mut self, index: usize) -> usize {
        let step = &self.plan.file.steps[index];
        let mut taken = None;
        for (place, jump) in step.next.iter().enumerate() {
            let counts = self.state.jumps.get(&step.id);
            let count = counts.and_then(|counts| counts.get(place)).copied().unwrap_or(0);
            let spent = jump.times.is_some_and(|times| count >= times);
            if !spent && jump.when.as_ref().is_none_or(|condition| condition.holds(self.scope())) {
                taken = Some((place, jump.to, jump.times.is_some()));
                break;
            }
        }
        let Some((place, to, counted)) = taken else { return index + 1 };
        if counted {
            let counts = self.state.jumps.entry(step.id.clone()).or_default();
            counts.resize(counts.len().max(place + 1), 0);
            counts[place] = counts[place].saturating_add(1);
        }
        to
    }

    fn go_to(&mut self, index: usize) {
        self.state.next = self.plan.file.steps.get(index).map(|step| step.id.clone());
    }

    fn output(&self) -> Result<Value> {
        let scope = self.scope();
        let absent =
            |what: &str| bad_chain(&self.plan.path, None, format!("the run left {what} without a value"));
        match &self.plan.file.output {
            Some(Output::One(_, source)) => source.resolve(scope).ok_or_else(|| absent("the output")),
            Some(Output::Map(entries)) => {
                let entry = |entry: &Input| {
                    let value = entry.source.resolve(scope);
                    Ok((
                        entry.name.clone(),
                        value.ok_or_else(|| absent(&format!("output {:?}", entry.name)))?,
                    ))
                };
                entries.iter().map(entry).collect::<Result<_>>().map(Value::Object)
            }
            None => {
                let last = self.state.last.as_ref().and_then(|id| self.state.outputs.get(id));
                Ok(last.cloned().unwrap_or(Value::Null))
            }
        }
    }
}

impl std::fmt::Debug for ChainRun {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ChainRun").field("step", &self.state.next).finish_non_exhaustive()
    }
}

/// The output of a reply, as the prompt declares it.
fn value(prompt: &PromptFile, reply: Reply) -> Result<Value> {
    let text = reply.text;
    if reply.finish == FinishReason::Cancelled {
        return Err(Error::Cancelled);
    }
    if !reply.tool_calls.is_empty() {
        let reason = "the model calls a tool, and a chain has nobody who answers that".into();
        return Err(Error::BadOutput { reason, text });
    }
    let schema = prompt.output_type();
    if schema == json!({"type": "string"}) {
        // Half a text is not to be taken for a whole one, unless the prompt says how long it is.
        if reply.finish == FinishReason::Length && prompt.config().max_tokens.is_none() {
            let reason = "it was cut off: the context is full".into();
            return Err(Error::BadOutput { reason, text });
        }
        return Ok(reply.value.filter(Value::is_string).unwrap_or(Value::String(text)));
    }
    let Some(value) = reply.value else {
        let reason = "the backend gave a text, and the prompt declares more".into();
        return Err(Error::BadOutput { reason, text });
    };
    match validate::value(&schema, &value) {
        Ok(()) => Ok(value),
        Err((path, reason)) => Err(Error::BadOutput { reason: format!("at {path:?}: {reason}"), text }),
    }
}

fn trace_prompt(step: &Step, prompt: &PromptFile) -> TracePrompt {
    TracePrompt { file: step.prompt.clone(), sha256: prompt.digest().to_string(), rendered_sha256: None }
}

/// The check leaves this to jumps that no order of steps foresees.
fn missing(plan: &Plan, step: &Step, what: &str) -> Error {
    let reason = format!("step {:?} needs {what}, which this run does not have", step.id);
    bad_chain(&plan.path, Some(step.place.line), reason)
}

/// A line of the trace while it is written.
struct Line {
    trace: Trace,
    started: Instant,
}

impl Line {
    fn new(step: &Step) -> Self {
        let trace = Trace {
            time: trace::rfc3339(SystemTime::now()),
            step: step.id.clone(),
            item: None,
            outcome: StepOutcome::Done,
            backend: None,
            prompt: None,
            tokens: None,
            neutralized: None,
            seconds: 0.0,
            finish: None,
            error: None,
            messages: None,
            output: None,
        };
        Self { trace, started: Instant::now() }
    }

    fn trace(&mut self, watch: &mut ChainWatch<'_>) -> Result<()> {
        self.trace.seconds = self.started.elapsed().as_secs_f64();
        watch.trace.as_mut().map_or(Ok(()), |trace| trace(&self.trace))
    }

    /// Notes an error. That of the step counts, not one of the trace.
    fn failed(mut self, error: Error, watch: &mut ChainWatch<'_>) -> Error {
        self.trace.outcome = match error {
            Error::Cancelled => StepOutcome::Cancelled,
            _ => StepOutcome::Failed,
        };
        self.trace.error = Some(error.code());
        let _ = self.trace(watch);
        error
    }
}
