//! One attempt: the request, and what the server makes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::{HeaderMap, StatusCode, header};

use super::answer::{Answer, Wrong, words};
use super::sse::EventStream;
use super::wire::{Exchange, Piece};
use super::{OpenAi, Request};
use crate::prompt::{Content, Part};
use crate::pull::fault::Fault;

/// The most bytes of a stream.
const STREAM: usize = 64 << 20;

/// The most bytes of an answer that is no stream.
const WHOLE: usize = 16 << 20;

/// The most bytes that are read of a refusal.
const REFUSAL: usize = 64 << 10;

/// The most characters that are repeated of what a server says.
const WORDS: usize = 300;

/// How long the end of a connection is waited for after the end of an answer.
const LINGER: Duration = Duration::from_millis(50);

/// An attempt under way.
pub(super) struct Receiving<'a> {
    pub(super) backend: &'a OpenAi,
    pub(super) request: &'a Request,
    pub(super) show: &'a mut dyn FnMut(&str),
    pub(super) deadline: Instant,
    /// Whether any text was shown.
    pub(super) shown: bool,
    /// The status of the answer.
    pub(super) status: Option<u16>,
}

impl Receiving<'_> {
    pub(super) fn answer(&mut self, body: &Arc<Vec<u8>>) -> Result<Answer, Fault> {
        let routes = self.backend.routes()?;
        let (url, key) = (&self.backend.url, self.backend.key.as_deref());
        let mut exchange = Exchange::start(Arc::clone(&routes), url, key, Arc::clone(body))?;
        let first = self.backend.options.first_byte_timeout_ms;
        let (status, headers) = match self.next(&mut exchange, first, "first_byte_timeout_ms")? {
            Piece::Head(status, headers) => (status, headers),
            Piece::Bytes(_) | Piece::End => return Err(Fault::passing("the answer has no head")),
        };
        self.status = Some(status.as_u16());
        if status != StatusCode::OK {
            return Err(self.refusal(&mut exchange, status, &headers));
        }
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let answer = if kind.to_ascii_lowercase().starts_with("text/event-stream") {
            self.stream(&mut exchange)?
        } else {
            self.whole(&mut exchange)?
        };
        if answer.finish.is_none() && answer.text.is_empty() && answer.calls.is_empty() {
            return Err(Fault::passing("it answers nothing"));
        }
        let end = Instant::now() + LINGER;
        while !exchange.is_whole() && matches!(exchange.next(end, &self.request.cancel), Ok(Some(_))) {}
        if exchange.is_whole() {
            self.backend.give_back(routes);
        }
        Ok(answer)
    }

    /// The next piece within so many milliseconds.
    fn next(&self, exchange: &mut Exchange, most: u32, option: &str) -> Result<Piece, Fault> {
        let own = Instant::now() + Duration::from_millis(most.into());
        match exchange.next(own.min(self.deadline), &self.request.cancel)? {
            Some(piece) => Ok(piece),
            None if own < self.deadline => {
                Err(Fault::lasting(format!("nothing came within {most} ms ({option})")))
            }
            None => Err(Fault::lasting("no answer in time (total_timeout_ms)")),
        }
    }

    fn stream(&mut self, exchange: &mut Exchange) -> Result<Answer, Fault> {
        let (mut stream, mut answer, mut events, mut size) =
            (EventStream::new(), Answer::default(), Vec::new(), 0);
        loop {
            let idle = self.backend.options.idle_timeout_ms;
            let ended = match self.next(exchange, idle, "idle_timeout_ms") {
                Ok(Piece::Bytes(bytes)) => {
                    size += bytes.len();
                    if size > STREAM {
                        return Err(Fault::lasting("its stream has more than 64 MiB"));
                    }
                    stream.push(&bytes, &mut events).map_err(Fault::lasting)?;
                    false
                }
                Ok(_) => {
                    events.extend(stream.finish());
                    true
                }
                // All was said; how the connection ends does not matter.
                Err(Fault::Passing { .. }) if answer.finish.is_some() => return Ok(answer),
                Err(fault) => return Err(fault),
            };
            for event in events.drain(..) {
                if event.trim() == "[DONE]" {
                    return Ok(answer);
                }
                self.take(&mut answer, &event)?;
            }
            match (ended, answer.finish) {
                (false, _) => {}
                (true, Some(_)) => return Ok(answer),
                (true, None) => return Err(Fault::passing("its stream ends before the answer does")),
            }
        }
    }

    fn whole(&mut self, exchange: &mut Exchange) -> Result<Answer, Fault> {
        let bytes = self.gather(exchange, WHOLE)?;
        if bytes.len() > WHOLE {
            return Err(Fault::lasting("its answer has more than 16 MiB"));
        }
        let text = String::from_utf8(bytes).map_err(|_| Fault::lasting("its answer is not UTF-8"))?;
        let mut answer = Answer::default();
        self.take(&mut answer, &text)?;
        Ok(answer)
    }

    /// What still comes, up to more than `most` bytes.
    fn gather(&self, exchange: &mut Exchange, most: usize) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        while bytes.len() <= most {
            match self.next(exchange, self.backend.options.idle_timeout_ms, "idle_timeout_ms")? {
                Piece::Bytes(more) => bytes.extend_from_slice(&more),
                Piece::Head(..) | Piece::End => break,
            }
        }
        Ok(bytes)
    }

    fn take(&mut self, answer: &mut Answer, json: &str) -> Result<(), Fault> {
        match answer.take(json) {
            Ok(text) if text.is_empty() => {}
            Ok(text) => {
                self.shown = true;
                (self.show)(&text);
            }
            Err(Wrong::Form(reason)) => return Err(Fault::Lasting(reason)),
            Err(Wrong::Error(error)) => {
                let said = self.said(&error).unwrap_or_default();
                return Err(Fault::Lasting(format!("it reports an error{said}")));
            }
        }
        Ok(())
    }

    fn refusal(&self, exchange: &mut Exchange, status: StatusCode, headers: &HeaderMap) -> Fault {
        let options = &self.backend.options;
        let variable = &options.api_key_env;
        let hint = match status.as_u16() {
            300..=399 => "; redirects are not followed: give the address that it redirects to".to_owned(),
            401 | 403 if options.api_key.as_ref().is_some_and(|key| !key.trim().is_empty()) => {
                "; it does not take the key that was given".to_owned()
            }
            401 | 403 if self.backend.key.is_some() => {
                format!("; it does not take the key in the environment variable {variable}")
            }
            401 | 403 => format!("; set the environment variable {variable} to a key of it"),
            404 => "; is it the address of the API (it often ends with /v1), and is there such a model?"
                .to_owned(),
            _ => String::new(),
        };
        // What it says is of use, but not needed.
        let said = self.gather(exchange, REFUSAL).ok().and_then(|bytes| {
            let value: Value = serde_json::from_slice(&bytes).ok()?;
            self.said(&value)
        });
        let fault = match status.is_success() {
            true => Fault::lasting(format!("the server answers {}", status.as_u16())),
            false => Fault::refusal(status, headers),
        };
        fault.explain(|reason| reason + &said.unwrap_or_default() + &hint)
    }

    /// What a server says, fit for an error: short, and without words of the request.
    fn said(&self, error: &Value) -> Option<String> {
        let words = words(error)?;
        let secret = self.backend.key.as_ref().is_some_and(|key| words.contains(key.as_str()));
        if secret || self.quotes(&words) {
            return Some(" (its words quote the request)".to_owned());
        }
        let mut shown: String = words.chars().take(WORDS).flat_map(char::escape_debug).collect();
        if words.chars().count() > WORDS {
            shown.push('…');
        }
        Some(format!(": {shown}"))
    }

    /// Whether a text has a line of the conversation in it.
    fn quotes(&self, words: &str) -> bool {
        let texts = self.request.conversation.turns.iter().flat_map(|turn| {
            let (text, parts) = match &turn.content {
                Some(Content::Text(text)) => (Some(text), &[][..]),
                Some(Content::Parts(parts)) => (None, parts.as_slice()),
                None => (None, &[][..]),
            };
            let parts = parts.iter().filter_map(|part| match part {
                Part::Text { text } => Some(text),
                _ => None,
            });
            text.into_iter().chain(parts)
        });
        // A word or two, e.g. the name of a field, may well be in both.
        texts.flat_map(|text| text.as_str().lines()).any(|line| {
            let line = line.trim();
            line.len() >= 8 && words.contains(line)
        })
    }
}
