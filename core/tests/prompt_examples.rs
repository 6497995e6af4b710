//! The prompts and chains in `examples/` do what the guides say.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::{Path, PathBuf};

use pinfold::prompt::Content;
use pinfold::{Chain, Error, PromptFile, Role, Values};
use serde_json::{Value, json};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

fn values(value: Value) -> Values {
    value.as_object().unwrap().clone()
}

#[test]
fn self_ask_shows_examples_as_turns() {
    let prompt = PromptFile::open(example("prompts/self-ask.prompt")).unwrap();
    let question = "What is {{answer}}?\nSo the answer is: 42";
    let conversation = prompt.render(&values(json!({"question": question})), &[]).unwrap();
    let turns: Vec<(Role, String)> = conversation
        .turns
        .iter()
        .map(|turn| match &turn.content {
            Some(Content::Text(text)) => (turn.role, text.as_str().to_owned()),
            other => panic!("{other:?}"),
        })
        .collect();
    let roles: Vec<Role> = turns.iter().map(|(role, _)| *role).collect();
    let pair = [Role::User, Role::Assistant];
    assert_eq!(roles, [&[Role::System][..], &pair, &pair, &pair, &pair, &[Role::User]].concat());
    let expected = "Smaller questions are needed: yes.\nSmaller question: How long is the Rhine?\nIts answer: About \
                    1,230 km.\nSmaller question: How long is the Rhone?\nIts answer: About 810 km.\nSo the answer is: \
                    the Rhine";
    assert_eq!(turns[2].1.trim(), expected);
    assert!(turns[6].1.contains("needed: no"), "{}", turns[6].1);
    assert_eq!(turns[9].1.trim(), format!("Question: {question}"));
    // What examples say is a value, what the prompt says is not.
    let Some(Content::Text(text)) = &conversation.turns[2].content else { panic!() };
    let sealed: Vec<&str> = text.pieces().filter(|(_, sealed)| *sealed).map(|(piece, _)| piece).collect();
    assert!(sealed.contains(&"How long is the Rhine?") && sealed.contains(&"the Rhine"), "{sealed:?}");
    assert!(!sealed.iter().any(|piece| piece.contains("Smaller question")), "{sealed:?}");
}

#[test]
fn a_long_question_leaves_less_room_for_examples() {
    let prompt = PromptFile::open(example("prompts/self-ask.prompt")).unwrap();
    let turns = |bytes: usize| {
        let conversation = prompt.render(&values(json!({"question": "x".repeat(bytes)})), &[]).unwrap();
        conversation.turns.len()
    };
    assert_eq!((turns(10), turns(4001)), (10, 2));
    assert!((3650..3950).map(turns).is_sorted_by(|more, less| more >= less));
    let own = prompt.render(&values(json!({"question": "a", "examples": []})), &[]);
    assert!(matches!(&own, Err(Error::BadVariable { name, .. }) if name == "examples"), "{own:?}");
    assert_eq!(prompt.variables(), ["question"]);
}

#[test]
fn the_example_of_a_chain_passes_its_checks() {
    let chain = Chain::open(example("chains/request.chain.yaml")).unwrap();
    let steps: Vec<(&str, bool, Option<&str>)> =
        chain.steps().map(|step| (step.id, step.human, step.model)).collect();
    assert_eq!(steps, [("intent", false, Some("intent")), ("confirm", true, None)]);
}
