//! `pinfold pull` and `pinfold outdated`, from a server of the test.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use std::net::TcpListener;

use common::server::Server;
use common::{Desk, Ran, ended, intent, intent_digest, interrupt, stories};

const PATH: &str = "/models/intent.gguf";

/// A server that has the embedded checkpoint, and a desk whose lock file pins it there, with an empty store.
fn pinned() -> (Server, Desk) {
    let (server, desk) = (Server::start(), Desk::new());
    let source = server.put(PATH, intent());
    desk.run(&["pin", "commands", &source, "--licence", "MIT"]).done();
    desk.run(&["store", "remove", "commands"]).done();
    (server, desk)
}

fn statuses(ran: &Ran) -> Vec<String> {
    let json = ran.json();
    json.as_array().unwrap().iter().map(|entry| entry["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_pinned_is_pulled_once() {
    let (server, desk) = pinned();
    let sent = server.sent();
    let table = desk.run(&["pull"]).done().out;
    assert!(table.starts_with("commands") && table.contains("pulled in"), "{table}");
    assert_eq!(server.sent() - sent, intent().len() as u64);

    let json = desk.run(&["pull", "commands", "commands", "--json"]).done().json();
    assert_eq!(json.as_array().unwrap().len(), 1);
    let entry = &json[0];
    assert_eq!((entry["name"].as_str(), entry["status"].as_str()), (Some("commands"), Some("present")));
    assert_eq!(entry["sha256"].as_str(), Some(&*intent_digest()));
    assert_eq!(std::fs::read(entry["path"].as_str().unwrap()).unwrap(), intent());
    assert_eq!(server.sent() - sent, intent().len() as u64, "nothing is brought twice");

    let answer = desk.run(&["run", "commands", "play some jazz"]).done().out;
    assert!(answer.contains("PlayMusic"), "{answer}");
}

#[test]
fn what_is_not_pulled_says_how_it_is() {
    let (_server, desk) = pinned();
    desk.run(&["run", "commands", "x"]).failed(3, "hint: `pinfold pull commands`");
    desk.run(&["pull", "nothing"]).failed(3, "pins nothing named \"nothing\"; it pins: commands");
    desk.run(&["pull", "--connections", "17"]).failed(2, "--connections");
    let elsewhere = Desk::new();
    elsewhere.run(&["pull"]).failed(1, "there is no pinfold.lock");
    elsewhere.run(&["pull", "--lock", "none.lock"]).failed(1, "none.lock");
}

#[test]
fn other_bytes_are_refused_and_the_others_still_pulled() {
    let test = "other_bytes_are_refused_and_the_others_still_pulled";
    let Some(model) = stories(test) else { return };
    let (server, desk) = pinned();
    let stories = std::fs::read(&model).unwrap();
    let source = server.put("/stories.gguf", &stories);
    desk.run(&["pin", "tale", &source, "--licence", "MIT"]).done();
    desk.run(&["store", "remove", "tale"]).done();
    let mut changed = intent().to_vec();
    changed[1_000_000] ^= 1;
    server.put(PATH, &changed);

    let ran = desk.run(&["pull"]).failed(1, "commands could not be pulled");
    assert!(ran.out.contains("tale") && !ran.out.contains("commands"), "{}", ran.out);
    let ran = desk.run(&["pull", "--json"]);
    assert_eq!((ran.code, statuses(&ran)), (1, vec!["failed".to_owned(), "present".to_owned()]));
    assert_eq!(ran.json()[0]["error"]["code"], "pull_failed");
    desk.run(&["run", "commands", "x"]).failed(3, "is not on this machine");
}

#[test]
fn a_mirror_serves_where_the_first_source_does_not() {
    let (server, desk) = pinned();
    let mirror = server.put("/mirror.gguf", intent());
    desk.run(&["pin", "commands", "--mirror", &mirror]).done();
    desk.run(&["store", "remove", "commands"]).done();
    server.remove(PATH);
    let json = desk.run(&["pull", "--json"]).done().json();
    assert_eq!(
        (json[0]["status"].as_str(), json[0]["source"].as_str()),
        (Some("pulled"), Some(mirror.as_str()))
    );
}

#[test]
fn a_killed_pull_goes_on_where_it_was() {
    let (server, desk) = pinned();
    let sent = server.sent();
    server.slow(true);
    let mut child = desk.command(&["pull"]).spawn().unwrap();
    server.wait_for(sent + 3_000_000);
    child.kill().unwrap();
    child.wait().unwrap();
    desk.run(&["run", "commands", "x"]).failed(3, "is not on this machine");

    server.slow(false);
    let before = server.sent();
    desk.run(&["pull"]).done();
    let again = server.sent() - before;
    assert!(again < intent().len() as u64 - 1_000_000, "{again} bytes were sent again");
    desk.run(&["store", "verify"]).done();
}

#[test]
fn ctrl_c_ends_a_pull_which_then_goes_on() {
    let (server, desk) = pinned();
    let sent = server.sent();
    server.slow(true);
    let child = desk.command(&["pull"]).spawn().unwrap();
    server.wait_for(sent + 1_000_000);
    interrupt(&child);
    let ran = ended(child);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (130, "", ""));
    server.slow(false);
    desk.run(&["pull"]).done();
}

#[test]
fn without_a_server_it_says_so() {
    let desk = Desk::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let source = format!("http://{nobody}/x.gguf?token=secret");
    let ran = desk
        .run(&["pin", "x", &source, "--licence", "MIT", "--attempts", "1"])
        .failed(1, "could not be pulled");
    assert!(!ran.err.contains("secret"), "{}", ran.err);
    assert!(!desk.lock().exists(), "nothing is recorded when it fails");
}

#[test]
fn outdated_asks_and_changes_nothing() {
    let Some(model) = stories("outdated_asks_and_changes_nothing") else { return };
    let (server, desk) = pinned();
    let before = desk.lock_text();
    let sent = server.sent();
    let ran = desk.run(&["outdated", "--json"]).done();
    assert_eq!(statuses(&ran), ["unknown"], "this server tells the size alone");
    let json = ran.json();
    assert_eq!(json[0]["pinned_sha256"].as_str(), Some(&*intent_digest()));
    assert_eq!(json[0]["now_size_bytes"], intent().len());
    assert_eq!(server.sent(), sent, "no weights are brought");

    server.put(PATH, &std::fs::read(&model).unwrap());
    let table = desk.run(&["outdated"]).failed(1, "").out;
    assert!(table.starts_with("NAME") && table.contains("changed"), "{table}");
    server.remove(PATH);
    let ran = desk.run(&["outdated", "commands", "--json"]).failed(1, "");
    assert_eq!(statuses(&ran), ["gone"]);
    assert_eq!(desk.lock_text(), before);
    desk.run(&["outdated", "nothing"]).failed(3, "pins nothing named");
}

#[test]
fn a_file_is_outdated_when_it_was_changed() {
    let desk = Desk::new();
    desk.pin_intent("commands");
    assert_eq!(statuses(&desk.run(&["outdated", "--json"]).done()), ["same"]);
    let mut changed = intent().to_vec();
    changed[1_000_000] ^= 1;
    desk.write("intent.gguf", &changed);
    assert_eq!(statuses(&desk.run(&["outdated", "--json"]).failed(1, "")), ["changed"]);
    std::fs::remove_file(desk.work().join("intent.gguf")).unwrap();
    assert_eq!(statuses(&desk.run(&["outdated", "--json"]).failed(1, "")), ["gone"]);
}

#[test]
fn a_source_that_cannot_be_asked_is_unreachable() {
    let (_server, desk) = pinned();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = desk.lock_text();
    let source = text.split('"').find(|part| part.starts_with("http://")).unwrap().to_owned();
    desk.edit(&source, &format!("http://{nobody}/x.gguf"));
    let ran = desk.run(&["outdated"]).failed(1, "note: ");
    assert!(ran.out.contains("unreachable"), "{}", ran.out);
}
