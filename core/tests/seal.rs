//! Sealed prompts with the vocabularies and chat templates of real models: no value becomes control, and where
//! none tries, the ids are those of the tokenizer.
#![cfg(feature = "llama")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/chats.rs"]
mod chats;
mod common;
#[path = "common/seal.rs"]
mod seal;
#[path = "common/vocabularies.rs"]
mod vocabularies;

use std::sync::LazyLock;

use pinfold::prompt::{Conversation, Markers, Role, Sealer, Text, Turn};
use pinfold::{Special, Tokenizer};

static VOCABULARIES: LazyLock<Option<Vec<(String, Tokenizer)>>> =
    LazyLock::new(|| common::shared("tokenizers").map(|folder| vocabularies::load(&folder)));

/// Every template with every vocabulary, attack and position. Minutes; the quick test takes a part.
#[test]
#[ignore = "takes minutes: run it with --ignored"]
fn no_attack_forges_a_token_exhaustively() {
    attack(usize::MAX);
}

#[test]
fn no_attack_forges_a_token() {
    attack(2);
}

/// Each vocabulary with `most` of the templates, the fitting ones among them by chance.
fn attack(most: usize) {
    let (Some(vocabularies), Some(templates), Some(attacks)) =
        (VOCABULARIES.as_ref(), common::shared("chat-templates"), common::shared("injection/attacks.tsv"))
    else {
        return;
    };
    let all = most == usize::MAX;
    let attacks = seal::attacks(&attacks);
    let templates: Vec<_> = chats::templates(&templates);
    let (mut count, mut faults) = (seal::Count::default(), Vec::new());
    for (number, (name, tokenizer)) in vocabularies.iter().enumerate() {
        let of_vocabulary = seal::specials(tokenizer, if all { 400 } else { 12 });
        for (index, (_, template_name, source)) in templates.iter().enumerate() {
            if !all && (index * 7 + number * 31) % templates.len() >= most {
                continue;
            }
            let Ok(template) = tokenizer.chat_template(source) else { continue };
            let sealer = Sealer::new(tokenizer, Some(&template)).unwrap();
            for (at, attack) in attacks.iter().chain(&of_vocabulary).enumerate() {
                for position in seal::POSITIONS {
                    if !all && (at + index) % 6 != position as usize % 6 {
                        continue;
                    }
                    let Ok(text) = template.render(&seal::conversation(attack, position)) else { continue };
                    if let Err(fault) = seal::check(tokenizer, &sealer, &text, &mut count) {
                        faults.push(format!("{name}, {template_name}, {position:?}: {fault}"));
                    }
                }
            }
        }
    }
    println!("{count:?}");
    let some = faults.iter().step_by(faults.len() / 30 + 1).cloned().collect::<Vec<_>>();
    assert!(faults.is_empty(), "{} faults, among them:\n{}", faults.len(), some.join("\n"));
    assert!(count.attacked > 2000 && count.split > 300 && count.neutralized > 100);
}

/// Texts that try nothing have the ids that the tokenizer gives the whole prompt.
#[test]
fn benign_texts_have_the_ids_of_the_reference() {
    let (Some(vocabularies), Some(tokenizers), Some(templates), Some(snips), Some(mails)) = (
        VOCABULARIES.as_ref(),
        common::shared("tokenizers"),
        common::shared("chat-templates"),
        common::shared("snips"),
        common::shared("injection/bipia-email-train.jsonl"),
    ) else {
        return;
    };
    let mut texts: Vec<String> =
        std::fs::read_to_string(tokenizers.join("ggml-vocab/ggml-vocab-falcon.gguf.inp"))
            .unwrap()
            .split("\n__ggml_vocab_test__\n")
            .map(str::to_owned)
            .collect();
    texts.extend(std::fs::read_to_string(mails).unwrap().lines().take(8).map(|line| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        row["context"].as_str().unwrap().to_owned()
    }));
    let snips = std::fs::read_to_string(snips.join("train_GetWeather_full.json")).unwrap();
    texts.push(snips.chars().take(5000).collect());
    texts.extend(
        ["õ÷À, ÁÝ", "  \n\n    x\t\ty", "<b>bold</b> <table><h1>x</h1>", "a < b && c > d || [i]", "▁x ▁"]
            .map(String::from),
    );
    let templates = chats::templates(&templates);
    let (mut count, mut faults) = (0, Vec::new());
    for (number, (name, tokenizer)) in vocabularies.iter().enumerate() {
        for (_, template_name, source) in templates.iter().skip(number * 3 % 72).step_by(72) {
            let Ok(template) = tokenizer.chat_template(source) else { continue };
            let sealer = Sealer::new(tokenizer, Some(&template)).unwrap();
            for text in &texts {
                let turns = [(Role::User, text.as_str()), (Role::Assistant, "Good."), (Role::User, text)];
                let turns = turns.map(|(role, text)| Turn::new(role, Text::sealed(text)));
                let Ok(prompt) = template.render(&Conversation::new(turns)) else { continue };
                let reference = tokenizer.tokenize(prompt.as_str(), Special::Parse).unwrap();
                let sealed = sealer.seal(&prompt, Markers::Reject);
                count += 1;
                if sealed.as_ref().is_ok_and(|sealed| sealed.tokens == reference && sealed.split.is_empty()) {
                    continue;
                }
                faults.push(format!(
                    "{name}, {template_name}: {text:?}: {:?}",
                    sealed.map(|sealed| sealed.split)
                ));
            }
        }
    }
    println!("{count} prompts");
    let some = faults.iter().step_by(faults.len() / 30 + 1).cloned().collect::<Vec<_>>();
    assert!(faults.is_empty(), "{} of {count}, among them:\n{}", faults.len(), some.join("\n"));
    assert!(count > 2000);
}
