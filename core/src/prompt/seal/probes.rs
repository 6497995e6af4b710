//! Conversations that show what a template writes around values.

use crate::prompt::{ChatTemplate, Conversation, Data, Role, Text, ToolCall, Turn};

/// What a template made of a conversation.
pub(super) struct Probe {
    pub text: Text,
    values: Values,
}

/// What the values of a probe are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    /// What was said.
    Said,
    /// Calls of tools and their results besides.
    Called,
    /// Declarations of tools or documents besides.
    Declared,
}

impl Probe {
    /// Whether a marker counts that is found here. Around calls and declarations templates write ordinary words too:
    /// `call:` (Gemma), `<name>` (Nemotron).
    pub fn shows(&self, marker: &str, starts_line: bool) -> bool {
        let name = marker.trim_start_matches(['<', '/']).strip_suffix('>');
        let is_word = name.is_some_and(|name| name.chars().all(char::is_alphabetic));
        let is_label = marker.ends_with([':', '：', '*']) || marker.starts_with('#');
        match self.values {
            Values::Said => true,
            Values::Called => !is_label || starts_line,
            Values::Declared => !is_label && !is_word,
        }
    }
}

/// What the template makes of the conversations that it takes.
pub(super) fn render(template: &ChatTemplate) -> Vec<Probe> {
    let probe = |(conversation, values)| Some(Probe { text: template.render(&conversation).ok()?, values });
    conversations().into_iter().filter_map(probe).collect()
}

fn say(role: Role, text: &str) -> Turn {
    Turn::new(role, Text::sealed(text))
}

fn conversations() -> Vec<(Conversation, Values)> {
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
    let mut conversations: Vec<(Conversation, Values)> =
        chats.iter().map(|turns| (Conversation::new(turns.iter().cloned()), Values::Said)).collect();
    let mut closed = Conversation::new([say(User, "alpha"), say(Assistant, "gamma")]);
    closed.add_generation_prompt = false;
    conversations.push((closed, Values::Said));
    for thinking in [true, false] {
        let mut thoughtful = Conversation::new(chats[3].iter().cloned());
        thoughtful.turns[2].reasoning = Some(Text::sealed("eta"));
        thoughtful.turns[4].reasoning = Some(Text::sealed("theta"));
        thoughtful.variables = vec![("enable_thinking".into(), Data::Bool(thinking))];
        conversations.push((thoughtful, Values::Said));
    }
    for arguments in [Data::Map(vec![(Text::sealed("iota"), Data::sealed("kappa"))]), Data::sealed("{}")] {
        conversations.push((with_tools(&arguments, false), Values::Called));
        conversations.push((with_tools(&arguments, true), Values::Declared));
    }
    let mut documents = Conversation::new(chats[1].iter().cloned());
    let document = [("title", Data::sealed("rho")), ("text", Data::sealed("sigma"))];
    documents.documents = vec![Data::map(document)];
    conversations.push((documents, Values::Declared));
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
