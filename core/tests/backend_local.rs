//! The local backend: what is computed for a following turn, outputs, and sessions that are shared.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::sync::Arc;
use std::time::Duration;

use pinfold::backend::{Backend, Local, Request};
use pinfold::engine::scripted::Scripted;
use pinfold::prompt::{Conversation, Part, Role, Text, Turn};
use pinfold::{Constraint, Error, FinishReason, Model, ModelOptions};
use serde_json::json;

const CHAT: &str = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}\
    {% if add_generation_prompt %}<assistant>{% endif %}";

/// Drops the thoughts of all answers but the last, as Qwen 3 does.
const THINKING: &str = "{% for m in messages %}<{{ m.role }}>\
    {%- if m.role == 'assistant' and not loop.last %}{{ m.content.split('</think>')[-1] }}\
    {%- else %}{{ m.content }}{% endif %}</{{ m.role }}>{% endfor %}\
    {% if add_generation_prompt %}<assistant>{% endif %}";

fn local(template: &str, answer: &str, tokens: u32) -> Local {
    let options = ModelOptions { context_tokens: tokens, ..ModelOptions::default() };
    let weights = Scripted::answering(answer).with_chat_template(template);
    Local::new("scripted", Model::from_weights(Arc::new(weights), &options).unwrap())
}

fn user(text: &str) -> Turn {
    Turn::new(Role::User, Text::sealed(text))
}

fn request(turns: &[Turn]) -> Request {
    Request { max_tokens: Some(40), ..Conversation::new(turns.to_vec()).into() }
}

#[test]
fn a_following_turn_computes_its_own_tokens_only() {
    let backend = local(CHAT, "An answer", 1024);
    let mut turns = vec![Turn::new(Role::System, Text::author("Some instructions")), user("A question")];
    let mut shown = String::new();
    let first = backend.reply(&request(&turns), &mut |text| shown += text).unwrap();
    assert_eq!((shown.as_str(), first.text.as_str()), ("An answer", "An answer"));
    assert_eq!((first.cached_tokens, first.finish), (Some(0), FinishReason::EndOfGeneration));
    turns.extend([first.turn(), user("Another")]);
    let second = backend.reply(&request(&turns), &mut |_| {}).unwrap();
    // One token a byte: the end of the answer, the question, and the start of the answer to it. The last token
    // of an answer was sampled, but is computed with what follows.
    let new = "</assistant><user>Another</user><assistant>".len() as u32;
    let computed = second.prompt_tokens.unwrap() - second.cached_tokens.unwrap();
    assert!(computed >= new && computed <= new + 1, "{computed} of {new}");
    // The same again costs one token: there must be something to choose after.
    let again = backend.reply(&request(&turns), &mut |_| {}).unwrap();
    assert_eq!(again.prompt_tokens.unwrap() - again.cached_tokens.unwrap(), 1);
}

#[test]
fn history_that_a_template_rewrites_is_computed_from_where_it_differs() {
    let backend = local(THINKING, "<think>hm</think>An answer", 1024);
    let mut turns = vec![user("A question")];
    let first = backend.reply(&request(&turns), &mut |_| {}).unwrap();
    turns.extend([first.turn(), user("Another")]);
    let second = backend.reply(&request(&turns), &mut |_| {}).unwrap();
    assert_eq!(second.text, "<think>hm</think>An answer");
    let kept = "<user>A question</user><assistant>".len() as u32;
    assert_eq!(second.cached_tokens, Some(kept));
    let fresh = local(THINKING, "<think>hm</think>An answer", 1024);
    let fresh = fresh.reply(&request(&turns), &mut |_| {}).unwrap();
    assert_eq!((fresh.text, fresh.prompt_tokens), (second.text, second.prompt_tokens));
}

#[test]
fn conversations_that_take_turns_keep_what_is_computed() {
    let backend = local(CHAT, "An answer", 4096);
    let conversations = ["One talk about this", "That is another talk"].map(|text| vec![user(text)]);
    for turns in &conversations {
        backend.reply(&request(turns), &mut |_| {}).unwrap();
    }
    for turns in &conversations {
        let reply = backend.reply(&request(turns), &mut |_| {}).unwrap();
        assert_eq!(reply.cached_tokens.unwrap() + 1, reply.prompt_tokens.unwrap());
    }
    // With one session they push each other out.
    let single = local(CHAT, "An answer", 4096).with_sessions(1);
    for turns in conversations.iter().chain(&conversations) {
        let reply = single.reply(&request(turns), &mut |_| {}).unwrap();
        assert!(reply.cached_tokens.unwrap() < 10);
    }
}

#[test]
fn a_full_context_is_an_error_and_the_next_request_works() {
    let backend = local(CHAT, "An answer that is a bit longer", 64);
    let error = backend.reply(&request(&[user(&"x".repeat(60))]), &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::ContextFull { capacity: 64, .. }), "{error}");
    // Less room than asked for ends the answer, and says so.
    let reply = backend.reply(&request(&[user("Hi there, you")]), &mut |_| {}).unwrap();
    assert_eq!(reply.finish, FinishReason::Length);
    assert!("An answer that is a bit longer".starts_with(&reply.text));
    let short = Request { max_tokens: Some(4), ..request(&[user("Hi")]) };
    assert_eq!(backend.reply(&short, &mut |_| {}).unwrap().text, "An a");
}

#[test]
fn outputs_are_constrained_and_checked() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"],
        "additionalProperties": false});
    let output = Some(Constraint::JsonSchema(schema));
    let with = |max_tokens| Request { output: output.clone(), max_tokens, ..request(&[user("Hi")]) };
    let backend = local(CHAT, "{\"a\":12}", 1024);
    let reply = backend.reply(&with(Some(40)), &mut |_| {}).unwrap();
    assert_eq!(reply.value, Some(json!({"a": 12})));
    let Err(Error::BadOutput { reason, text }) = backend.reply(&with(Some(5)), &mut |_| {}) else { panic!() };
    assert_eq!(text, "{\"a\":");
    assert!(reason.contains("length"), "{reason}");
    assert_eq!(backend.reply(&with(Some(40)), &mut |_| {}).unwrap().value, Some(json!({"a": 12})));
}

#[test]
fn requests_at_once_are_all_answered() {
    let backend = Arc::new(local(CHAT, "An answer", 8192).with_sessions(2));
    let threads = (0..8).map(|number| {
        let backend = Arc::clone(&backend);
        std::thread::spawn(move || {
            for turn in 0..3 {
                let request = request(&[user(&format!("question {number} {turn}"))]);
                assert_eq!(backend.reply(&request, &mut |_| {}).unwrap().text, "An answer");
            }
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn waiting_for_a_session_and_generating_can_be_cancelled() {
    let weights =
        Scripted::new(|_| pinfold::Token(120)).with_step(Duration::from_millis(2)).with_chat_template(CHAT);
    let options = ModelOptions { context_tokens: 1 << 20, ..ModelOptions::default() };
    let model = Model::from_weights(Arc::new(weights), &options).unwrap();
    let backend = Arc::new(Local::new("endless", model).with_sessions(1));
    let endless = Request { max_tokens: None, ..request(&[user("Hi")]) };
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (backend, request) = (Arc::clone(&backend), endless.clone());
            std::thread::spawn(move || backend.reply(&request, &mut |_| {}))
        })
        .collect();
    std::thread::sleep(Duration::from_millis(50));
    endless.cancel.cancel();
    for thread in threads {
        assert!(matches!(thread.join().unwrap(), Err(Error::Cancelled)));
    }
    // One who asks from within its own answer would wait for ever.
    let two = Request { max_tokens: Some(2), ..request(&[user("Hi")]) };
    let mut inner = None;
    backend.reply(&two, &mut |_| inner = Some(backend.reply(&two, &mut |_| {}))).unwrap();
    assert!(matches!(inner, Some(Err(Error::SessionBusy))));
}

#[test]
fn what_a_checkpoint_cannot_see_is_refused() {
    let backend = local(CHAT, "An answer", 1024);
    let mut turn = user("");
    turn.content = Some(pinfold::prompt::Content::Parts(vec![Part::Image]));
    assert!(matches!(backend.reply(&request(&[turn]), &mut |_| {}), Err(Error::Unsupported { .. })));
}
