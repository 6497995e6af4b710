//! Any bytes as a stream of events.

use pinfold::backend::EventStream;

/// Reads `bytes` whole and byte by byte: that must give the same.
pub fn check(bytes: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut stream, mut events) = (EventStream::new(), Vec::new());
        let done = pieces.try_for_each(|piece| stream.push(piece, &mut events));
        if done.is_ok() {
            events.extend(stream.finish());
        }
        (done, events)
    };
    assert_eq!(read(&mut [bytes].into_iter()), read(&mut bytes.chunks(1)));
}
