//! `pinfold chat`, as a script uses it.

mod common;

use std::io::{BufRead, BufReader, Read, Write};

use common::{command, interrupt, pinfold, pinfold_fed, stories, stories_with_template};
use serde_json::Value;

#[test]
fn each_turn_follows_all_turns_before() {
    let folder = tempfile::tempdir().unwrap();
    let test = "each_turn_follows_all_turns_before";
    let Some(model) = stories_with_template(test, folder.path()) else { return };
    // The template of the test writes each message in a line, so a chat is a text that can be completed.
    let complete = |text: &str| {
        let json = pinfold(&["run", &model, text, "--raw", "--json", "-n", "10"]).done().json();
        json["text"].as_str().unwrap().to_owned()
    };
    let first = complete("Once\n");
    let second = complete(&format!("Once\n{first}\nLily\n"));
    let ran = pinfold_fed(&["chat", &model, "-n", "10"], b"Once\n\nLily\n").done();
    let line = |text: &str| if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    assert_eq!(ran.out, line(&first) + &line(&second));

    let ran = pinfold_fed(&["chat", &model, "-n", "10"], b"Once\n/reset\nOnce\n/quit\nLily\n").done();
    assert_eq!(ran.out, line(&first).repeat(2), "/reset forgets, /quit leaves");
    let system = line(&complete("One day\nOnce\n"));
    let ran = pinfold_fed(&["chat", &model, "-n", "10"], b"/system One day\nOnce\n").done();
    assert_eq!(ran.out, system);
    let ran = pinfold_fed(&["chat", &model, "-n", "10", "--system", "One day"], b"Once").done();
    assert_eq!(ran.out, system);
    let ran = pinfold_fed(&["chat", &model, "-n", "10"], b"//Once\n").done();
    assert_eq!(ran.out, line(&complete("/Once\n")));
}

#[test]
fn a_saved_chat_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let Some(model) = stories_with_template("a_saved_chat_goes_on_where_it_was", folder.path()) else {
        return;
    };
    let file = folder.path().join("chat.json");
    let path = file.to_str().unwrap();
    let chat = |lines: String| pinfold_fed(&["chat", &model, "-n", "10"], lines.as_bytes());

    let whole = chat("Once\nLily\n".into()).done().out;
    let start = chat(format!("Once\n/save {path}\n"));
    assert_eq!((start.code, start.err.as_str()), (0, "(saved 1 turn)\n"));
    let saved: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(saved["turns"][0], serde_json::json!({"role": "user", "content": "Once"}));

    let rest = chat(format!("/load {path}\nLily\n"));
    assert_eq!((rest.code, rest.err.as_str()), (0, "(loaded 1 turn)\n"));
    assert_eq!(start.out + &rest.out, whole);

    // Without the session, or with one of another checkpoint, the turns are computed again.
    let session = folder.path().join("chat.json.session");
    for bytes in [None, Some("damaged")] {
        match bytes {
            None => std::fs::remove_file(&session).unwrap(),
            Some(bytes) => std::fs::write(&session, bytes).unwrap(),
        }
        let again = chat(format!("/load {path}\nLily\n"));
        assert_eq!((again.code, again.err.as_str()), (0, "(loaded 1 turn, to be computed again)\n"));
        assert_eq!(again.out, rest.out);
    }
    std::fs::write(&file, "{}").unwrap();
    chat(format!("/load {path}\n")).failed(1, "not a saved chat");
    chat("/load no/such/file\n".into()).failed(1, "no/such/file");
}

#[test]
fn a_failure_is_said_and_the_chat_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let test = "a_failure_is_said_and_the_chat_goes_on";
    let Some(model) = stories_with_template(test, folder.path()) else { return };
    let long = "a dog ".repeat(100);
    let lines = format!("/frobnicate\n{long}\n/save\nOnce\n");
    let ran = pinfold_fed(&["chat", &model, "-n", "10", "--ctx", "64"], lines.as_bytes());
    assert_eq!(ran.code, 2, "that of the first failure");
    for said in ["no command /frobnicate", "but the context holds 64", "/reset forgets", "/save needs"] {
        assert!(ran.err.contains(said), "{said:?} is not in {}", ran.err);
    }
    let alone = pinfold_fed(&["chat", &model, "-n", "10", "--ctx", "64"], b"Once\n").done();
    assert_eq!(ran.out, alone.out, "the long turn was taken back");
}

#[test]
fn a_sliding_chat_forgets_its_oldest_turns() {
    let folder = tempfile::tempdir().unwrap();
    let test = "a_sliding_chat_forgets_its_oldest_turns";
    let Some(model) = stories_with_template(test, folder.path()) else { return };
    let lines = "Once upon a time\n".repeat(12);
    let ran = pinfold_fed(&["chat", &model, "-n", "16", "--ctx", "64", "--slide", "0"], lines.as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("the oldest turn is forgotten"), "{}", ran.err);
    let ran = pinfold_fed(&["chat", &model, "-n", "16", "--ctx", "64"], lines.as_bytes());
    assert_eq!(ran.code, 4, "one that does not slide is full");
}

#[test]
fn ctrl_c_ends_the_answer_and_not_the_chat() {
    let folder = tempfile::tempdir().unwrap();
    let test = "ctrl_c_ends_the_answer_and_not_the_chat";
    let Some(model) = stories_with_template(test, folder.path()) else { return };
    let mut child = command(&["chat", &model, "-n", "0", "--slide", "0"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"Once\n").unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_exact(&mut [0; 16]).unwrap();
    interrupt(&child);
    // What comes after the cancel is answered.
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    std::thread::scope(|scope| {
        let rest = scope.spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        while said != "(cancelled)\n" {
            said.clear();
            assert!(stderr.read_line(&mut said).unwrap() > 0, "the chat ended");
        }
        stdin.write_all(b"/frobnicate\n").unwrap();
        drop(stdin);
        rest.join().unwrap().unwrap();
    });
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("no command /frobnicate"), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn a_checkpoint_without_template_does_not_chat() {
    let Some(model) = stories("a_checkpoint_without_template_does_not_chat") else { return };
    pinfold(&["chat", &model]).failed(3, "no chat template").failed(3, "pinfold run");
}

#[test]
fn the_embedded_checkpoint_chats() {
    let ran = pinfold_fed(&["chat", "intent"], b"play some jazz\n").done();
    assert!(ran.out.contains("PlayMusic"), "{}", ran.out);
}
