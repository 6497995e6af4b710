//! Questions to a person. Nothing is asked where nobody sits.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};

use crate::input;
use crate::output::{Exit, Failure, note};

/// Whether somebody can be asked.
pub fn somebody() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks a question and gives the answer, without the spaces around it. The end of the input is an empty answer.
pub fn text(question: &str) -> Result<String, Failure> {
    let asked = write!(stderr(), "{question} ").and_then(|()| stderr().flush());
    asked.map_err(input::unreadable("stderr"))?;
    let mut bytes = Vec::new();
    let read = stdin().lock().read_until(b'\n', &mut bytes).map_err(input::unreadable("stdin"))?;
    if read == 0 {
        note("");
    }
    Ok(input::text("stdin", bytes)?.trim().to_owned())
}

/// Asks whether to go on.
pub fn yes(question: &str) -> Result<bool, Failure> {
    let answer = text(&format!("{question} [y/N]"))?;
    Ok(["y", "yes"].contains(&answer.to_lowercase().as_str()))
}

/// Asks whether to go on; another answer than yes is a failure that says what did not happen.
pub fn agree(question: &str, otherwise: &str) -> Result<(), Failure> {
    match yes(question)? {
        true => Ok(()),
        false => Err(declined(otherwise)),
    }
}

pub fn declined(otherwise: &str) -> Failure {
    Failure::new(Exit::Failed, "declined", otherwise)
}
