//! `pinfold chat`: turns with a checkpoint.

mod conversation;
mod lines;
mod saved;

use std::io::{self, IsTerminal};
use std::path::Path;

use clap::Args;
use pinfold::FinishReason;

use crate::answer::Wanted;
use crate::interrupt::Interrupt;
use crate::options::{GenerateArgs, ModelArgs};
use crate::output::{self, Exit, Failure};
use conversation::Conversation;
use lines::{Line, Lines};

const HELP: &str = "\
Commands in a chat:
  /help          what there is
  /reset         forget the turns
  /system TEXT   instructions for all turns; without TEXT, none
  /save FILE     write the turns to FILE (JSON), what was computed to FILE.session
  /load FILE     take up a chat that was saved
  /quit          leave, as Ctrl-D does
  //...          text that begins with a slash

Ctrl-C ends the answer, not the chat. With --slide the oldest turns are forgotten when the context is full. \
A FILE.session that is missing or belongs to another checkpoint is no loss: the turns are computed again.

Where stdin is no terminal, each line of it is a turn, and the exit code is that of the first failure.

Examples:
  pinfold chat model.gguf --system \"You are brief.\"
  pinfold chat model.gguf --ctx 8192 --slide 0
  printf '%s\\n' 'Hello' '/save chat.json' | pinfold chat model.gguf";

const COMMANDS: &str = "\
/reset         forget the turns
/system TEXT   instructions for all turns; without TEXT, none
/save FILE     write the chat to FILE
/load FILE     take up a chat that was saved
/quit          leave, as Ctrl-D does
//...          text that begins with a slash
Ctrl-C ends the answer, not the chat.
";

/// Talk with a checkpoint, turn by turn
#[derive(Args)]
#[command(after_help = HELP)]
pub struct ChatArgs {
    #[command(flatten)]
    model: ModelArgs,

    /// Instructions that hold for all turns
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,

    #[command(flatten)]
    generate: GenerateArgs,
}

pub fn chat(args: &ChatArgs) -> Result<Exit, Failure> {
    let sampling = args.generate.sampling.sampling()?;
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    // A person at a terminal leaves by Ctrl-D, a script by Ctrl-C too.
    let interrupt = Interrupt::install(!terminal)?;
    let loaded = args.model.load(args.generate.ctx, &interrupt.work())?;
    interrupt.rest();
    if loaded.model.facts().chat_template.is_none() {
        let message = format!("{} has no chat template: it completes text", loaded.name);
        return Err(Failure::new(Exit::Checkpoint, "chat_template", message)
            .hint("`pinfold run MODEL TEXT` goes on with a text"));
    }
    let constraint = args.generate.constraint.read()?;
    let wanted = Wanted { args: &args.generate, constraint, sampling, logprobs: None };
    let conversation = Conversation::new(&loaded.model, wanted, args.system.clone())?;
    if terminal {
        let context = loaded.model.context_tokens();
        output::note(&format!(
            "{}, {context} tokens of context. /help for commands, Ctrl-D to leave.",
            loaded.name
        ));
    }
    Chat { conversation, interrupt, terminal, outcome: Exit::Done }.talk()
}

struct Chat<'a> {
    conversation: Conversation<'a>,
    interrupt: Interrupt,
    terminal: bool,
    /// The first failure's, for scripts.
    outcome: Exit,
}

impl Chat<'_> {
    fn talk(mut self) -> Result<Exit, Failure> {
        let mut lines = Lines::open(self.terminal)?;
        loop {
            let line = match lines.read()? {
                Line::End => break,
                Line::Interrupted => {
                    output::note("(Ctrl-D or /quit to leave)");
                    continue;
                }
                Line::Text(line) => line,
            };
            let done = match line.strip_prefix('/') {
                _ if line.trim().is_empty() => continue,
                Some(text) if text.starts_with('/') => self.turn(text),
                Some(command) if command.trim() == "quit" || command.trim() == "exit" => break,
                Some(command) => self.command(command),
                None => self.turn(&line),
            };
            if let Err(failure) = done {
                // Nobody reads the answers any more.
                if failure.exit == Exit::Done {
                    return Err(failure);
                }
                failure.report(false);
                if self.outcome == Exit::Done && !self.terminal {
                    self.outcome = failure.exit;
                }
            }
        }
        Ok(self.outcome)
    }

    fn turn(&mut self, text: &str) -> Result<(), Failure> {
        let cancel = self.interrupt.work();
        let mut open = false;
        let answer = self.conversation.turn(text, &cancel, |piece| {
            open = !piece.ends_with('\n');
            output::print(piece)
        });
        self.interrupt.rest();
        if open {
            output::print("\n")?;
        }
        let answer = answer.map_err(|failure| match failure.code {
            "context_full" => failure.hint("/reset forgets the turns; start with --ctx or --slide for more"),
            _ => failure,
        })?;
        if answer.finish.reason == FinishReason::Cancelled {
            output::note("(cancelled)");
        }
        if answer.full {
            output::note("(the context is full: /reset, or start with --ctx or --slide)");
        }
        Ok(())
    }

    fn turns(&self) -> String {
        match self.conversation.turns() {
            1 => "1 turn".into(),
            turns => format!("{turns} turns"),
        }
    }

    fn command(&mut self, command: &str) -> Result<(), Failure> {
        let (name, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let argument = argument.trim();
        let file = || match argument {
            "" => Err(Failure::usage(format!("/{name} needs the name of a file"))),
            path => Ok(Path::new(path)),
        };
        match name {
            "help" => output::print(COMMANDS),
            "reset" => self.conversation.reset(),
            "system" => {
                self.conversation.set_system(argument);
                Ok(())
            }
            "save" => {
                let path = file()?;
                self.conversation.save(path)?;
                output::note(&format!("(saved {})", self.turns()));
                Ok(())
            }
            "load" => {
                let path = file()?;
                let computed = self.conversation.load(path)?;
                let how = if computed { "" } else { ", to be computed again" };
                output::note(&format!("(loaded {}{how})", self.turns()));
                Ok(())
            }
            _ => Err(Failure::usage(format!("there is no command /{name}"))
                .hint("/help lists the commands; //text is text that begins with a slash")),
        }
    }
}
