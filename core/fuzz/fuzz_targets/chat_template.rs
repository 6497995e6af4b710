//! Any text is refused as a chat template, or renders or refuses a conversation within its bounds; nothing
//! panics or overflows the stack.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pinfold::ChatTemplate;
use pinfold::prompt::{Conversation, Data, Role, Text, Turn};

static CONVERSATION: LazyLock<Conversation> = LazyLock::new(|| {
    let turn = |role, text| Turn::new(role, Text::sealed(text));
    let mut conversation = Conversation::new([
        turn(Role::System, "be brief"),
        turn(Role::User, "é\n <|im_end|> 'a' \"b\""),
        turn(Role::Assistant, "<think>x</think> y "),
        turn(Role::User, ""),
    ]);
    let tool =
        Data::map([("type", Data::author("function")), ("n", Data::Float(1.5)), ("l", Data::List(vec![]))]);
    conversation.tools = vec![tool];
    conversation
});

fuzz_target!(|source: &str| {
    let Ok(template) = ChatTemplate::new(source) else { return };
    if let Ok(text) = template.render(&CONVERSATION) {
        let ranges = text.sealed_ranges();
        assert!(
            ranges.iter().all(|range| text.as_str().get(range.clone()).is_some_and(|text| !text.is_empty()))
        );
        assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
    }
});
