//! The thread that owns the context, and how others talk to it.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::job::{Generation, Reply};
use super::scheduler::Scheduler;
use super::{Finish, SessionOptions};
use crate::cancel::Cancel;
use crate::engine::{EngineOptions, SequenceId, Weights};
use crate::error::{Error, Result};
use crate::vocabulary::Token;

/// What the worker is asked. Commands are done in the order in which they come.
pub(super) enum Command {
    Open { options: SessionOptions, reply: Reply<SequenceId> },
    Close { sequence: SequenceId },
    Append { sequence: SequenceId, tokens: Vec<Token>, reply: Reply<usize> },
    Rewind { sequence: SequenceId, length: usize, reply: Reply<()> },
    Fork { sequence: SequenceId, reply: Reply<SequenceId> },
    Tokens { sequence: SequenceId, reply: Reply<Vec<Token>> },
    Prefill { sequence: SequenceId, cancel: Cancel, reply: Reply<()> },
    Logits { sequence: SequenceId, cancel: Cancel, reply: Reply<Vec<f32>> },
    Generate { sequence: SequenceId, cancel: Cancel, generation: Box<Generation>, reply: Reply<u64> },
    Stop { sequence: SequenceId, job: u64, reply: Option<Reply<Option<Finish>>> },
    Save { sequence: SequenceId, reply: Reply<State> },
    Restore { sequence: SequenceId, state: State, reply: Reply<()> },
    Wake,
    Shutdown,
}

/// A sequence as it is saved: its tokens, and the engine's state for the first `decoded` of them.
pub(super) struct State {
    pub tokens: Vec<Token>,
    pub decoded: usize,
    pub bytes: Vec<u8>,
}

/// The worker's thread. Dropping the last handle stops it, within one decode step.
pub(crate) struct Worker {
    commands: Sender<Command>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Worker {
    /// Starts the thread, which opens the context. `slice_tokens` bounds a batch.
    pub fn start(
        weights: Arc<dyn Weights>,
        options: EngineOptions,
        slice_tokens: usize,
    ) -> Result<Arc<Self>> {
        let (commands, inbox) = channel();
        let (ready, opened) = sync_channel(1);
        let body = move || match weights.open(&options) {
            Ok(engine) => {
                let _ = ready.send(Ok(()));
                run(Scheduler::new(engine, slice_tokens), &inbox);
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        };
        let thread = std::thread::Builder::new()
            .name("pinfold-worker".into())
            .spawn(body)
            .map_err(|error| Error::engine(format!("no thread for the worker: {error}")))?;
        let worker = Self { commands, thread: Mutex::new(Some(thread)) };
        opened.recv().map_err(|_| gone())??;
        Ok(Arc::new(worker))
    }

    /// Sends a command that needs no answer. A worker that is gone needs none.
    pub(super) fn send(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    /// Sends a command and waits for its answer.
    pub(super) fn call<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T> {
        let (reply, answer) = sync_channel(1);
        self.commands.send(command(reply)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.send(Command::Shutdown);
        let thread = self.thread.get_mut().map_or(None, Option::take);
        if let Some(thread) = thread {
            // A worker that panicked said so when it did.
            let _ = thread.join();
        }
    }
}

fn gone() -> Error {
    Error::engine("the worker is gone; load the model again")
}

/// The loop: commands first, then a step of the work; waits where there is none.
fn run(mut scheduler: Scheduler, inbox: &Receiver<Command>) {
    loop {
        loop {
            match inbox.try_recv() {
                Ok(Command::Shutdown) | Err(TryRecvError::Disconnected) => return,
                Ok(command) => scheduler.handle(command),
                Err(TryRecvError::Empty) => break,
            }
        }
        if !scheduler.step() {
            match inbox.recv() {
                Ok(Command::Shutdown) | Err(_) => return,
                Ok(command) => scheduler.handle(command),
            }
        }
    }
}
