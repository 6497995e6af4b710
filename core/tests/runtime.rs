//! Sessions, streams and the worker, over the scripted engine.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use pinfold::engine::scripted::Scripted;
use pinfold::{
    Cancel, Error, FinishReason, GenerateOptions, Model, ModelOptions, Session, SessionOptions, Special,
    Token,
};

fn model_with(script: Scripted, context_tokens: u32, sessions: u32) -> Model {
    let options = ModelOptions { context_tokens, sessions, slice_tokens: 16, ..ModelOptions::default() };
    Model::from_weights(Arc::new(script), &options).unwrap()
}

fn model(answer: &str) -> Model {
    model_with(Scripted::answering(answer), 512, 4)
}

/// Says letters for ever.
fn endless() -> Scripted {
    Scripted::new(|tokens| Token(u32::from(b'a') + (tokens.len() % 26) as u32))
}

fn ask(session: &Session, options: &GenerateOptions) -> (String, FinishReason) {
    session.append("Q?", Special::Plain).unwrap();
    let completion = session.generate(options).unwrap().complete().unwrap();
    (completion.text, completion.finish.reason)
}

fn text(session: &Session) -> String {
    session.model().vocabulary().text(&session.tokens().unwrap())
}

#[test]
fn a_generation_ends_at_the_models_end() {
    let session = model("hello").session().unwrap();
    assert_eq!(ask(&session, &GenerateOptions::default()), ("hello".into(), FinishReason::EndOfGeneration));
    assert_eq!(text(&session), "Q?hello");
}

#[test]
fn a_generation_ends_at_a_stop_text_and_at_its_length() {
    let model = model("one two three");
    let stop = GenerateOptions { stop: vec!["wo t".into()], ..Default::default() };
    assert_eq!(ask(&model.session().unwrap(), &stop), ("one t".into(), FinishReason::Stop));
    let length = GenerateOptions { max_tokens: Some(5), ..Default::default() };
    assert_eq!(ask(&model.session().unwrap(), &length), ("one t".into(), FinishReason::Length));
    let none = GenerateOptions { max_tokens: Some(0), ..Default::default() };
    assert_eq!(ask(&model.session().unwrap(), &none), (String::new(), FinishReason::Length));
}

#[test]
fn held_back_text_comes_at_the_end() {
    let options = GenerateOptions { stop: vec!["three four".into()], ..Default::default() };
    let session = model("one two three").session().unwrap();
    assert_eq!(ask(&session, &options).0, "one two three");
}

#[test]
fn characters_are_never_cut() {
    let session = model("a😀é").session().unwrap();
    session.append("q", Special::Plain).unwrap();
    let stream = session.generate(&GenerateOptions::default()).unwrap();
    let pieces: Vec<String> = stream.map(|chunk| chunk.unwrap().text).collect();
    assert_eq!(pieces, ["a", "😀", "é"]);
}

#[test]
fn a_session_can_go_on_after_each_end() {
    let session = model("ab").session().unwrap();
    let one = GenerateOptions { max_tokens: Some(1), ..Default::default() };
    session.append("q", Special::Plain).unwrap();
    assert_eq!(session.generate(&one).unwrap().complete().unwrap().text, "a");
    assert_eq!(session.generate(&one).unwrap().complete().unwrap().text, "b");
    let end = session.generate(&one).unwrap().complete().unwrap();
    assert_eq!((end.text.as_str(), end.finish.reason), ("", FinishReason::EndOfGeneration));
    // All tokens are computed now; the last one is computed again for its logits.
    assert_eq!(session.generate(&one).unwrap().complete().unwrap().finish.prompt_tokens, 1);
}

#[test]
fn what_was_computed_is_not_computed_again() {
    let session = model("ok").session().unwrap();
    session.append(&"x".repeat(100), Special::Plain).unwrap();
    session.prefill(&Cancel::new()).unwrap();
    session.append("yz", Special::Plain).unwrap();
    let finish = session.generate(&GenerateOptions::default()).unwrap().complete().unwrap().finish;
    assert_eq!((finish.prompt_tokens, finish.generated_tokens), (2, 2));
}

#[test]
fn a_busy_session_says_so_until_its_stream_is_read_or_dropped() {
    let session = model("hello").session().unwrap();
    session.append("q", Special::Plain).unwrap();
    let mut stream = session.generate(&GenerateOptions::default()).unwrap();
    assert!(matches!(session.append("x", Special::Plain), Err(Error::SessionBusy)));
    assert!(matches!(session.generate(&GenerateOptions::default()), Err(Error::SessionBusy)));
    assert!(matches!(session.fork().err(), Some(Error::SessionBusy)));
    assert_eq!(stream.next().unwrap().unwrap().text, "h");
    assert_eq!(stream.next().unwrap().unwrap().text, "e");
    drop(stream);
    assert_eq!(text(&session), "qhe", "the session holds what the stream gave out");
    let rest = session.generate(&GenerateOptions::default()).unwrap().complete().unwrap();
    assert_eq!(rest.text, "llo");
    session.append("x", Special::Plain).unwrap();
}

#[test]
fn a_slow_reader_bounds_the_worker() {
    let session = model_with(endless(), 4096, 1).session().unwrap();
    session.append("q", Special::Plain).unwrap();
    let mut stream =
        session.generate(&GenerateOptions { max_tokens: Some(3000), ..Default::default() }).unwrap();
    assert!(stream.next().is_some());
    std::thread::sleep(Duration::from_millis(100));
    // The worker answers while the stream waits, and has run ahead by no more than its bound.
    let held = session.tokens().unwrap().len();
    assert!(held <= 1 + 1 + 64 + 2, "{held} tokens for one that was read");
    let text: String = stream.map(|chunk| chunk.unwrap().text).collect();
    assert_eq!(text.len(), 2999);
}

#[test]
fn pieces_that_are_ready_come_joined_and_count_as_given_out() {
    let session = model_with(endless(), 4096, 1).session().unwrap();
    session.append("q", Special::Plain).unwrap();
    let options = GenerateOptions { max_tokens: Some(1000), ..Default::default() };
    let mut stream = session.generate(&options).unwrap();
    let mut given = stream.next_ready().unwrap().unwrap().tokens.len();
    std::thread::sleep(Duration::from_millis(100));
    let joined = stream.next_ready().unwrap().unwrap();
    assert!(joined.tokens.len() > 1, "the queue was full, and one piece came");
    assert_eq!(joined.text.len(), joined.tokens.len());
    given += joined.tokens.len();
    drop(stream);
    assert_eq!(session.tokens().unwrap().len(), 1 + given);

    let mut stream = session.generate(&options).unwrap();
    let mut count = 0;
    while let Some(chunk) = stream.next_ready() {
        count += chunk.unwrap().tokens.len();
    }
    assert_eq!((count, stream.finish().unwrap().reason), (1000, FinishReason::Length));
}

#[test]
fn cancel_works_in_prefill_and_in_decode() {
    let slow = endless().with_step(Duration::from_millis(2));
    let session = model_with(slow, 4096, 2).session().unwrap();
    session.append(&"x".repeat(2000), Special::Plain).unwrap();
    let cancel = Cancel::new();
    let other = cancel.clone();
    let setter = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        other.cancel();
        Instant::now()
    });
    let error = session.prefill(&cancel).unwrap_err();
    let late = setter.join().unwrap().elapsed();
    assert!(matches!(error, Error::Cancelled));
    // 4 s of work were left; a slice takes 32 ms here.
    assert!(late < Duration::from_secs(1), "cancelled {late:?} late");

    session.rewind(10).unwrap();
    let cancel = Cancel::new();
    let mut stream =
        session.generate(&GenerateOptions { cancel: cancel.clone(), ..Default::default() }).unwrap();
    assert!(stream.next().is_some());
    cancel.cancel();
    assert!(stream.next().is_none());
    assert_eq!(stream.finish().unwrap().reason, FinishReason::Cancelled);
    assert_eq!(session.tokens().unwrap().len(), 11);
    // Cancelling after the end, and again, does nothing.
    cancel.cancel();
    assert!(stream.next().is_none());
}

#[test]
fn a_cancelled_stream_wakes_a_reader_that_waits() {
    let slow = endless().with_step(Duration::from_millis(30));
    let session = model_with(slow, 512, 1).session().unwrap();
    session.append(&"x".repeat(400), Special::Plain).unwrap();
    let mut stream = session.generate(&GenerateOptions::default()).unwrap();
    let cancel = stream.cancel();
    let reader = std::thread::spawn(move || stream.next().is_none() && stream.finish().is_some());
    std::thread::sleep(Duration::from_millis(20));
    cancel.cancel();
    assert!(reader.join().unwrap());
    assert_eq!(session.tokens().unwrap().len(), 400);
}

#[test]
fn a_full_context_is_an_error_with_numbers_and_loses_nothing() {
    let model = model_with(endless(), 64, 4);
    let session = model.session().unwrap();
    session.append(&"x".repeat(60), Special::Plain).unwrap();
    match session.append("12345", Special::Plain) {
        Err(Error::ContextFull { used: 60, requested: 5, capacity: 64 }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(session.tokens().unwrap().len(), 60);
    let other = model.session().unwrap();
    assert!(matches!(other.append("12345", Special::Plain), Err(Error::ContextFull { used: 60, .. })));

    let mut stream = session.generate(&GenerateOptions::default()).unwrap();
    let mut text = String::new();
    let error = loop {
        match stream.next() {
            Some(Ok(chunk)) => text += &chunk.text,
            Some(Err(error)) => break error,
            None => panic!("the end without an error"),
        }
    };
    assert_eq!(text.len(), 4, "all that fits is given out first");
    assert!(matches!(error, Error::ContextFull { capacity: 64, .. }), "{error}");
    assert!(stream.next().is_none());
    assert_eq!(session.tokens().unwrap().len(), 64);
    session.rewind(1).unwrap();
    other.append("12345", Special::Plain).unwrap();
}

#[test]
fn a_sliding_context_goes_on_and_keeps_the_start() {
    let model = model_with(endless(), 64, 2);
    let slide = SessionOptions { slide_keep: Some(4) };
    let session = model.session_with(slide).unwrap();
    session.append("KEEPsome more text", Special::Plain).unwrap();
    let options = GenerateOptions { max_tokens: Some(500), ..Default::default() };
    let completion = session.generate(&options).unwrap().complete().unwrap();
    assert_eq!(completion.finish.generated_tokens, 500);
    assert!(text(&session).starts_with("KEEP"));
    assert!(session.tokens().unwrap().len() <= 64);
    // Appending slides as well, if what is dropped suffices.
    session.append(&"y".repeat(50), Special::Plain).unwrap();
    assert!(text(&session).starts_with("KEEP") && text(&session).ends_with("yyy"));
    let held = session.tokens().unwrap();
    assert!(matches!(session.append(&"z".repeat(70), Special::Plain), Err(Error::ContextFull { .. })));
    assert_eq!(session.tokens().unwrap(), held);
}

/// A reproducible model of which each token takes a millisecond.
fn reproducible(context_tokens: u32) -> Model {
    let options = ModelOptions { context_tokens, sessions: 3, reproducible: true, ..ModelOptions::default() };
    Model::from_weights(Arc::new(endless().with_step(Duration::from_millis(1))), &options).unwrap()
}

#[test]
fn each_session_of_a_reproducible_model_has_the_whole_context() {
    let model = reproducible(40);
    let sessions: Vec<Session> = (0..2).map(|_| model.session().unwrap()).collect();
    for session in &sessions {
        session.append(&"x".repeat(38), Special::Plain).unwrap();
        let full = session.append("xyz", Special::Plain);
        let numbers = matches!(full, Err(Error::ContextFull { used: 38, requested: 3, capacity: 40 }));
        assert!(numbers, "{full:?}");
        session.prefill(&Cancel::new()).unwrap();
    }
    let fork = sessions[0].fork().unwrap();
    let stream = fork.generate(&GenerateOptions::default()).unwrap();
    assert!(matches!(stream.complete(), Err(Error::ContextFull { used: 40, requested: 1, capacity: 40 })));
    let sliding = model.session_with(SessionOptions { slide_keep: Some(4) });
    assert!(matches!(sliding, Err(Error::InvalidOption { option: "slide_keep", .. })));
}

#[test]
fn sessions_of_a_reproducible_model_take_turns() {
    let model = reproducible(1024);
    let (reader, writer) = (model.session().unwrap(), model.session().unwrap());
    reader.append(&"x".repeat(200), Special::Plain).unwrap();
    writer.append("Q?", Special::Plain).unwrap();
    std::thread::scope(|scope| {
        let prompt = scope.spawn(|| reader.prefill(&Cancel::new()));
        let options = GenerateOptions { max_tokens: Some(60), ..Default::default() };
        writer.generate(&options).unwrap().complete().unwrap();
        assert!(!prompt.is_finished(), "the generation waited for the prompt");
        prompt.join().unwrap().unwrap();
    });
    // A generation without an end does not hold up a prompt.
    let endless = writer.generate(&GenerateOptions::default()).unwrap();
    reader.append(&"x".repeat(50), Special::Plain).unwrap();
    std::thread::scope(|scope| {
        let prompt = scope.spawn(|| reader.prefill(&Cancel::new()));
        let mut pieces = endless;
        while !prompt.is_finished() {
            pieces.next().unwrap().unwrap();
        }
        prompt.join().unwrap().unwrap();
    });
}

#[test]
fn a_fork_goes_its_own_way() {
    let model = model("ab");
    let session = model.session().unwrap();
    session.append("question a", Special::Plain).unwrap();
    session.prefill(&Cancel::new()).unwrap();
    let fork = session.fork().unwrap();
    fork.append("?", Special::Plain).unwrap();
    let one = GenerateOptions { max_tokens: Some(1), ..Default::default() };
    assert_eq!(session.generate(&one).unwrap().complete().unwrap().text, "b");
    assert_eq!(fork.generate(&one).unwrap().complete().unwrap().text, "a");
    drop(session);
    assert_eq!(text(&fork), "question a?a");
}

#[test]
fn rewind_forgets() {
    let session = model("x").session().unwrap();
    session.append("hello", Special::Plain).unwrap();
    session.prefill(&Cancel::new()).unwrap();
    session.rewind(2).unwrap();
    assert_eq!(text(&session), "he");
    assert!(matches!(session.rewind(3), Err(Error::InvalidOption { .. })));
    session.rewind(0).unwrap();
    assert!(matches!(session.generate(&GenerateOptions::default()).err(), Some(Error::SessionEmpty)));
    assert!(matches!(session.prefill(&Cancel::new()), Err(Error::SessionEmpty)));
}

#[test]
fn a_saved_session_goes_on_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session");
    let first = model("hello").session().unwrap();
    first.append("Q?", Special::Plain).unwrap();
    let two = GenerateOptions { max_tokens: Some(2), ..Default::default() };
    first.generate(&two).unwrap().complete().unwrap();
    first.save(&path).unwrap();

    let second = model("hello").session().unwrap();
    second.append("something else", Special::Plain).unwrap();
    second.restore(&path).unwrap();
    let completion = second.generate(&GenerateOptions::default()).unwrap().complete().unwrap();
    assert_eq!((completion.text.as_str(), completion.finish.prompt_tokens), ("llo", 1));

    std::fs::write(&path, b"PINFOLDS and so on").unwrap();
    assert!(matches!(second.restore(&path), Err(Error::BadSession { .. })));
    assert_eq!(text(&second), "Q?hello", "a session keeps what it held");
    assert!(matches!(second.restore(folder.path().join("absent")), Err(Error::Io { .. })));
}

#[test]
fn sessions_are_bounded_and_their_places_are_used_again() {
    let model = model_with(Scripted::answering("a"), 64, 2);
    let _one = model.session().unwrap();
    let two = model.session().unwrap();
    assert!(matches!(model.session().err(), Some(Error::TooManySessions { capacity: 2 })));
    drop(two);
    assert!(model.session().is_ok());
}

#[test]
fn model_session_and_stream_drop_in_any_order() {
    let order = |drops: [usize; 3]| {
        let model = model_with(endless(), 512, 2);
        let session = model.session().unwrap();
        session.append("q", Special::Plain).unwrap();
        let stream = session.generate(&GenerateOptions::default()).unwrap();
        let mut things: [Option<Box<dyn std::any::Any>>; 3] =
            [Some(Box::new(model)), Some(Box::new(session)), Some(Box::new(stream))];
        for index in drops {
            drop(things[index].take());
        }
    };
    for drops in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        order(drops);
    }
}

#[test]
fn a_stream_whose_session_is_gone_ends_as_cancelled() {
    let model = model_with(endless(), 4096, 2);
    let session = model.session().unwrap();
    session.append("q", Special::Plain).unwrap();
    let mut stream = session.generate(&GenerateOptions::default()).unwrap();
    stream.next().unwrap().unwrap();
    drop(session);
    // What was computed ahead may still come; then it ends.
    let rest = stream.by_ref().count();
    assert!(rest <= 66, "{rest} pieces after the session was dropped");
    assert_eq!(stream.finish().unwrap().reason, FinishReason::Cancelled);
    // Its place belongs to another session now, which the old stream must not touch.
    let next = model.session().unwrap();
    next.append("other", Special::Plain).unwrap();
    drop(stream);
    assert_eq!(text(&next), "other");
}

#[test]
fn several_sessions_generate_at_once_and_do_not_mix() {
    let model = model_with(Scripted::answering("the same long answer for all"), 4096, 8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let model = &model;
            scope.spawn(move || {
                for round in 0..20 {
                    let session = model.session().unwrap();
                    session.append(&format!("question {thread} {round}"), Special::Plain).unwrap();
                    let answer = session.generate(&GenerateOptions::default()).unwrap().complete().unwrap();
                    assert_eq!(answer.text, "the same long answer for all");
                }
            });
        }
    });
}

#[test]
fn an_engine_that_fails_ends_the_stream_with_its_error() {
    let failing = endless().failing_after(20);
    let session = model_with(failing, 512, 2).session().unwrap();
    session.append("question", Special::Plain).unwrap();
    let mut stream = session.generate(&GenerateOptions::default()).unwrap();
    let text: String = stream.by_ref().map_while(Result::ok).map(|chunk| chunk.text).collect();
    assert_eq!(text.len(), 13);
    assert!(stream.finish().is_none());
    drop(stream);
    assert!(matches!(session.prefill(&Cancel::new()), Err(Error::Engine { .. })));
}

#[test]
fn options_out_of_range_are_named() {
    let options = |change: fn(&mut ModelOptions)| {
        let mut options = ModelOptions::default();
        change(&mut options);
        Model::from_weights(Arc::new(Scripted::answering("a")), &options).err()
    };
    assert!(options(|o| o.sessions = 4).is_none());
    let session = model("a").session().unwrap();
    session.append("q", Special::Plain).unwrap();
    let mut bad = GenerateOptions::default();
    bad.sampling.temperature = f32::NAN;
    assert!(matches!(session.generate(&bad).err(), Some(Error::InvalidOption { option: "temperature", .. })));
    assert!(matches!(session.append_tokens(&[Token(9999)]), Err(Error::UnknownToken { token: 9999, .. })));
}

#[test]
fn logprobs_come_with_each_token() {
    let session = model("ab").session().unwrap();
    session.append("q", Special::Plain).unwrap();
    let options = GenerateOptions { logprobs: Some(3), ..Default::default() };
    let completion = session.generate(&options).unwrap().complete().unwrap();
    for token in &completion.tokens {
        assert_eq!(token.top.len(), 3);
        assert_eq!(token.top[0].token, token.token);
        assert!((token.logprob.unwrap() - token.top[0].logprob).abs() < 1e-6);
    }
    let next = session.next_tokens(2, &Cancel::new()).unwrap();
    assert_eq!(next[0].token, pinfold::engine::scripted::EOS);
}

#[test]
fn spelled_out_special_tokens_are_text_unless_they_are_asked_for() {
    let session = model("a").session().unwrap();
    assert_eq!(session.append("<eos>", Special::Plain).unwrap(), 5);
    assert_eq!(session.append("<eos>", Special::Parse).unwrap(), 6);
}
