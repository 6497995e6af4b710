//! What the sequences of a context hold: what is done to them between two batches.

use super::Scheduler;
use crate::engine::{Position, SequenceId};
use crate::error::{Error, Result};
use crate::runtime::SessionOptions;
use crate::runtime::job::{Job, Work};
use crate::runtime::sequence::Sequence;
use crate::runtime::worker::State;
use crate::vocabulary::Token;

impl Scheduler {
    /// Tokens that a sequence which holds `held` may still take: what all sequences leave, or what it leaves of
    /// its own cells. A fork counts in full, though the engine shares what it has in common with its origin.
    pub(super) fn free(&self, held: usize) -> usize {
        let limits = self.engine.limits();
        let used = if limits.reproducible {
            held
        } else {
            self.sequences.iter().flatten().map(|sequence| sequence.tokens.len()).sum()
        };
        limits.context_tokens.saturating_sub(used)
    }

    pub(super) fn held(&self, index: usize) -> usize {
        self.sequences[index].as_ref().map_or(0, |sequence| sequence.tokens.len())
    }

    /// Makes room for `more` tokens of a sequence, sliding it if it may.
    pub(super) fn make_room(&mut self, index: usize, more: usize) -> Result<()> {
        let free = self.free(self.held(index));
        if more <= free {
            return Ok(());
        }
        let capacity = self.engine.limits().context_tokens;
        let full = Error::ContextFull { used: capacity - free, requested: more, capacity };
        let Some(sequence) = &mut self.sequences[index] else { return Err(full) };
        let dropped = sequence.slide(self.engine.as_mut(), more, free)?;
        if dropped == 0 { Err(full) } else { Ok(()) }
    }

    pub(super) fn sequence(&mut self, id: SequenceId) -> Result<&mut Sequence> {
        let sequence = self.sequences.get_mut(id as usize).and_then(Option::as_mut);
        sequence.ok_or_else(|| Error::engine(format!("sequence {id} is not open")))
    }

    /// The sequence, if it has no work; the end of a generation that was read is tidied away here.
    pub(super) fn idle(&mut self, id: SequenceId) -> Result<&mut Sequence> {
        let sequence = self.sequence(id)?;
        match &sequence.job {
            Some(Job { work: Work::Generate(generation), .. }) if generation.progress.has_ended() => {
                sequence.job = None;
                Ok(sequence)
            }
            Some(_) => Err(Error::SessionBusy),
            None => Ok(sequence),
        }
    }

    pub(super) fn open(&mut self, options: SessionOptions) -> Result<SequenceId> {
        let capacity = self.sequences.len();
        let index = self.sequences.iter().position(Option::is_none);
        let index = index.ok_or(Error::TooManySessions { capacity })?;
        let id = index as SequenceId;
        self.sequences[index] = Some(Sequence::new(id, options));
        Ok(id)
    }

    pub(super) fn close(&mut self, id: SequenceId) {
        if let Some(place) = self.sequences.get_mut(id as usize)
            && place.take().is_some()
            && let Err(error) = self.engine.sequence_remove(id, 0..Position::MAX)
        {
            tracing::error!("a closed sequence could not be removed: {error}");
        }
    }

    pub(super) fn append(&mut self, id: SequenceId, tokens: &[Token]) -> Result<usize> {
        self.engine.vocabulary().check(tokens)?;
        self.idle(id)?;
        self.make_room(id as usize, tokens.len())?;
        let sequence = self.sequence(id)?;
        sequence.tokens.extend_from_slice(tokens);
        Ok(sequence.tokens.len())
    }

    pub(super) fn rewind(&mut self, id: SequenceId, length: usize) -> Result<()> {
        let held = self.idle(id)?.tokens.len();
        if length > held {
            return Err(Error::option("length", format!("{length}, but the session holds {held} tokens")));
        }
        let Self { engine, sequences, .. } = self;
        match sequences.get_mut(id as usize) {
            Some(Some(sequence)) => sequence.truncate(engine.as_mut(), length),
            _ => Ok(()),
        }
    }

    pub(super) fn fork(&mut self, id: SequenceId) -> Result<SequenceId> {
        let requested = self.idle(id)?.tokens.len();
        let (capacity, free) = (self.engine.limits().context_tokens, self.free(0));
        if requested > free {
            return Err(Error::ContextFull { used: capacity - free, requested, capacity });
        }
        let options = self.sequence(id)?.options;
        let copy = self.open(options)?;
        let origin = self.sequence(id)?;
        origin.shared = true;
        let (tokens, decoded) = (origin.tokens.clone(), origin.decoded);
        let decoded = match self.engine.sequence_copy(id, copy, 0..decoded as Position) {
            Ok(()) => decoded,
            // The copy computes its tokens again.
            Err(Error::Unsupported { .. }) => 0,
            Err(error) => {
                self.close(copy);
                return Err(error);
            }
        };
        let sequence = self.sequence(copy)?;
        sequence.shared = true;
        sequence.tokens = tokens;
        sequence.decoded = decoded;
        Ok(copy)
    }

    pub(super) fn save(&mut self, id: SequenceId) -> Result<State> {
        let sequence = self.idle(id)?;
        let (tokens, decoded) = (sequence.tokens.clone(), sequence.decoded);
        match if decoded == 0 { Ok(Vec::new()) } else { self.engine.save_state(id) } {
            Ok(bytes) => Ok(State { tokens, decoded, bytes }),
            Err(Error::Unsupported { .. }) => Ok(State { tokens, decoded: 0, bytes: Vec::new() }),
            Err(error) => Err(error),
        }
    }

    /// Puts a state into a sequence, which loses what it held. Without bytes the tokens are computed
    /// again when they are needed.
    pub(super) fn restore(&mut self, id: SequenceId, state: State) -> Result<()> {
        self.engine.vocabulary().check(&state.tokens)?;
        let held = self.idle(id)?.tokens.len();
        let capacity = self.engine.limits().context_tokens;
        let (requested, free) = (state.tokens.len(), self.free(held) + held);
        if requested > free {
            return Err(Error::ContextFull { used: capacity - free, requested, capacity });
        }
        self.engine.sequence_remove(id, 0..Position::MAX)?;
        let computed = if state.bytes.is_empty() || state.decoded == 0 {
            0
        } else {
            match self.engine.load_state(id, &state.bytes) {
                Ok(()) => state.decoded,
                Err(error) => {
                    tracing::warn!("a saved state is computed again: {error}");
                    self.engine.sequence_remove(id, 0..Position::MAX)?;
                    0
                }
            }
        };
        let sequence = self.sequence(id)?;
        sequence.tokens = state.tokens;
        sequence.decoded = computed;
        sequence.shared = false;
        Ok(())
    }
}
