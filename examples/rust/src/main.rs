//! Streams an answer of the embedded checkpoint, cancels one, and shows an error.
//!
//!     make build && target/release/pinfold-example "play some jazz by miles davis"

use std::io::Write;

use pinfold::{Cancel, GenerateOptions, Message, Model, ModelOptions, Role, Special};

fn main() -> pinfold::Result<()> {
    let request = std::env::args().nth(1).unwrap_or_else(|| "will it rain in Lisbon tomorrow".to_owned());
    let checkpoint =
        pinfold_checkpoints::find("intent").ok_or_else(|| pinfold_checkpoints::unknown("intent"))?;
    let model = checkpoint.load(&ModelOptions::default())?;

    // An answer, piece by piece.
    let session = model.session()?;
    session.append(&model.chat_prompt(&[Message::new(Role::User, request)])?, Special::Parse)?;
    let mut stream = session.generate(&GenerateOptions::default())?;
    for chunk in &mut stream {
        print!("{}", chunk?.text);
        // A stream flows only if what came is shown at once; who does not look any more loses nothing.
        let _ = std::io::stdout().flush();
    }
    if let Some(finish) = stream.finish() {
        println!("\n{:?} after {} tokens", finish.reason, finish.generated_tokens);
    }
    drop(stream);

    // A cancel from another thread ends the stream; the session can be used again.
    session.rewind(1)?;
    let cancel = Cancel::new();
    let options = GenerateOptions { cancel: cancel.clone(), ..GenerateOptions::default() };
    let mut stream = session.generate(&options)?;
    let stopper = std::thread::spawn(move || cancel.cancel());
    // A short answer might be read to its end before the other thread runs.
    let _ = stopper.join();
    stream.by_ref().for_each(drop);
    if let Some(finish) = stream.finish() {
        println!("{:?}", finish.reason);
    }

    // An error says what to do.
    if let Err(error) = Model::load("no-such-checkpoint.gguf", &ModelOptions::default()) {
        println!("error: {error}");
    }
    Ok(())
}
