//! Questions to people, and states that are saved and restored.

use super::*;

const ASKS: &str = "
input: {request: string}
steps:
  - {id: intent, prompt: intent.prompt, inputs: {request: input.request}}
  - {id: sure, human: ask.prompt, inputs: {text: steps.intent.output.intent}}
  - id: play
    prompt: answer.prompt
    when: steps.sure.output.sure
    inputs: {artist: steps.intent.output.intent}
output: {sure: steps.sure.output.sure, said: {from: steps.play.output, default: null}}
";

fn waiting(script: &Arc<Script>) -> ChainRun {
    let mut run = chain(ASKS).start(values(json!({"request": "a"}))).unwrap();
    let Outcome::Waiting(question) = advance(&mut run, script).unwrap() else { panic!("it asks nothing") };
    assert_eq!((question.step.as_str(), question.text.as_str()), ("sure", "Really Play?"));
    assert_eq!(question.schema["properties"]["sure"]["type"], "boolean");
    run
}

#[test]
fn a_person_is_asked_and_the_run_goes_on_from_its_state() {
    let script = Script::new([json!({"intent": "Play"}), json!("Playing.")]);
    let run = waiting(&script);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    run.save(&path).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let mut run = chain(ASKS).load(&path, Changed::Refuse).unwrap();
    let again = advance(&mut run, &script).unwrap();
    assert!(matches!(again, Outcome::Waiting(_)), "without an answer it is asked again");
    for wrong in [json!("yes"), json!({}), json!({"sure": "my secret"}), json!({"sure": true, "x": 1})] {
        let error = run.answer(wrong).unwrap_err();
        assert!(matches!(&error, Error::BadVariable { name, .. } if name.starts_with("answer")), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    run.answer(json!({"sure": true})).unwrap();
    // The answer is part of the state.
    let mut run = chain(ASKS).restore(&run.state(), Changed::Refuse).unwrap();
    assert_eq!(advance(&mut run, &script).unwrap(), Outcome::Done(json!({"sure": true, "said": "Playing."})));
    assert!(matches!(run.answer(json!({"sure": true})), Err(Error::BadChain { .. })));
    assert_eq!(advance(&mut run, &script).unwrap(), Outcome::Done(json!({"sure": true, "said": "Playing."})));
    assert_eq!(Chain::of_state(&path).unwrap().file_name().unwrap(), "a.chain.yaml");
}

#[test]
fn a_no_is_an_answer() {
    let mut run = waiting(&Script::new([json!({"intent": "Play"})]));
    run.answer(json!({"sure": false})).unwrap();
    let done = advance(&mut run, &Script::new([])).unwrap();
    assert_eq!(done, Outcome::Done(json!({"sure": false, "said": null})));
}

#[test]
fn a_chain_that_changed_is_refused_unless_allowed() {
    let state = waiting(&Script::new([json!({"intent": "Play"})])).state();
    let changed = |text: &str, allowed| parse(text).unwrap().restore(&state, allowed);
    let other = ASKS.replace("default: null", "default: 0");
    let error = changed(&other, Changed::Refuse).unwrap_err();
    assert!(error.to_string().contains("the chain changed since"), "{error}");
    let mut run = changed(&other, Changed::Allow).unwrap();
    run.answer(json!({"sure": false})).unwrap();
    assert_eq!(
        advance(&mut run, &Script::new([])).unwrap(),
        Outcome::Done(json!({"sure": false, "said": 0}))
    );
    // A prompt that changed.
    let text = "---\ninput:\n  schema:\n    text: string\n---\nSure about {{text}}?\n";
    let with_prompt = |name: &str| match name {
        "ask.prompt" => PromptFile::from_text(name, text, &PromptParts::default()),
        other => prompt(other),
    };
    let asks = ASKS
        .replace(", when: steps.sure.output.sure", "")
        .replace("steps.sure.output.sure", "steps.sure.output");
    let asks = asks.replace("    when: steps.sure.output\n", "");
    let new = Chain::parse("a.chain.yaml", asks.as_bytes(), &mut { with_prompt }).unwrap();
    let error = new.restore(&state, Changed::Refuse).unwrap_err();
    assert!(error.to_string().contains("\"ask.prompt\" changed"), "{error}");
    // What does not fit any more is no state, allowed or not.
    for (text, reason) in [
        (
            ASKS.replace("sure, human", "certain, human").replace("steps.sure", "steps.certain"),
            "no step \"sure\"",
        ),
        (ASKS.replace("id: intent", "id: wish").replace("steps.intent", "steps.wish"), ""),
        (
            ASKS.replace("{request: string}", "{request: integer}")
                .replace("inputs: {request: input.request}", "inputs: {request: {literal: x}}"),
            "request",
        ),
    ] {
        let restored = changed(&text, Changed::Allow);
        match reason {
            "" => assert!(restored.is_ok()),
            _ => assert!(restored.unwrap_err().to_string().contains(reason), "{reason}"),
        }
    }
}

#[test]
fn what_is_no_state_is_refused_without_quoting_it() {
    let state = waiting(&Script::new([json!({"intent": "Play"})])).state();
    let chain = chain(ASKS);
    let refused = |text: &str| {
        let error = chain.restore(text, Changed::Allow).unwrap_err();
        assert!(matches!(error, Error::BadChain { .. }), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        error.to_string()
    };
    assert!(refused("").contains("not the state of a chain"));
    assert!(refused("{\"a\": \"secret\"}").contains("not the state of a chain"));
    assert!(refused("{\"pinfold_chain\": 2}").contains("version 2"));
    assert!(refused("{\"pinfold_chain\": 1, \"values\": \"secret\"}").contains("damaged"));
    assert!(refused(&state.replace("\"Play\"", "\"secret\"")).contains("the output of step \"intent\""));
    assert!(refused(&state.replace("\"next\": \"sure\"", "\"next\": \"gone\"")).contains("no step \"gone\""));
    for cut in 0..state.len() - 2 {
        assert!(chain.restore(&state[..cut], Changed::Allow).is_err(), "{cut}");
    }
    let missing = chain.load("none.json", Changed::Refuse);
    assert!(matches!(missing, Err(Error::Io { .. })));
}

/// Few-shot examples that are chosen by likeness get the embedder of the backends.
#[test]
fn examples_are_chosen_by_the_embedder_of_the_run() {
    let few = "---\ninput: {schema: {question: string}}\npinfold.examples:\n  select: similar\n  count: 1\n  list:\n    \
               - {question: aaa, answer: '1'}\n    - {question: zzz, answer: '2'}\n---\n{{#each \
               examples}}{{question}}={{answer}};{{/each}}{{question}}\n";
    let mut prompts = |name: &str| PromptFile::from_text(name, few, &PromptParts::default());
    let text = b"steps:\n  - {id: a, prompt: few.prompt, inputs: {question: {literal: zz}}}\n";
    let chain = Chain::parse("a.chain.yaml", text, &mut prompts).unwrap();
    let script = Script::new([json!("3")]);
    let mut run = chain.start(Values::new()).unwrap();
    assert!(matches!(advance(&mut run, &script), Err(Error::Unsupported { .. })));
    let scripted = crate::engine::scripted::Scripted::answering("").with_embedding(2, |tokens| {
        let count = |byte: u8| tokens.iter().filter(|token| token.0 == u32::from(byte)).count() as f32;
        vec![count(b'a'), count(b'z')]
    });
    let embedder = crate::Embedder::from_weights(Arc::new(scripted), &Default::default()).unwrap();
    let backends = backends(&script).with_embedder(embedder);
    assert_eq!(run.advance(&backends, &mut ChainWatch::default()).unwrap(), Outcome::Done(json!("3")));
    assert_eq!(script.asked(), ["[zzz]=[2];[zz]"]);
}
