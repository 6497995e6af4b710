//! The embedded checkpoints give the answers that their cards show, byte for byte.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use pinfold::{GenerateOptions, Message, ModelOptions, Offload, Role, Special};

#[derive(serde::Deserialize)]
struct Example {
    prompt: String,
    text: String,
}

#[test]
fn the_examples_of_the_intent_card_come_out() {
    let intent = pinfold_checkpoints::find("intent").unwrap();
    let options = ModelOptions { offload: Offload::cpu_only(), ..ModelOptions::default() };
    let model = intent.load(&options).unwrap();
    let examples = include_str!("../intent/examples.jsonl").lines();
    let examples: Vec<Example> = examples.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(examples.len() >= 20);
    for example in examples {
        let prompt = model.chat_prompt(&[Message::new(Role::User, example.prompt.as_str())]).unwrap();
        let session = model.session().unwrap();
        session.append(&prompt, Special::Parse).unwrap();
        let completion = session.generate(&GenerateOptions::default()).unwrap().complete().unwrap();
        assert_eq!(completion.text, example.text, "{:?}", example.prompt);
        serde_json::from_str::<serde_json::Value>(&completion.text).unwrap();
    }
}
