//! What a verification found, in words.

use super::golden::Changed;
use super::steps::Steps;
use crate::lock::{Golden, Recorded};
use crate::sampler::Sampling;

/// The words for a golden.
pub(super) struct Words<'a> {
    pub golden: &'a Golden,
    pub tolerance: f32,
    pub exact: bool,
}

impl Words<'_> {
    pub fn another_prompt(&self, changed: Option<Changed>) -> String {
        let why = match changed {
            Some(Changed { chat_template: true, tokenizer: false }) => {
                "the chat template is not the pinned one"
            }
            Some(Changed { chat_template: false, tokenizer: true }) => "the tokenizer is not the pinned one",
            Some(Changed { chat_template: true, tokenizer: true }) => {
                "neither the tokenizer nor the chat template is the pinned one"
            }
            Some(Changed { chat_template: false, tokenizer: false }) => {
                "tokenizer and chat template are the pinned ones, so the input was edited, or it was recorded \
                 with another checkpoint or another version of Pinfold"
            }
            None => "the input, the tokenizer or the chat template changed",
        };
        self.with_origin(format!("the tokens of the prompt are not those that were recorded: {why}"))
    }

    pub fn same(&self, deviation: f32) -> String {
        let tokens = count(self.tokens(), "token");
        if self.exact {
            return format!("the same {tokens}");
        }
        self.compared(format!("the same {tokens}; log-probabilities deviate by {}", nats(deviation)))
    }

    pub fn same_text_but(&self, deviation: f32) -> String {
        let tokens = count(self.tokens(), "token");
        self.compared(format!(
            "the same {tokens}, but log-probabilities deviate by {}: the weights or their computation changed",
            nats(deviation)
        ))
    }

    pub fn computation(&self, steps: &Steps) -> String {
        self.compared(format!(
            "{}; log-probabilities deviate by {}: the weights or their computation changed",
            self.flips(steps),
            nats(steps.deviation)
        ))
    }

    pub fn within_tolerance(&self, steps: &Steps) -> String {
        self.compared(format!(
            "{}, within the tolerance of {}: log-probabilities deviate by {}",
            self.flips(steps),
            nats(self.tolerance),
            nats(steps.deviation)
        ))
    }

    pub fn sampler(&self, steps: &Steps) -> String {
        self.compared(format!(
            "{}, though the log-probabilities are as recorded: the sampler or its settings changed",
            self.flips(steps)
        ))
    }

    pub fn tokenizer(&self, unknown: Option<u32>) -> String {
        let what = match unknown {
            Some(token) => format!("the recorded token {token} is not in the vocabulary"),
            None => "the same tokens make another text".to_owned(),
        };
        self.with_origin(format!("{what}: the tokenizer changed, or the golden was edited"))
    }

    pub fn contradiction(&self) -> String {
        let words = "the recorded tokens would be chosen again, but do not make the recorded outcome with the \
                     golden's own max_tokens and stop: it was edited";
        self.with_origin(words.to_owned())
    }

    fn flips(&self, steps: &Steps) -> String {
        match steps.flips.len() {
            0 => "each token would be chosen again".to_owned(),
            flips => format!("{flips} of {} would be chosen otherwise", count(self.tokens(), "token")),
        }
    }

    fn tokens(&self) -> usize {
        self.golden.expected.tokens.len()
    }

    /// Adds by what the golden was recorded, where that is something else.
    fn with_origin(&self, mut words: String) -> String {
        if !self.exact {
            let Recorded { runtime, backend, llama_cpp } = &self.golden.recorded;
            words.push_str(&format!("; recorded by {runtime} on {backend} (llama.cpp {llama_cpp})"));
        }
        words
    }

    /// The same for what was compared in another way therefore.
    fn compared(&self, words: String) -> String {
        let by = if self.exact { "" } else { ", compared by margin" };
        self.with_origin(words) + by
    }
}

/// The fields in which the settings of a golden and those of its preset differ, with both values.
pub(super) fn changed_fields(recorded: &Sampling, now: &Sampling) -> Vec<String> {
    let Sampling {
        temperature,
        seed,
        logit_bias,
        penalty_window,
        repetition_penalty,
        frequency_penalty,
        presence_penalty,
        top_k,
        typical_p,
        top_p,
        min_p,
    } = recorded;
    let mut fields = Vec::new();
    let mut compare = |name: &str, recorded: &dyn std::fmt::Display, now: &dyn std::fmt::Display| {
        let (recorded, now) = (recorded.to_string(), now.to_string());
        if recorded != now {
            fields.push(format!("{name} is {now}, was {recorded}"));
        }
    };
    compare("temperature", temperature, &now.temperature);
    compare("seed", seed, &now.seed);
    compare("penalty_window", penalty_window, &now.penalty_window);
    compare("repetition_penalty", repetition_penalty, &now.repetition_penalty);
    compare("frequency_penalty", frequency_penalty, &now.frequency_penalty);
    compare("presence_penalty", presence_penalty, &now.presence_penalty);
    compare("top_k", top_k, &now.top_k);
    compare("typical_p", typical_p, &now.typical_p);
    compare("top_p", top_p, &now.top_p);
    compare("min_p", min_p, &now.min_p);
    if *logit_bias != now.logit_bias {
        fields.push("logit_bias differs".to_owned());
    }
    fields
}

/// Says that the settings `preset` are others now, before what the replay with them said.
pub(super) fn another_preset(preset: &str, fields: &[String], rest: &str) -> String {
    format!("the settings {preset:?} are not those that it was recorded with ({}); {rest}", fields.join(", "))
}

/// `1 token`, `2 tokens`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn nats(value: f32) -> String {
    format!("{value:.3} nats")
}
