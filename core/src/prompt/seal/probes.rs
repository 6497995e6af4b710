//! Conversations that show what a template writes around values.

use crate::prompt::{ChatTemplate, Conversation, Data, Role, Text, ToolCall, Turn};

/// What a template made of a conversation.
pub(super) struct Probe {
    pub text: Text,
    /// Whether the values are what was said, and neither tools nor documents.
    pub said: bool,
}

/// What the template makes of the conversations that it takes.
pub(super) fn render(template: &ChatTemplate) -> Vec<Probe> {
    let probe = |(conversation, said)| Some(Probe { text: template.render(&conversation).ok()?, said });
    conversations().into_iter().filter_map(probe).collect()
}

fn say(role: Role, text: &str) -> Turn {
    Turn::new(role, Text::sealed(text))
}

fn conversations() -> Vec<(Conversation, bool)> {
    use Role::{Assistant, System, User};
    let chats: [&[Turn]; 4] = [
        &[say(User, "alpha")],
        &[say(System, "beta"), say(User, "alpha")],
        &[say(User, "alpha"), say(Assistant, "gamma"), say(User, "delta")],
        &[
            say(System, "beta"),
            say(User, "alpha"),
            say(Assistant, "gamma"),
            say(User, "delta"),
            say(Assistant, "epsilon"),
            say(User, "zeta"),
        ],
    ];
    let mut conversations: Vec<(Conversation, bool)> =
        chats.iter().map(|turns| (Conversation::new(turns.iter().cloned()), true)).collect();
    let mut closed = Conversation::new([say(User, "alpha"), say(Assistant, "gamma")]);
    closed.add_generation_prompt = false;
    conversations.push((closed, true));
    for thinking in [true, false] {
        let mut thoughtful = Conversation::new(chats[3].iter().cloned());
        thoughtful.turns[2].reasoning = Some(Text::sealed("eta"));
        thoughtful.turns[4].reasoning = Some(Text::sealed("theta"));
        thoughtful.variables = vec![("enable_thinking".into(), Data::Bool(thinking))];
        conversations.push((thoughtful, true));
    }
    for arguments in [Data::Map(vec![(Text::sealed("iota"), Data::sealed("kappa"))]), Data::sealed("{}")] {
        conversations.push((with_tools(&arguments, false), true));
        conversations.push((with_tools(&arguments, true), false));
    }
    let mut documents = Conversation::new(chats[1].iter().cloned());
    let document = [("title", Data::sealed("rho")), ("text", Data::sealed("sigma"))];
    documents.documents = vec![Data::map(document)];
    conversations.push((documents, false));
    conversations
}

/// A conversation in which a tool was called.
fn with_tools(arguments: &Data, declared: bool) -> Conversation {
    // Some templates want an id of nine letters and digits.
    let id = || Some(Text::sealed("call00001"));
    let mut call = say(Role::Assistant, "");
    call.tool_calls = vec![ToolCall { id: id(), name: Text::sealed("lambda"), arguments: arguments.clone() }];
    let mut result = say(Role::Tool, "mu");
    (result.tool_call_id, result.name) = (id(), Some(Text::sealed("lambda")));
    let mut conversation = Conversation::new([
        say(Role::System, "beta"),
        say(Role::User, "alpha"),
        call,
        result,
        say(Role::Assistant, "gamma"),
        say(Role::User, "delta"),
    ]);
    if declared {
        let parameter = Data::map([("type", Data::sealed("string")), ("description", Data::sealed("nu"))]);
        let parameters = Data::map([
            ("type", Data::sealed("object")),
            ("properties", Data::Map(vec![(Text::sealed("iota"), parameter)])),
            ("required", Data::List(vec![Data::sealed("iota")])),
        ]);
        let function = Data::map([
            ("name", Data::sealed("lambda")),
            ("description", Data::sealed("xi")),
            ("parameters", parameters),
        ]);
        conversation.tools = vec![Data::map([("type", Data::sealed("function")), ("function", function)])];
    }
    conversation
}
