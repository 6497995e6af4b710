//! One generation: streamed to whoever looks, and kept as a whole.

use pinfold::{
    Cancel, Completion, Constraint, Error, Finish, FinishReason, GenerateOptions, GeneratedToken, Sampling,
    Session, Vocabulary,
};
use serde::Serialize;

use crate::options::{GenerateArgs, Loaded};
use crate::output::{Exit, Failure};
use crate::progress::Spinner;

/// What was generated.
pub struct Answer {
    pub text: String,
    pub tokens: Vec<GeneratedToken>,
    pub finish: Finish,
    /// It ended because the context is full.
    pub full: bool,
}

/// What is generated, and how.
pub struct Wanted<'a> {
    pub args: &'a GenerateArgs,
    pub constraint: Option<Constraint>,
    pub sampling: Sampling,
    pub logprobs: Option<u32>,
}

impl Wanted<'_> {
    /// Generates after what `session` holds; `show` gets the text piece by piece.
    ///
    /// Where the context would be full before `--max-tokens`, the answer ends there: an end that was to
    /// be expected is no error.
    pub fn generate(
        &self,
        session: &Session,
        cancel: &Cancel,
        mut show: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<Answer, Failure> {
        let asked = (self.args.max_tokens > 0).then_some(self.args.max_tokens);
        let room = match self.args.slide {
            Some(_) => None,
            None => Some(room(session)?),
        };
        let options = GenerateOptions {
            sampling: self.sampling.clone(),
            max_tokens: asked.into_iter().chain(room).min(),
            constraint: self.constraint.clone(),
            stop: self.args.stop.clone(),
            logprobs: self.logprobs,
            cancel: cancel.clone(),
        };
        let mut stream = session.generate(&options)?;
        let mut spinner = Spinner::start("reading the prompt");
        let (mut text, mut tokens) = (String::new(), Vec::new());
        for chunk in &mut stream {
            spinner.stop();
            let chunk = chunk?;
            show(&chunk.text)?;
            text += &chunk.text;
            tokens.extend(chunk.tokens);
        }
        spinner.stop();
        let ended = || Failure::new(Exit::Failed, "engine", "the answer ended without a reason");
        let finish = *stream.finish().ok_or_else(ended)?;
        let count = tokens.len() as u32;
        if let Some(constraint) = &self.constraint
            && finish.reason != FinishReason::Cancelled
        {
            let completion = Completion { text, tokens, finish };
            completion.value(constraint)?;
            Completion { text, tokens, .. } = completion;
        }
        let full = room == Some(count) && asked.is_none_or(|asked| asked > count);
        Ok(Answer { text, tokens, finish, full })
    }
}

/// Tokens that the context of the only session still takes.
fn room(session: &Session) -> Result<u32, Failure> {
    let (used, capacity) = (session.tokens()?.len(), session.model().context_tokens() as usize);
    match capacity.saturating_sub(used) {
        0 => Err(Error::ContextFull { used, requested: 1, capacity }.into()),
        room => Ok(room as u32),
    }
}

/// An answer as JSON.
#[derive(Serialize)]
pub struct Report<'a> {
    model: &'a str,
    text: &'a str,
    tokens: Vec<u32>,
    finish_reason: FinishReason,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Vec<Logprobs>>,
    timings: Timings,
}

#[derive(Serialize)]
struct Logprobs {
    #[serde(flatten)]
    chosen: Logprob,
    top: Vec<Logprob>,
}

#[derive(Serialize)]
struct Logprob {
    token: u32,
    text: String,
    logprob: f32,
}

#[derive(Serialize)]
struct Timings {
    load_seconds: f64,
    prompt_tokens: u32,
    prompt_seconds: f64,
    prompt_tokens_per_second: Option<f64>,
    generated_tokens: u32,
    generation_seconds: f64,
    generated_tokens_per_second: Option<f64>,
}

impl<'a> Report<'a> {
    pub fn new(loaded: &'a Loaded, answer: &'a Answer, logprobs: bool) -> Self {
        let finish = &answer.finish;
        let vocabulary = loaded.model.vocabulary();
        let rate = |tokens: u32, seconds: f64| (seconds > 0.0).then(|| f64::from(tokens) / seconds);
        Self {
            model: &loaded.name,
            text: &answer.text,
            tokens: answer.tokens.iter().map(|generated| generated.token.0).collect(),
            finish_reason: finish.reason,
            logprobs: logprobs.then(|| {
                answer.tokens.iter().map(|generated| Logprobs::new(generated, vocabulary)).collect()
            }),
            timings: Timings {
                load_seconds: loaded.seconds,
                prompt_tokens: finish.prompt_tokens,
                prompt_seconds: finish.prompt_seconds,
                prompt_tokens_per_second: rate(finish.prompt_tokens, finish.prompt_seconds),
                generated_tokens: finish.generated_tokens,
                generation_seconds: finish.generation_seconds,
                generated_tokens_per_second: rate(finish.generated_tokens, finish.generation_seconds),
            },
        }
    }
}

impl Logprobs {
    fn new(generated: &GeneratedToken, vocabulary: &Vocabulary) -> Self {
        let entry = |token: pinfold::Token, logprob: f32| Logprob {
            token: token.0,
            text: String::from_utf8_lossy(vocabulary.bytes(token)).into_owned(),
            logprob,
        };
        Self {
            chosen: entry(generated.token, generated.logprob.unwrap_or(f32::NAN)),
            top: generated.top.iter().map(|other| entry(other.token, other.logprob)).collect(),
        }
    }
}
