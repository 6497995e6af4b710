//! What goes into the next batch.

use super::Scheduler;
use crate::engine::{BatchToken, Position};

impl Scheduler {
    /// Fills the batch: a token for each sequence that generates, then slices of prompts; or one token alone,
    /// if that is all that the engine takes.
    pub(super) fn plan(&mut self) {
        self.batch.clear();
        self.outputs.clear();
        self.parts.clear();
        let count = self.sequences.len();
        let most = self.engine.limits().batch_tokens;
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend((0..count).map(|offset| (self.first + offset) % count).filter_map(|index| {
            let sequence = self.sequences[index].as_ref()?;
            sequence.job.as_ref()?.is_runnable().then(|| (index, sequence.pending()))
        }));
        if self.engine.limits().reproducible {
            // One token, of each in turn.
            if let Some(&(index, _)) = order.first() {
                self.add(index, 1);
                self.first = index;
            }
            self.order = order;
            return;
        }
        for &(index, _) in order.iter().filter(|(_, pending)| *pending == 1) {
            if self.batch.len() < most {
                self.add(index, 1);
            }
        }
        let most = (self.batch.len() + self.slice_tokens).min(most);
        for &(index, pending) in order.iter().filter(|(_, pending)| *pending > 1) {
            let slice = pending.min(most - self.batch.len());
            if slice > 0 {
                self.add(index, slice);
            }
        }
        self.order = order;
    }

    /// Puts the next `count` tokens of a sequence into the batch.
    pub(super) fn add(&mut self, index: usize, count: usize) {
        let Some(sequence) = &self.sequences[index] else { return };
        let start = sequence.decoded;
        let last = sequence.tokens.len() - 1;
        for (offset, &token) in sequence.tokens[start..start + count].iter().enumerate() {
            let position = start + offset;
            let output = position == last;
            let entry = BatchToken { token, sequence: sequence.id, position: position as Position, output };
            self.batch.push(entry);
            if output {
                self.outputs.push(index);
            }
        }
        self.parts.push((index, count));
    }
}
