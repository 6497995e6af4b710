//! Any bytes as a stream of events.

use pinfold::backend::EventStream;

/// Reads `bytes` whole and byte by byte: that must give the same.
pub fn check(bytes: &[u8]) {
    assert_eq!(read([bytes].into_iter()), read(bytes.chunks(1)));
}

/// The events of a stream that comes in `pieces`, and why it broke, if it did.
fn read<'a>(mut pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<String>, Result<(), &'static str>) {
    let (mut stream, mut events) = (EventStream::new(), Vec::new());
    let done = pieces.try_for_each(|piece| stream.push(piece, &mut events));
    if done.is_ok() {
        events.extend(stream.finish());
    }
    (events, done)
}
