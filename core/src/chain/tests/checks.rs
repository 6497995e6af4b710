//! What is refused before anything runs.

use super::*;

/// A chain of these steps, whose input is a request.
fn steps(steps: &str) -> String {
    format!("input:\n  request: string\n  extra?: string\n  list?(array): string\nsteps:\n{steps}")
}

const INTENT: &str = "  - {id: intent, prompt: intent.prompt, inputs: {request: input.request}}\n";

#[track_caller]
fn refused(text: &str, line: usize, reason: &str) {
    let error = parse(text).unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, Error::BadChain { .. }), "{said}");
    assert!(said.contains(&format!("line {line}: ")) && said.contains(reason), "{said}\n{text}");
}

#[test]
fn files_that_are_no_chains() {
    refused("steps: [", 1, "");
    refused("- a\n", 1, "a chain must be a map");
    refused("input: {a: string}\n", 1, "needs `steps`");
    refused("steps: []\n", 1, "0 steps");
    refused("steps:\n  - {id: a, prompt: free.prompt, color: red}\n", 2, "unknown key of a step \"color\"");
    refused("step:\n  - {id: a}\n", 1, "did you mean `steps`");
    refused("steps:\n  - {prompt: free.prompt}\n", 2, "needs an `id`");
    refused("steps:\n  - {id: end, prompt: free.prompt}\n", 2, "is not `end`");
    refused("steps:\n  - {id: a b, prompt: free.prompt}\n", 2, "letters");
    refused("steps:\n  - {id: a}\n", 2, "either a `prompt` or a `human`");
    refused("steps:\n  - {id: a, human: ask.prompt, backend: x}\n", 2, "no `backend`");
    refused("steps:\n  - {id: a, prompt: none.prompt}\n", 2, "none.prompt");
    refused(&steps(&format!("{INTENT}{INTENT}")), 7, "two steps are named");
    let latin = parse_bytes(b"steps:\n  - {id: \xff}\n").unwrap_err().to_string();
    assert!(latin.contains("line 2: it is not UTF-8"), "{latin}");
    assert!(matches!(Chain::open("none.chain.yaml"), Err(Error::Io { .. })));
}

fn parse_bytes(bytes: &[u8]) -> Result<Chain> {
    Chain::parse("a.chain.yaml", bytes, &mut prompt)
}

#[test]
fn inputs_of_prompts_are_given_and_known() {
    refused(&steps("  - {id: a, prompt: intent.prompt}\n"), 6, "does not give \"request\"");
    let unknown = "  - {id: a, prompt: intent.prompt, inputs: {request: input.request, hnt: input.extra}}\n";
    refused(&steps(unknown), 6, "did you mean `hint`");
    refused(&steps("  - {id: a, prompt: intent.prompt, inputs: {request: input.reqest}}\n"), 6, "`request`");
    refused(&steps("  - {id: a, prompt: free.prompt, inputs: {a: 1}}\n"), 6, "does not give \"b\"");
    refused(
        &steps("  - {id: a, prompt: free.prompt, inputs: {a: 1, b: 1, c: 1}}\n"),
        6,
        "variable of the prompt",
    );
    chain(&steps("  - {id: a, prompt: free.prompt, inputs: {a: 1, b: {literal: [x]}}}\n"));
}

#[test]
fn references_are_of_a_form() {
    for wrong in [
        "request",
        "inputs.request",
        "steps.a.text",
        "input",
        "steps..output",
        "input.a..b",
        "{from: input.a}",
    ] {
        let text = steps(&format!("  - {{id: a, prompt: intent.prompt, inputs: {{request: {wrong}}}}}\n"));
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains("line 6: "), "{wrong}: {error}");
    }
    for wrong in ["null", "[input.request]", "{first: []}", "{literal: 1, x: 1}"] {
        let text = steps(&format!("  - {{id: a, prompt: intent.prompt, inputs: {{request: {wrong}}}}}\n"));
        assert!(parse(&text).unwrap_err().to_string().contains("line 6: "), "{wrong}");
    }
}

#[test]
fn types_have_to_fit() {
    let with = |source: &str| {
        steps(&format!("{INTENT}  - {{id: a, prompt: answer.prompt, inputs: {{artist: {source}}}}}\n"))
    };
    chain(&with("steps.intent.output.intent"));
    chain(&with("{from: steps.intent.output.artist, default: nobody}"));
    chain(&with("{first: [steps.intent.output.artist, input.extra, input.request]}"));
    refused(&with("steps.intent.output.artist"), 7, "null");
    refused(&with("steps.intent.output.arist"), 7, "did you mean `artist`");
    refused(&with("steps.intent.output.intent.x"), 7, "there is no \"x\" in string");
    refused(&with("steps.intent.output"), 7, "is given object, but the prompt takes string");
    refused(&with("steps.intnt.output"), 7, "did you mean `intent`");
    refused(&with("3"), 7, "is given integer");
    refused(&with("{from: steps.intent.output.artist, default: 3}"), 7, "string");
    refused(&with("{first: [input.extra, steps.intent.output.artist]}"), 7, "may be missing");
    refused(&with("item"), 7, "`foreach`");
    let number =
        |value: &str| steps(&format!("  - {{id: a, prompt: count.prompt, inputs: {{n: {value}}}}}\n"));
    chain(&number("3"));
    chain(&number("{literal: 3.0}"));
    refused(&number("3.5"), 6, "is given number, but the prompt takes integer");
}

#[test]
fn what_may_not_have_run_needs_something_in_its_place() {
    let play = "  - id: play\n    prompt: answer.prompt\n    when: {value: steps.intent.output.intent, is: Play}\n    \
                inputs: {artist: {from: steps.intent.output.artist, default: nobody}}\n";
    let after = |source: &str, when: &str| {
        let when = if when.is_empty() { String::new() } else { format!(", when: {when}") };
        steps(&format!(
            "{INTENT}{play}  - {{id: last, prompt: answer.prompt{when}, inputs: {{artist: {source}}}}}\n"
        ))
    };
    refused(&after("steps.play.output", ""), 11, "may be missing");
    refused(&after("steps.last.output", ""), 11, "may be missing");
    chain(&after("{first: [steps.play.output, input.request]}", ""));
    chain(&after("steps.play.output", "{value: steps.intent.output.intent, is: Play}"));
    chain(&after("steps.play.output", "{value: steps.play.output, exists: true}"));
    refused(
        &after("steps.play.output", "{value: steps.intent.output.intent, is: Book}"),
        11,
        "may be missing",
    );
    chain(&after("steps.intent.output.artist", "{value: steps.intent.output.artist, exists: true}"));
    refused(&(after("input.request", "") + "output: steps.play.output\n"), 12, "may be missing");
    chain(&(after("input.request", "") + "output: {said: steps.last.output, n: 3}\n"));
}

#[test]
fn conditions_have_to_be_possible() {
    let when = |condition: &str| {
        steps(&format!(
            "{INTENT}  - {{id: a, prompt: answer.prompt, when: {condition}, inputs: {{artist: input.request}}}}\n"
        ))
    };
    let intent = "value: steps.intent.output.intent";
    chain(&when(&format!("{{{intent}, in: [Play, Book]}}")));
    chain(&when(&format!(
        "{{not: {{any: [{{{intent}, is: Play}}, {{value: input.extra, exists: false}}]}}}}"
    )));
    refused(&when(&format!("{{{intent}, is: play}}")), 7, "one of \"Play\", \"Book\"");
    refused(&when(&format!("{{{intent}, in: [Play, 3]}}")), 7, "is never 3");
    refused(&when("{value: input.request, is: 3}"), 7, "it is string");
    refused(&when("input.request"), 7, "is never true");
    refused(&when(&format!("{{{intent}}}")), 7, "a condition is");
    refused(&when(&format!("{{{intent}, equals: Play}}")), 7, "unknown key of a condition");
    refused(&when(&format!("{{{intent}, is: Play, in: [Book]}}")), 7, "a condition is");
    refused(&when("{all: []}"), 7, "empty");
    refused(&when("{value: steps.intent.output.x, exists: true}"), 7, "unknown field");
    let deep = (0..40).fold("input.request".to_owned(), |inner, _| format!("{{not: {inner}}}"));
    refused(&when(&deep), 7, "deep");
}

#[test]
fn jumps_lead_somewhere_and_end() {
    let with = |first: &str, second: &str| {
        steps(&format!(
            "  - {{id: a, prompt: answer.prompt, inputs: {{artist: input.request}}{first}}}\n  - {{id: b, prompt: \
             answer.prompt, inputs: {{artist: input.request}}{second}}}\n"
        ))
    };
    chain(&with(", next: [{step: end, when: {value: steps.a.output, is: x}}]", ""));
    chain(&with("", ", next: {step: a, times: 3}"));
    refused(&with(", next: end", ""), 7, "step \"b\" is never reached");
    refused(&with(", next: c", ""), 6, "unknown step \"c\"");
    refused(&with("", ", next: a"), 7, "times");
    refused(&with("", ", next: b"), 7, "times");
    refused(&with("", ", next: {step: a, times: 0}"), 7, "1 to 1000");
    refused(&with(", next: {step: b, times: 2}", ""), 6, "leads back");
    refused(&with(", next: [b, end]", ""), 6, "never reached");
    // What a jump leaves out may be missing behind it.
    let left_out = steps(&format!(
        "{INTENT}  - {{id: a, prompt: answer.prompt, inputs: {{artist: input.request}}}}\n  - {{id: b, prompt: \
         answer.prompt, inputs: {{artist: steps.a.output}}}}\n"
    ));
    chain(&left_out);
    let left_out = left_out.replace(
        "inputs: {request: input.request}",
        "inputs: {request: input.request}, next: [{step: b, when: {value: steps.intent.output.intent, is: Play}}]",
    );
    refused(&left_out, 8, "may be missing");
}

#[test]
fn foreach_needs_a_list() {
    let with = |list: &str, item: &str| {
        steps(&format!(
            "{INTENT}  - {{id: go, prompt: room.prompt, foreach: {list}, when: {{value: {list}, exists: true}}, \
             inputs: {{room: {item}}}}}\n"
        ))
    };
    let chain = chain(&with("steps.intent.output.rooms", "item"));
    assert_eq!(chain.steps().map(|step| step.id.to_owned()).collect::<Vec<_>>(), ["intent", "go"]);
    refused(&with("input.request", "item"), 7, "needs a list");
    refused(&with("steps.intent.output.rooms", "item.x"), 7, "there is no \"x\"");
    let certain = steps("  - {id: go, prompt: room.prompt, foreach: input.list, inputs: {room: item}}\n");
    refused(&certain, 6, "list");
}

#[test]
fn a_choice_has_a_type_too() {
    let with = |value: &str| {
        format!(
            "steps:\n  - {{id: a, prompt: choice.prompt}}\n  - {{id: b, prompt: room.prompt, when: {{value: \
             steps.a.output, is: '{value}'}}, inputs: {{room: steps.a.output}}}}\n"
        )
    };
    chain(&with("yes"));
    refused(&with("maybe"), 3, "one of \"yes\", \"no\"");
}

#[test]
fn no_bytes_make_it_panic() {
    let seed = steps(&format!("{INTENT}  - {{id: a, human: ask.prompt, inputs: {{text: input.request}}}}\n"));
    for cut in (0..seed.len()).step_by(5) {
        let _ = parse(&seed[..cut]);
        let mut bytes = seed.clone().into_bytes();
        for byte in [0u8, b'{', b'-', b':', 0xff] {
            bytes[cut] = byte;
            let _ = parse_bytes(&bytes);
        }
    }
}
