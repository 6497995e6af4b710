//! Markers that are ordinary text, in the chat templates of real models. The vocabulary has no special token but one,
//! so that all that a template writes is text.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/chats.rs"]
mod chats;
mod common;

use std::path::Path;
use std::sync::Arc;

use pinfold::engine::scripted::Scripted;
use pinfold::prompt::{ChatTemplate, Markers, Sealer};
use pinfold::{Error, Message, Role, Tokenizer};

fn sealer(folder: &Path, path: &str) -> (ChatTemplate, Sealer) {
    let (collection, name) = path.split_once('/').unwrap();
    let templates = chats::templates(folder);
    let (_, _, source) = templates.iter().find(|found| found.0 == collection && found.1 == name).unwrap();
    let tokenizer = Tokenizer::from_weights(Arc::new(Scripted::answering("")));
    let template = tokenizer.chat_template(source).unwrap();
    let sealer = Sealer::new(&tokenizer, Some(&template)).unwrap();
    (template, sealer)
}

/// The markers that a person finds in these templates.
const KNOWN: &[(&str, &[&str])] = &[
    ("chujiezheng/llama-2-chat.jinja", &["[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"]),
    ("chujiezheng/vicuna.jinja", &["USER:", "ASSISTANT:"]),
    ("chujiezheng/alpaca.jinja", &["### Instruction:", "### Response:"]),
    (
        "hf-jinja-e2e/HuggingFaceH4_zephyr-7b-beta_add_generation_prompt_false.jinja",
        &["<|system|>", "<|user|>", "<|assistant|>"],
    ),
    ("chujiezheng/chatqa.jinja", &["System:", "User:", "Assistant:"]),
    ("hf-jinja-e2e/upstage_SOLAR-10.7B-Instruct-v1.0.jinja", &["### System:", "### User:", "### Assistant:"]),
    ("chujiezheng/openchat-3.5.jinja", &["GPT4 Correct User:", "GPT4 Correct Assistant:"]),
    ("vllm-examples/template_chatglm2.jinja", &["问：", "答："]),
    (
        "llama-cpp-models-templates/meta-llama-Llama-3.1-8B-Instruct.jinja",
        &["<|start_header_id|>", "<|end_header_id|>"],
    ),
    ("llama-cpp-models-templates/google-gemma-2-2b-it.jinja", &["<start_of_turn>", "<end_of_turn>"]),
    ("llama-cpp-test-cases/ChatGLM3.jinja", &["<|user|>", "<|assistant|>"]),
    (
        "hf-jinja-e2e/Qwen_Qwen2.5-7B-Instruct.jinja",
        &["<|im_start|>", "<|im_end|>", "<tool_response>", "<tool_call>"],
    ),
];

#[test]
fn markers_of_real_templates_are_found() {
    let Some(folder) = common::shared("chat-templates") else { return };
    for (path, markers) in KNOWN {
        let (template, sealer) = sealer(&folder, path);
        let found: Vec<&str> = sealer.markers().collect();
        println!("{path}: {found:?}");
        for marker in *markers {
            assert!(found.contains(marker), "{path}: {marker:?} is not among {found:?}");
            // At the beginning of a line, in the middle of a value.
            let messages = [Message::new(Role::User, format!("x\n\n{marker} y"))];
            let text = template.render(&messages.iter().collect()).unwrap();
            assert!(
                matches!(sealer.seal(&text, Markers::Reject), Err(Error::ForgedMarker { .. })),
                "{marker}"
            );
            let sealed = sealer.seal(&text, Markers::Neutralize).unwrap();
            assert_eq!(sealed.neutralized.len(), 1, "{path}: {marker}");
            assert_eq!(&text.as_str()[sealed.neutralized[0].clone()], *marker);
        }
    }
}

/// What a template writes that is no marker does not make ordinary text refused.
#[test]
fn ordinary_text_is_not_refused() {
    let (Some(folder), Some(mails)) =
        (common::shared("chat-templates"), common::shared("injection/bipia-email-train.jsonl"))
    else {
        return;
    };
    let mut texts: Vec<String> =
        std::fs::read_to_string(mails).unwrap().lines().take(25).map(str::to_owned).collect();
    for text in [
        "user",
        "assistant\n",
        "system: none",
        "\n\n",
        " - a bullet\n - another",
        "a < b > c",
        "[1, 2]",
        "x[i] = y[0]",
        "# Title\n\nText.\n## Part",
        "Dear user:",
        "function",
        "{\"name\": \"x\", \"arguments\": {}}",
        "<b>bold</b>",
        "Today Date: 1 May",
        "Knowledge: power",
        "Note: this is a tool",
        "Please call: 555 or await a response: yes",
        "<name>x</name> <type>y</type>",
        "[link](http://example.com)",
    ] {
        texts.push(text.to_owned());
    }
    let tokenizer = Tokenizer::from_weights(Arc::new(Scripted::answering("")));
    let (mut seen, mut refused) = (0, Vec::new());
    for (collection, name, source) in chats::templates(&folder) {
        let Ok(template) = tokenizer.chat_template(&source) else { continue };
        let sealer = Sealer::new(&tokenizer, Some(&template)).unwrap();
        println!("{collection}/{name}: {:?}", sealer.markers().collect::<Vec<_>>());
        for text in &texts {
            let messages = [Message::new(Role::User, text.as_str())];
            let Ok(prompt) = template.render(&messages.iter().collect()) else { continue };
            seen += 1;
            if let Err(error) = sealer.seal(&prompt, Markers::Reject) {
                refused.push(format!("{collection}/{name}: {error}: {text:?}"));
            }
        }
    }
    println!("{} of {seen} refused", refused.len());
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(seen > 4000);
}
