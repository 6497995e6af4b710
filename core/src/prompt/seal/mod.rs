//! From a [`Text`] to tokens: values never become control.
//!
//! Where no value spells a special token, the text is tokenized as a whole, by the tokenizer itself. Otherwise
//! the special tokens of the author become their ids, and what stands between them is tokenized as plain text,
//! cut where even that gives a token that a value must not become. `docs/adr/0008-sealed-prompts.md` has the
//! reasons.

mod forbidden;
mod fragments;
mod markers;
mod pieces;
mod probes;
mod search;
mod shape;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use super::chat_template::ChatTemplate;
use super::conversation::Conversation;
use super::text::Text;
use crate::engine::Special;
use crate::error::Result;
use crate::tokenizer::Tokenizer;
use crate::vocabulary::Token;
use forbidden::{Forbidden, Hit, Written};
use fragments::Fragments;
use markers::MarkerSet;
use pieces::Pieces;

/// What is done about a value that spells a marker which is ordinary text for the checkpoint, e.g. `[INST]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Markers {
    /// It is an error.
    #[default]
    Reject,
    /// The spelling is broken: a space comes behind the first character that the value has of it, `[ INST]`.
    Neutralize,
}

/// The tokens of a prompt, and what had to be done for them. The ranges are bytes of the text that was sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealedPrompt {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// Where values spell special tokens, which became plain text: in order, without overlaps.
    pub split: Vec<Range<usize>>,
    /// Markers in values whose spelling was broken, in order. Only here do the tokens spell another text.
    pub neutralized: Vec<Range<usize>>,
}

/// Turns the texts of a checkpoint's prompts into tokens, so that no value becomes control.
///
/// `Send + Sync`. Making one takes milliseconds: it renders a few conversations to see what the template writes.
/// [`Model::seal`](crate::Model::seal) keeps the one of the checkpoint's own template.
#[derive(Clone)]
pub struct Sealer {
    tokenizer: Tokenizer,
    forbidden: Forbidden,
    pieces: Pieces,
    markers: MarkerSet,
}

impl Sealer {
    /// For a checkpoint and what writes its prompts. Without a template there are no markers.
    ///
    /// # Errors
    /// [`Error::Engine`](crate::Error::Engine) if the tokenizer fails.
    pub fn new(tokenizer: &Tokenizer, template: Option<&ChatTemplate>) -> Result<Self> {
        let probes = template.map(probes::render).unwrap_or_default();
        let mut written = Written { source: template.map_or("", ChatTemplate::source), ..Written::default() };
        for probe in &probes {
            written.tokens.extend(tokenizer.tokenize(probe.text.as_str(), Special::Parse)?);
        }
        let forbidden = Forbidden::new(tokenizer, &written)?;
        let pieces = Pieces::new(tokenizer, |token| forbidden.contains(token))?;
        let markers = MarkerSet::find(&probes, &forbidden)?;
        Ok(Self { tokenizer: tokenizer.clone(), forbidden, pieces, markers })
    }

    /// The tokens of `text`, without a begin-of-sequence token of its own.
    ///
    /// # Errors
    /// [`Error::ForgedMarker`](crate::Error::ForgedMarker) for a value that spells a marker, or a special token
    /// that this vocabulary cannot spell as text; [`Error::Engine`](crate::Error::Engine) for more than 2 GiB.
    pub fn seal(&self, text: &Text, markers: Markers) -> Result<SealedPrompt> {
        if !text.has_sealed() {
            let tokens = self.tokenizer.tokenize(text.as_str(), Special::Parse)?;
            return Ok(SealedPrompt { tokens, ..SealedPrompt::default() });
        }
        let (text, neutralized) = match self.markers.neutralize(text, markers)? {
            None => (Cow::Borrowed(text), Vec::new()),
            Some((text, neutralized)) => (Cow::Owned(text), neutralized),
        };
        let (tokens, mut split) = self.tokens(&text)?;
        for range in &mut split {
            let back = |index: usize| index - neutralized.partition_point(|broken| broken.inserted < index);
            *range = back(range.start)..back(range.end);
        }
        let neutralized = neutralized.into_iter().map(|broken| broken.range).collect();
        Ok(SealedPrompt { tokens, split, neutralized })
    }

    /// The tokens of what `template` makes of a conversation, with the begin-of-sequence token in front where
    /// the checkpoint wants one.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::render`] and of [`seal`](Self::seal).
    pub fn prompt(
        &self,
        template: &ChatTemplate,
        conversation: &Conversation,
        markers: Markers,
    ) -> Result<SealedPrompt> {
        let mut prompt = self.seal(&template.render(conversation)?, markers)?;
        self.tokenizer.begin(&mut prompt.tokens);
        Ok(prompt)
    }

    /// The markers of the template that are ordinary text for the vocabulary, e.g. `[INST]`.
    pub fn markers(&self) -> impl Iterator<Item = &str> {
        self.markers.spellings()
    }

    /// Whether a value must not become `token`.
    pub fn is_forbidden(&self, token: Token) -> bool {
        self.forbidden.contains(token)
    }

    fn tokens(&self, text: &Text) -> Result<(Vec<Token>, Vec<Range<usize>>)> {
        let vocabulary = self.tokenizer.vocabulary();
        let hits = self.forbidden.find(text.as_str());
        let whole = fragments::whole(text, &hits, vocabulary);
        let forged: Vec<Hit> = hits.into_iter().filter(|hit| touches_value(text, &hit.range)).collect();
        if forged.is_empty() {
            let tokens = self.tokenizer.tokenize(text.as_str(), Special::Parse)?;
            // A tokenizer that folds characters, or merges to a special token, gives more of them.
            let expected = whole.values().filter(|whole| self.forbidden.contains(whole.token)).count();
            if tokens.iter().filter(|token| self.forbidden.contains(**token)).count() == expected {
                return Ok((tokens, Vec::new()));
            }
        }
        let mut fragments = Fragments {
            text,
            forbidden: &self.forbidden,
            pieces: &self.pieces,
            forged: &forged,
            tokens: Vec::new(),
            split: Vec::new(),
        };
        fragments.run(&whole)?;
        let Fragments { tokens, mut split, .. } = fragments;
        split.extend(forged.into_iter().filter(|hit| hit.whole).map(|hit| hit.range));
        Ok((tokens, without_overlaps(split)))
    }
}

/// Whether a byte in `range` is a value's.
fn touches_value(text: &Text, range: &Range<usize>) -> bool {
    let sealed = text.sealed_ranges();
    let next = sealed.partition_point(|sealed| sealed.end <= range.start);
    sealed.get(next).is_some_and(|sealed| sealed.start < range.end)
}

/// The ranges in order; of those that overlap, what they cover together.
fn without_overlaps(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}
