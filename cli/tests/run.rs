//! `pinfold run`.

mod common;

use std::io::Read;
use std::time::Duration;

use common::{command, ended, interrupt, pinfold, pinfold_fed, stories, stories_with_template};

/// What the stories' checkpoint says after "Once upon a time".
const STORY: &str = ", there was a little girl named Lily.";

#[test]
fn a_prompt_comes_as_argument_file_or_stdin() {
    let Some(model) = stories("a_prompt_comes_as_argument_file_or_stdin") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompt.txt");
    std::fs::write(&file, "Once upon a time\n").unwrap();
    let file = file.to_str().unwrap();

    let told = pinfold(&["run", &model, "Once upon a time", "-n", "40"]).done().out;
    assert!(told.starts_with(STORY), "{told}");
    assert!(told.ends_with('\n'));
    assert_eq!(pinfold(&["run", &model, "--file", file, "-n", "40"]).done().out, told);
    assert_eq!(pinfold_fed(&["run", &model, "-n", "40"], b"Once upon a time\n").done().out, told);
    assert_eq!(pinfold_fed(&["run", &model, "-", "-n", "40"], b"Once upon a time").done().out, told);
    assert_eq!(pinfold(&["run", &model, "Once upon a time", "-n", "40", "--raw"]).done().out, told);
}

#[test]
fn json_has_text_tokens_reason_and_timings() {
    let Some(model) = stories("json_has_text_tokens_reason_and_timings") else { return };
    let json = pinfold(&["run", &model, "Once upon a time", "-n", "4", "--json"]).done().json();
    assert_eq!(json["text"], ", there was a");
    assert_eq!(json["tokens"].as_array().unwrap().len(), 4);
    assert_eq!(json["finish_reason"], "length");
    assert_eq!(json["model"], model.as_str());
    assert!(json.get("logprobs").is_none(), "only on request");
    let timings = &json["timings"];
    assert_eq!((timings["prompt_tokens"].as_u64(), timings["generated_tokens"].as_u64()), (Some(5), Some(4)));
    for name in ["load", "prompt", "generation"] {
        assert!(timings[format!("{name}_seconds")].as_f64().unwrap() > 0.0, "{name}");
    }
    for name in ["prompt", "generated"] {
        assert!(timings[format!("{name}_tokens_per_second")].as_f64().unwrap() > 0.0, "{name}");
    }
}

#[test]
fn logprobs_are_given_on_request() {
    let Some(model) = stories("logprobs_are_given_on_request") else { return };
    let ran = pinfold(&["run", &model, "Once upon a time", "-n", "3", "--json", "--logprobs", "2"]).done();
    let json = ran.json();
    let logprobs = json["logprobs"].as_array().unwrap();
    assert_eq!(logprobs.len(), 3);
    for (entry, token) in logprobs.iter().zip(json["tokens"].as_array().unwrap()) {
        assert_eq!(&entry["token"], token);
        let top = entry["top"].as_array().unwrap();
        assert_eq!((top.len(), &top[0]["token"]), (2, token), "greedy takes the likeliest");
        assert_eq!((&top[0]["logprob"], &top[0]["text"]), (&entry["logprob"], &entry["text"]));
        assert!(entry["logprob"].as_f64().unwrap() <= 0.0);
    }
    pinfold(&["run", &model, "Once", "--logprobs", "2"]).failed(2, "--json");
}

#[test]
fn a_stop_text_ends_the_answer_and_a_seed_repeats_it() {
    let Some(model) = stories("a_stop_text_ends_the_answer_and_a_seed_repeats_it") else { return };
    let stopped = ["run", &model, "Once upon a time", "--json", "--stop", "Lily", "--stop", "nothing"];
    let json = pinfold(&stopped).done().json();
    assert_eq!(
        (json["text"].as_str(), json["finish_reason"].as_str()),
        (Some(", there was a little girl named "), Some("stop"))
    );

    let draw = |seed: &str| {
        pinfold(&[
            "run", &model, "Once", "-n", "30", "-t", "1.5", "--top-k", "100", "--min-p", "0.01", "--seed",
            seed,
        ])
        .done()
        .out
    };
    assert_eq!(draw("7"), draw("7"));
    assert_ne!(draw("7"), draw("8"));
}

#[test]
fn the_context_ends_an_answer_or_slides() {
    let Some(model) = stories("the_context_ends_an_answer_or_slides") else { return };
    let full = ["run", &model, "Once", "--ctx", "64", "--json"];
    let json = pinfold(&full).done().json();
    assert_eq!(
        (json["tokens"].as_array().unwrap().len(), json["finish_reason"].as_str()),
        (62, Some("length"))
    );
    let told = pinfold(&full[..5]);
    assert!(told.err.contains("the context of 64 tokens is full"), "{}", told.err);

    let slid = ["run", &model, "Once", "--ctx", "64", "--json", "-n", "200", "--slide", "4"];
    assert_eq!(pinfold(&slid).done().json()["tokens"].as_array().unwrap().len(), 200);

    let long = "a dog ".repeat(100);
    pinfold(&["run", &model, &long, "--ctx", "64"]).failed(4, "but the context holds 64");
    let error = pinfold(&["run", &model, &long, "--ctx", "64", "--json"]).failed(4, "hint").err;
    let error: serde_json::Value = serde_json::from_str(&error).unwrap();
    assert_eq!(error["error"]["code"], "context_full");
}

#[test]
fn jsonl_answers_in_order_and_goes_on_after_a_bad_line() {
    let Some(model) = stories("jsonl_answers_in_order_and_goes_on_after_a_bad_line") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompts.jsonl");
    let prompts = ["Once upon a time", "Lily", "The dog", "Once upon a time"];
    let lines: Vec<_> = prompts.iter().map(|prompt| format!("{{\"prompt\": {prompt:?}}}\n")).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();

    let answers = pinfold(&["run", &model, "--jsonl", file.to_str().unwrap(), "-n", "20"]).done().lines();
    assert_eq!(answers.len(), prompts.len());
    for (prompt, answer) in prompts.iter().zip(&answers) {
        let alone = pinfold(&["run", &model, prompt, "--json", "-n", "20"]).done().json();
        assert_eq!((&answer["text"], &answer["tokens"]), (&alone["text"], &alone["tokens"]), "{prompt}");
    }

    let long = "a dog ".repeat(300);
    let mixed = format!(
        "{{\"prompt\":\"Lily\"}}\n{{\"prompt\":{long:?}}}\nnot JSON\n{{\"prompt\":\"Lily\",\"x\":1}}\n\n{{\"prompt\":\"Lily\"}}"
    );
    let ran = pinfold_fed(&["run", &model, "--jsonl", "-", "-n", "5"], mixed.as_bytes());
    assert_eq!(ran.code, 4, "that of the first failure");
    let lines = ran.lines();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0]["tokens"], lines[4]["tokens"]);
    for (index, code, line) in [(1, "context_full", 2), (2, "bad_request", 3), (3, "bad_request", 4)] {
        let error = &lines[index]["error"];
        assert_eq!((error["code"].as_str(), error["line"].as_u64()), (Some(code), Some(line)));
    }
}

#[test]
fn a_chat_template_is_used_where_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let Some(model) = stories_with_template("a_chat_template_is_used_where_there_is_one", folder.path())
    else {
        return;
    };
    let tokens = |arguments: &[&str], prompt: &str| {
        let all = [&["run", &model, prompt, "--json", "-n", "12"], arguments].concat();
        pinfold(&all).done().json()["tokens"].clone()
    };
    // The template of the test writes each message in a line.
    assert_eq!(tokens(&[], "Lily"), tokens(&["--raw"], "Lily\n"));
    assert_ne!(tokens(&[], "Lily"), tokens(&["--raw"], "Lily"));
    assert_eq!(tokens(&["--system", "One day"], "Lily"), tokens(&["--raw"], "One day\nLily\n"));
    let line = pinfold_fed(
        &["run", &model, "--jsonl", "-", "-n", "12"],
        b"{\"prompt\":\"Lily\",\"system\":\"One day\"}",
    );
    assert_eq!(line.done().json()["tokens"], tokens(&["--raw"], "One day\nLily\n"));
    pinfold(&["run", &model, "Lily", "--raw", "--system", "x"]).failed(2, "--system");
}

#[test]
fn without_a_template_instructions_have_no_place() {
    let Some(model) = stories("without_a_template_instructions_have_no_place") else { return };
    pinfold(&["run", &model, "Lily", "--system", "x"]).failed(3, "no chat template");
}

#[test]
fn ctrl_c_ends_the_answer_and_keeps_what_came() {
    let Some(model) = stories("ctrl_c_ends_the_answer_and_keeps_what_came") else { return };
    // A sliding context goes on for ever.
    let endless = ["run", &model, "Once", "-n", "0", "--slide", "4"];
    let mut child = command(&endless).spawn().unwrap();
    let mut first = [0; 16];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    interrupt(&child);
    let ran = ended(child);
    assert_eq!((ran.code, ran.err.as_str()), (130, ""));
    assert!(ran.out.ends_with('\n'));

    let child = command(&[&endless[..], &["--json"]].concat()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    interrupt(&child);
    let ran = ended(child);
    assert_eq!(ran.code, 130, "{}", ran.err);
    assert_eq!(ran.json()["finish_reason"], "cancelled");
}

#[test]
fn a_closed_stdout_ends_it_quietly() {
    let Some(model) = stories("a_closed_stdout_ends_it_quietly") else { return };
    let mut child = command(&["run", &model, "Once", "-n", "0", "--slide", "4"]).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 4]).unwrap();
    drop(stdout);
    let ran = ended(child);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn wrong_input_is_an_error_with_a_hint() {
    pinfold(&["run", "no-such-checkpoint", "x"]).failed(3, "hint: `pinfold models`").failed(3, "intent");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not.gguf");
    std::fs::write(&file, "PK\x03\x04 and more").unwrap();
    let file = file.to_str().unwrap();
    pinfold(&["run", file, "x"]).failed(3, "not with \"GGUF\"").failed(3, "pinfold inspect");
    let error = pinfold(&["run", file, "x", "--json"]).failed(3, "").err;
    let error: serde_json::Value = serde_json::from_str(&error).unwrap();
    assert_eq!(error["error"]["code"], "bad_checkpoint");

    pinfold_fed(&["run", "intent"], b"abc\xff").failed(1, "stdin: not UTF-8 at byte 3");
    pinfold(&["run", "intent", "--file", "no/such/file"]).failed(1, "no/such/file");
    pinfold(&["run", "intent", "x", "--file", "y"]).failed(2, "--file");
    pinfold(&["run", "intent", "x", "--top-p", "2"]).failed(2, "--top-p: must be from 0 to 1");
    pinfold(&["run", "intent", "x", "-t", "-1"]).failed(2, "--temperature");
    pinfold(&["run", "intent", "x", "--stop", ""]).failed(2, "--stop");
    pinfold(&["run", "intent", "x", "--device", "nope"]).failed(2, "`pinfold devices`");
    pinfold(&["run", "intent", "x", "--ctx", "1000000000"]).failed(4, "are free");
    pinfold(&["run"]).failed(2, "<MODEL>");
}

#[test]
fn the_embedded_checkpoint_answers() {
    let json = pinfold(&["run", "intent", "play some jazz", "--json"]).done().json();
    assert_eq!(json["model"], "intent");
    let text = json["text"].as_str().unwrap();
    let answer: serde_json::Value =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(answer["intent"], "PlayMusic");
    assert_eq!(json["finish_reason"], "end_of_generation");
}

#[test]
fn verbose_shows_the_log_and_never_the_prompt() {
    let ran = pinfold(&["run", "intent", "a secret wish", "--verbose"]);
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("pinfold::llama"), "{}", ran.err);
    assert!(!ran.err.contains("secret"), "{}", ran.err);
}
