//! `vectors/sampler.toml`: the cases that every language runs.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    generator: String,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    logits: Vec<f32>,
    #[serde(default)]
    history: Vec<Token>,
    #[serde(default)]
    denied: Vec<Token>,
    #[serde(default)]
    sampling: Sampling,
    expected: Vec<Token>,
}

#[test]
fn the_vectors_give_the_tokens_that_they_always_gave() {
    let file: File = toml::from_str(include_str!("../../../vectors/sampler.toml")).unwrap();
    assert_eq!(file.generator, GENERATOR);
    assert!(file.case.len() >= 10);
    for case in file.case {
        let mut mask = TokenMask::all(case.logits.len());
        case.denied.iter().for_each(|&token| mask.deny(token));
        let mut sampler = Sampler::new(&case.sampling, case.logits.len()).unwrap();
        let mut history = case.history;
        let start = history.len();
        for _ in &case.expected {
            history.push(sampler.sample(&case.logits, &history, Some(&mask)).unwrap().token);
        }
        assert_eq!(history[start..], case.expected, "{}", case.name);
    }
}
