//! The turns of a chat over one session.

use std::path::Path;

use pinfold::{Cancel, Error, Message, Model, Role, Session, Token};

use super::saved::{SavedChat, session_path};
use crate::answer::{Answer, Wanted};
use crate::output::{self, Failure};

pub struct Conversation<'a> {
    model: &'a Model,
    session: Session,
    wanted: Wanted<'a>,
    system: Option<String>,
    turns: Vec<Message>,
}

impl<'a> Conversation<'a> {
    pub fn new(model: &'a Model, wanted: Wanted<'a>, system: Option<String>) -> Result<Self, Failure> {
        let session = model.session_with(wanted.args.session())?;
        Ok(Self { model, session, wanted, system, turns: Vec::new() })
    }

    /// Says `text` and generates the answer. If there is none, the turn is taken back.
    pub fn turn(
        &mut self,
        text: &str,
        cancel: &Cancel,
        mut show: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<Answer, Failure> {
        let before = self.turns.clone();
        self.turns.push(Message::new(Role::User, text));
        // What was shown before a failure was said, and stays.
        let mut said = String::new();
        let answer = self.prepare().and_then(|()| {
            self.wanted.generate(&self.session, cancel, |piece| {
                said += piece;
                show(piece)
            })
        });
        if said.is_empty() && answer.as_ref().map_or(true, |answer| answer.tokens.is_empty()) {
            self.turns = before;
        } else {
            self.turns.push(Message::new(Role::Assistant, said));
        }
        answer
    }

    /// Makes the session hold the prompt of all turns. What it has in common with the prompt before is
    /// not computed again.
    fn prepare(&mut self) -> Result<(), Failure> {
        let mut prompt = self.prompt()?;
        while !self.fits(&prompt) && self.forget_oldest() {
            prompt = self.prompt()?;
        }
        let held = self.session.tokens()?;
        let common = held.iter().zip(&prompt).take_while(|(held, wanted)| held == wanted).count();
        self.session.rewind(common)?;
        self.session.append_tokens(&prompt[common..])?;
        Ok(())
    }

    fn prompt(&self) -> Result<Vec<Token>, Error> {
        let system = self.system.as_ref().map(|text| Message::new(Role::System, text));
        let messages: Vec<_> = system.into_iter().chain(self.turns.iter().cloned()).collect();
        Ok(self.model.prompt(&messages.iter().collect(), self.wanted.args.markers.into())?.tokens)
    }

    /// Whether a sliding context has room for the prompt and for half as much again of an answer. One
    /// that does not slide says itself that it is full.
    fn fits(&self, prompt: &[Token]) -> bool {
        let capacity = self.model.context_tokens() as usize;
        let answer = match self.wanted.args.max_tokens {
            0 => capacity,
            most => most as usize,
        };
        self.wanted.args.slide.is_none() || prompt.len() + answer.min(capacity / 3) <= capacity
    }

    /// Forgets the oldest question and its answer; false if only the last question is left.
    fn forget_oldest(&mut self) -> bool {
        let next = self.turns.iter().skip(1).position(|message| message.role == Role::User);
        let Some(next) = next else { return false };
        self.turns.drain(..=next);
        output::note("(the context is full: the oldest turn is forgotten)");
        true
    }

    /// How often the user said something.
    pub fn turns(&self) -> usize {
        self.turns.iter().filter(|message| message.role == Role::User).count()
    }

    pub fn reset(&mut self) -> Result<(), Failure> {
        self.turns.clear();
        Ok(self.session.rewind(0)?)
    }

    pub fn set_system(&mut self, text: &str) {
        self.system = (!text.is_empty()).then(|| text.to_owned());
    }

    pub fn save(&self, path: &Path) -> Result<(), Failure> {
        let checkpoint = self.model.digest()?.to_string();
        SavedChat::new(checkpoint, self.system.clone(), self.turns.clone()).write(path)?;
        Ok(self.session.save(session_path(path))?)
    }

    /// Returns whether the session was restored as well; if not, the next turn computes it.
    pub fn load(&mut self, path: &Path) -> Result<bool, Failure> {
        let saved = SavedChat::read(path)?;
        let restored = self.session.restore(session_path(path)).is_ok();
        if !restored {
            self.session.rewind(0)?;
        }
        (self.system, self.turns) = (saved.system, saved.turns);
        Ok(restored)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use pinfold::{ModelOptions, Sampling};

    use super::*;
    use crate::options::GenerateArgs;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        generate: GenerateArgs,
    }

    #[test]
    fn what_two_turns_have_in_common_is_computed_once() {
        let model = pinfold_checkpoints::find("intent").unwrap().load(&ModelOptions::default()).unwrap();
        let flags = Flags::parse_from(["test", "--max-tokens", "8"]);
        let (args, sampling) = (&flags.generate, Sampling::default());
        let wanted = Wanted { args, constraint: None, sampling, logprobs: None };
        let mut chat = Conversation::new(&model, wanted, None).unwrap();
        let mut turn = |text: &str| {
            let answer = chat.turn(text, &Cancel::new(), |_| Ok(())).unwrap();
            (answer.finish.prompt_tokens as usize, chat.session.tokens().unwrap().len())
        };
        let (_, held) = turn("play some jazz");
        let (computed, all) = turn("play some jazz");
        assert!(computed + held / 2 < all, "{computed} of {all} were computed, {held} were held");
    }
}
