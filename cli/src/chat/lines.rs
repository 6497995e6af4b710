//! The lines that the user types, or that a script sends.

use std::io::{self, BufRead, StdinLock};

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::input;
use crate::output::{Exit, Failure};

pub enum Line {
    Text(String),
    /// Ctrl-C at the prompt.
    Interrupted,
    End,
}

pub enum Lines {
    /// A terminal: lines can be edited and called back. Nothing of it is written to a file.
    Terminal(Box<DefaultEditor>),
    Script(StdinLock<'static>),
}

impl Lines {
    pub fn open(terminal: bool) -> Result<Self, Failure> {
        if !terminal {
            return Ok(Self::Script(io::stdin().lock()));
        }
        Ok(Self::Terminal(Box::new(DefaultEditor::new().map_err(failed)?)))
    }

    pub fn read(&mut self) -> Result<Line, Failure> {
        match self {
            Self::Terminal(editor) => match editor.readline("> ") {
                Ok(line) => {
                    editor.add_history_entry(line.as_str()).map_err(failed)?;
                    Ok(Line::Text(line))
                }
                Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
                Err(ReadlineError::Eof) => Ok(Line::End),
                Err(error) => Err(failed(error)),
            },
            Self::Script(stdin) => {
                let mut bytes = Vec::new();
                let read = stdin.read_until(b'\n', &mut bytes).map_err(input::unreadable("stdin"))?;
                if read == 0 {
                    return Ok(Line::End);
                }
                let line = input::text("stdin", bytes)?;
                Ok(Line::Text(line.trim_end_matches(['\n', '\r']).to_owned()))
            }
        }
    }
}

fn failed(error: ReadlineError) -> Failure {
    Failure::new(Exit::Failed, "io", format!("the terminal: {error}"))
}
