//! The settings of a sampler.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::vocabulary::Token;

/// How the next token is chosen. The default is greedy: always the most likely token.
///
/// Each filter is off at its default. They run in the order of the fields from
/// [`logit_bias`](Self::logit_bias) on, then [`temperature`](Self::temperature), then the draw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Flattens (above 1) or sharpens (below 1) the distribution: probabilities are the softmax of
    /// logit / temperature. At 0, the default, the highest logit after bias, mask and penalties is chosen:
    /// nothing is drawn, and the filters do not matter.
    pub temperature: f32,

    /// The seed of the generator ([`GENERATOR`](crate::sampler::GENERATOR)).
    pub seed: u64,

    /// Added to the logits of single tokens; -inf forbids a token.
    pub logit_bias: BTreeMap<Token, f32>,

    /// How many of the last tokens the three penalties look at. 64 by default; 0 switches them off.
    pub penalty_window: u32,

    /// Divides the logits of tokens in the window that are positive by this number, and multiplies the
    /// others by it. 1 is off.
    ///
    /// Keskar et al., *CTRL: A Conditional Transformer Language Model for Controllable Generation*, 2019,
    /// arXiv 1909.05858, section 4.1. The paper only divides, which would favour negative logits.
    pub repetition_penalty: f32,

    /// Subtracted from a token's logit once for each time that it stands in the window. 0 is off; below 0
    /// repetition is encouraged. Defined by OpenAI's completion API.
    pub frequency_penalty: f32,

    /// Subtracted once from the logit of each token that stands in the window. 0 is off. Defined by
    /// OpenAI's completion API.
    pub presence_penalty: f32,

    /// Keeps the `top_k` highest logits. 0 is off.
    ///
    /// Fan, Lewis, Dauphin, *Hierarchical Neural Story Generation*, 2018, arXiv 1805.04833.
    pub top_k: u32,

    /// Keeps the tokens whose surprise is nearest to the expected one (the entropy), until their
    /// probability is above `typical_p`. 1 is off.
    ///
    /// Meister et al., *Locally Typical Sampling*, 2022, arXiv 2202.00666.
    pub typical_p: f32,

    /// Keeps the most likely tokens until their probability reaches `top_p`. 1 is off.
    ///
    /// Holtzman et al., *The Curious Case of Neural Text Degeneration*, 2019, arXiv 1904.09751.
    pub top_p: f32,

    /// Keeps the tokens that are at least `min_p` times as likely as the most likely one. 0 is off.
    ///
    /// Nguyen et al., *Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM Outputs*, 2024,
    /// arXiv 2407.01082.
    pub min_p: f32,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            seed: 0,
            logit_bias: BTreeMap::new(),
            penalty_window: 64,
            repetition_penalty: 1.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            top_k: 0,
            typical_p: 1.0,
            top_p: 1.0,
            min_p: 0.0,
        }
    }
}

impl Sampling {
    /// Checks that each option is in its range and that the biased tokens are in the vocabulary.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] with the first option that is not.
    pub fn validate(&self, vocabulary_len: usize) -> Result<()> {
        const UNIT: RangeInclusive<f32> = 0.0..=1.0;
        const FINITE: RangeInclusive<f32> = f32::MIN..=f32::MAX;
        check("temperature", self.temperature, 0.0..=f32::MAX)?;
        check("repetition_penalty", self.repetition_penalty, f32::MIN_POSITIVE..=f32::MAX)?;
        check("frequency_penalty", self.frequency_penalty, FINITE)?;
        check("presence_penalty", self.presence_penalty, FINITE)?;
        check("typical_p", self.typical_p, UNIT)?;
        check("top_p", self.top_p, UNIT)?;
        check("min_p", self.min_p, UNIT)?;
        for (token, &bias) in &self.logit_bias {
            if token.index() >= vocabulary_len {
                let reason = format!("token {} is not in the vocabulary of {vocabulary_len}", token.0);
                return Err(Error::option("logit_bias", reason));
            }
            check("logit_bias", bias, f32::NEG_INFINITY..=f32::MAX)?;
        }
        Ok(())
    }
}

/// NaN is in no range.
fn check(option: &'static str, value: f32, range: RangeInclusive<f32>) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let rule = match (*range.start(), *range.end()) {
        (f32::NEG_INFINITY, _) => "must be a finite number or -inf".to_owned(),
        (f32::MIN, _) => "must be a finite number".to_owned(),
        (f32::MIN_POSITIVE, _) => "must be a finite number above 0".to_owned(),
        (start, f32::MAX) => format!("must be a finite number from {start} up"),
        (start, end) => format!("must be from {start} to {end}"),
    };
    Err(Error::option(option, format!("{rule}, but is {value}")))
}
