//! Turns the bytes of a stream into readable text. Characters stay whole at every cut of the bytes, and secrets are
//! masked even across two reads.

use std::sync::Arc;

use crate::run::Masker;

/// Turns pieces of bytes into pieces of text.
#[derive(Debug)]
pub(super) struct TextStream {
    masker: Arc<Masker>,
    /// Bytes that may be the start of a character or of a secret.
    pending: Vec<u8>,
    /// Position of the first pending byte in the stream.
    offset: u64,
}

/// A piece of text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Position of the piece's first byte in the stream.
    pub(super) offset: u64,
    /// Number of the stream's bytes behind the text; masking may change the text's length.
    pub(super) length: u64,
    pub(super) text: String,
}

impl TextStream {
    pub(super) fn new(masker: Arc<Masker>) -> Self {
        Self { masker, pending: Vec::new(), offset: 0 }
    }

    /// Takes bytes; returns the text that is certain now.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<Piece> {
        self.pending.extend_from_slice(bytes);
        let complete = self.masker.complete(&self.pending);
        self.take(complete - open_character(&self.pending[..complete]))
    }

    /// The text of the pending bytes.
    pub(super) fn finish(&mut self) -> Option<Piece> {
        self.take(self.pending.len())
    }

    fn take(&mut self, length: usize) -> Option<Piece> {
        if length == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&self.pending[..length]);
        let text = self.masker.mask(&text).into_owned();
        self.pending.drain(..length);
        let (offset, length) = (self.offset, length as u64);
        self.offset += length;
        Some(Piece { offset, length, text })
    }
}

/// Number of last bytes that start an incomplete character.
fn open_character(bytes: &[u8]) -> usize {
    let from = bytes.len().saturating_sub(3);
    // The last byte that starts a character, which also gives the character's length.
    let Some(at) = (from..bytes.len()).rev().find(|i| bytes[*i] & 0b1100_0000 != 0b1000_0000) else {
        return 0;
    };
    let whole = match bytes[at] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    let there = bytes.len() - at;
    if there < whole { there } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn whole(masker: Masker, pieces: &[&[u8]]) -> String {
        let mut stream = TextStream::new(Arc::new(masker));
        let mut all: Vec<Piece> = pieces.iter().filter_map(|p| stream.push(p)).collect();
        all.extend(stream.finish());
        let mut at = 0;
        for piece in &all {
            assert_eq!(piece.offset, at);
            at += piece.length;
        }
        assert_eq!(at, pieces.iter().map(|p| p.len() as u64).sum::<u64>());
        all.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn bytes_that_are_no_text_do_not_hold_the_rest_back() {
        assert_eq!(
            whole(Masker::default(), &[b"a\xff", b"b\xc3", b"x\xe2\x82"]),
            "a\u{fffd}b\u{fffd}x\u{fffd}"
        );
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_cut(text in "[aé€😀bc]{0,40}", cuts in prop::collection::vec(0usize..160, 0..6)) {
            let masker = Masker::new(&json!({"s": "aé€b", "t": "bcbcbc"}), &["/s".into(), "/t".into()]);
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.push(0);
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
            prop_assert_eq!(whole(Masker::default(), &pieces), text.clone());
            let masked = whole(masker, &pieces);
            prop_assert!(!masked.contains("aé€b") && !masked.contains("bcbcbc") && !masked.contains('\u{fffd}'), "{}", masked);
        }
    }
}
