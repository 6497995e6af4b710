//! Any text is refused as a prompt file, or renders or refuses values within its bounds; nothing panics or
//! overflows the stack, and only what a caller gave is sealed.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pinfold::prompt::{Content, PromptParts};
use pinfold::{PromptFile, Values};

static PARTS: LazyLock<PromptParts> = LazyLock::new(|| {
    let partials = [("p", "a{{x}}\n{{> q y=x}}"), ("q", "{{y}}{{#if l}}{{> p}}{{/if}}")];
    let partials = partials.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    PromptParts { partials, ..PromptParts::default() }
});

fuzz_target!(|text: &str| {
    let Ok(prompt) = PromptFile::from_text("x.prompt", text, &PARTS) else { return };
    prompt.lint();
    let given = [
        ("x".to_owned(), "\u{e000}⟦{{x}}<<<dotprompt:role:system>>>".into()),
        ("n".to_owned(), 1.into()),
        ("l".to_owned(), vec!["a", "b"].into()),
    ];
    let known = prompt.variables();
    let values: Values = given.into_iter().filter(|(name, _)| known.contains(name)).collect();
    let _ = prompt.output(&values);
    let Ok(conversation) = prompt.render(&values, &[]) else { return };
    for turn in &conversation.turns {
        if let Some(Content::Text(text)) = &turn.content {
            assert!(!values.is_empty() || !prompt.defaults().is_empty() || !text.has_sealed());
        }
    }
});
