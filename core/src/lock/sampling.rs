//! The section `[sampling]`, and the settings of a golden.

use std::collections::BTreeMap;

use super::Lock;
use super::fault::{Fault, Parsed};
use super::field::Fields;
use super::node::{self, Node};
use super::parse::Entry;
use crate::error::Error;
use crate::sampler::Sampling;
use crate::vocabulary::Token;

impl Entry for Sampling {
    const SECTION: &str = "sampling";
    const WHAT: &str = "settings";
    const KEYS: &[&str] = &[
        "temperature",
        "seed",
        "logit_bias",
        "penalty_window",
        "repetition_penalty",
        "frequency_penalty",
        "presence_penalty",
        "top_k",
        "typical_p",
        "top_p",
        "min_p",
    ];

    fn read(fields: Fields<'_>) -> Parsed<Self> {
        let number = |key, default: f32| fields.get(key).map_or(Ok(default), |field| field.number());
        let integer = |key, default: u32| fields.get(key).map_or(Ok(default), |field| field.u32(0));
        let default = Self::default();
        let sampling = Self {
            temperature: number("temperature", default.temperature)?,
            // TOML's integers end there.
            seed: fields.get("seed").map_or(Ok(default.seed), |field| field.integer(0..=i64::MAX as u64))?,
            logit_bias: read_bias(fields)?,
            penalty_window: integer("penalty_window", default.penalty_window)?,
            repetition_penalty: number("repetition_penalty", default.repetition_penalty)?,
            frequency_penalty: number("frequency_penalty", default.frequency_penalty)?,
            presence_penalty: number("presence_penalty", default.presence_penalty)?,
            top_k: integer("top_k", default.top_k)?,
            typical_p: number("typical_p", default.typical_p)?,
            top_p: number("top_p", default.top_p)?,
            min_p: number("min_p", default.min_p)?,
        };
        // The vocabulary is not known here, so that only ranges are checked.
        match sampling.validate(usize::MAX) {
            Ok(()) => Ok(sampling),
            Err(Error::InvalidOption { option, reason }) => Err(fields.require(option)?.fault(reason)),
            Err(other) => Err(Fault::new(fields.at(), other.to_string())),
        }
    }

    fn write(&self) -> node::Pairs {
        let default = Self::default();
        let mut fields = node::Pairs::new();
        let mut push = |key: &str, differs: bool, node: Node| {
            if differs {
                fields.push((key.to_owned(), node));
            }
        };
        let mut float = |key: &str, value: f32, default: f32| {
            push(key, value.to_bits() != default.to_bits(), Node::float(value))
        };
        float("temperature", self.temperature, default.temperature);
        float("repetition_penalty", self.repetition_penalty, default.repetition_penalty);
        float("frequency_penalty", self.frequency_penalty, default.frequency_penalty);
        float("presence_penalty", self.presence_penalty, default.presence_penalty);
        float("typical_p", self.typical_p, default.typical_p);
        float("top_p", self.top_p, default.top_p);
        float("min_p", self.min_p, default.min_p);
        push("seed", self.seed != default.seed, Node::integer(self.seed));
        push(
            "penalty_window",
            self.penalty_window != default.penalty_window,
            Node::integer(self.penalty_window.into()),
        );
        push("top_k", self.top_k != default.top_k, Node::integer(self.top_k.into()));
        let bias = self.logit_bias.iter().map(|(token, &bias)| (token.0.to_string(), Node::float(bias)));
        push("logit_bias", !self.logit_bias.is_empty(), Node::Table(bias.collect()));
        fields.sort_by_key(|(key, _)| Self::KEYS.iter().position(|known| known == key));
        fields
    }

    fn of(lock: &Lock) -> &BTreeMap<String, Self> {
        &lock.sampling
    }

    fn of_mut(lock: &mut Lock) -> &mut BTreeMap<String, Self> {
        &mut lock.sampling
    }
}

fn read_bias(fields: Fields<'_>) -> Parsed<BTreeMap<Token, f32>> {
    let Some(field) = fields.get("logit_bias") else { return Ok(BTreeMap::new()) };
    let mut bias = BTreeMap::new();
    for (key, at, field) in field.table()?.entries() {
        // Each token has one spelling, so that none is there twice.
        let token = key.parse().ok().filter(|token: &u32| token.to_string() == key);
        let Some(token) = token else {
            return Err(Fault::new(at, "the keys of `logit_bias` are token ids, like `42`"));
        };
        bias.insert(Token(token), field.number()?);
    }
    Ok(bias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_key() {
        let fields = serde_json::to_value(Sampling::default()).unwrap();
        let mut names: Vec<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        let mut keys = Sampling::KEYS.to_vec();
        names.sort_unstable();
        keys.sort_unstable();
        assert_eq!(keys, names);
    }

    #[test]
    fn what_is_at_its_default_is_not_written() {
        assert_eq!(Sampling::default().write(), []);
        let all = Sampling {
            temperature: 0.5,
            seed: 1,
            logit_bias: [(Token(3), f32::NEG_INFINITY)].into(),
            penalty_window: 1,
            repetition_penalty: 1.5,
            frequency_penalty: 0.5,
            presence_penalty: 0.5,
            top_k: 1,
            typical_p: 0.5,
            top_p: 0.5,
            min_p: 0.5,
        };
        let keys: Vec<String> = all.write().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, Sampling::KEYS);
    }
}
