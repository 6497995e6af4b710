//! The sessions of a local backend: each holds what it answered last, so that what a prompt has in common with
//! it is not computed again.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::runtime::Session;
use crate::vocabulary::Token;

/// How often one who waits for a session looks whether he is cancelled.
const LOOK: Duration = Duration::from_millis(20);

/// Sessions of one model, a request at a time for each.
///
/// The lock is held while a session is chosen, never while one computes.
pub(super) struct Pool {
    most: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    /// The one that was used longest ago comes first.
    idle: Vec<Session>,
    /// Whose threads have the others.
    busy: Vec<ThreadId>,
}

/// A session that is taken; it goes back when this is dropped.
pub(super) struct Lease<'a> {
    pool: &'a Pool,
    session: Option<Session>,
}

impl Pool {
    pub(super) fn new(most: usize) -> Self {
        Self { most, state: Mutex::default(), freed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the session that holds most of `prompt`; a new one where that would cost another conversation
    /// what is computed for it. Waits where all are taken.
    pub(super) fn take(&self, model: &Model, prompt: &[Token], cancel: &Cancel) -> Result<Lease<'_>> {
        let me = std::thread::current().id();
        let mut state = self.state();
        loop {
            cancel.check()?;
            let found = state.choose(prompt)?;
            let session = match found {
                Some((index, true)) => state.idle.remove(index),
                found if state.idle.len() + state.busy.len() < self.most => {
                    match (model.session(), found) {
                        (Ok(session), _) => session,
                        // Others have sessions of this model too.
                        (Err(Error::TooManySessions { .. }), Some((index, _))) => state.idle.remove(index),
                        (Err(Error::TooManySessions { .. }), None) if !state.busy.is_empty() => {
                            state = self.wait(state, me)?;
                            continue;
                        }
                        (Err(error), _) => return Err(error),
                    }
                }
                Some((index, _)) => state.idle.remove(index),
                None => {
                    state = self.wait(state, me)?;
                    continue;
                }
            };
            state.busy.push(me);
            return Ok(Lease { pool: self, session: Some(session) });
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, me: ThreadId) -> Result<MutexGuard<'a, State>> {
        // One who has all of them himself would wait for ever.
        if state.busy.iter().all(|&other| other == me) {
            return Err(Error::SessionBusy);
        }
        let waited = self.freed.wait_timeout(state, LOOK);
        Ok(waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Closes idle sessions, the oldest first, until `tokens` more fit beside what they hold.
    fn make_room(&self, tokens: usize, capacity: usize) -> Result<()> {
        let mut state = self.state();
        let lengths = state.idle.iter().map(|session| Ok(session.tokens()?.len()));
        let mut held: usize = lengths.sum::<Result<_>>()?;
        while held + tokens > capacity && !state.idle.is_empty() {
            held -= state.idle.remove(0).tokens()?.len();
        }
        Ok(())
    }
}

impl State {
    /// The idle session that has most in common with `prompt`, and whether that is most of what it holds.
    fn choose(&self, prompt: &[Token]) -> Result<Option<(usize, bool)>> {
        let mut best: Option<(usize, usize, bool)> = None;
        for (index, session) in self.idle.iter().enumerate() {
            let held = session.tokens()?;
            let common = common(&held, prompt);
            if best.is_none_or(|(_, most, _)| common > most) {
                best = Some((index, common, common * 2 >= held.len()));
            }
        }
        Ok(best.map(|(index, _, fits)| (index, fits)))
    }
}

impl Lease<'_> {
    pub(super) fn session(&self) -> Result<&Session> {
        self.session.as_ref().ok_or(Error::SessionBusy)
    }

    /// Makes the session hold `prompt`, with room for an answer of `most` tokens, or as many as there can be;
    /// returns that number.
    ///
    /// # Errors
    /// [`Error::ContextFull`].
    pub(super) fn hold(&self, prompt: &[Token], most: Option<u32>) -> Result<u32> {
        let session = self.session()?;
        let model = session.model();
        let capacity = model.context_tokens() as usize;
        let room = capacity.saturating_sub(prompt.len()) as u32;
        if room == 0 {
            return Err(Error::ContextFull { used: 0, requested: prompt.len() + 1, capacity });
        }
        let most = most.map_or(room, |most| most.min(room));
        if !model.is_reproducible() {
            self.pool.make_room(prompt.len() + most as usize, capacity)?;
        }
        let common = common(&session.tokens()?, prompt);
        session.rewind(common)?;
        session.append_tokens(&prompt[common..])?;
        Ok(most)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let me = std::thread::current().id();
        let mut state = self.pool.state();
        if let Some(index) = state.busy.iter().position(|&other| other == me) {
            state.busy.swap_remove(index);
        }
        state.idle.extend(self.session.take());
        drop(state);
        self.pool.freed.notify_one();
    }
}

fn common(held: &[Token], prompt: &[Token]) -> usize {
    held.iter().zip(prompt).take_while(|(held, wanted)| held == wanted).count()
}
