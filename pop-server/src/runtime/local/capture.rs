//! Reads a program's streams in bounded memory. Log text goes out in pieces up to a limit, the last lines stay for a
//! failure, and output is collected up to a limit.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::sync::CancellationToken;

use super::text::{Piece, TextStream};
use crate::run::Masker;
use crate::runtime::{Reporter, Signal};

/// Number of last lines that a failure quotes.
const TAIL_LINES: usize = 10;
/// Longest quoted part of a line, in bytes.
const TAIL_WIDTH: usize = 500;

/// The result of reading one stream.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Captured {
    /// The bytes, if the stream is the output.
    pub(in crate::runtime) bytes: Vec<u8>,
    /// Whether the output exceeded its limit; the rest was not read.
    pub(in crate::runtime) overflow: bool,
    /// The last lines.
    pub(in crate::runtime) tail: Vec<String>,
}

/// The use of a stream.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime) enum Want {
    /// Send the stream as log text. Of a stream longer than this number of bytes, only the first and the last half of
    /// the number are kept.
    Log(u64),
    /// Collect the stream as output, up to this number of bytes. Reading stops at a longer stream.
    Output(u64),
}

/// The log of one attempt: its streams, and POP's own lines.
#[derive(Debug)]
pub(in crate::runtime) struct Log {
    reporter: Reporter,
    pub(in crate::runtime) masker: Arc<Masker>,
    /// Number of bytes of POP's own lines.
    said: AtomicU64,
}

impl Log {
    pub(in crate::runtime) fn new(reporter: Reporter, masker: Arc<Masker>) -> Self {
        Self { reporter, masker, said: AtomicU64::new(0) }
    }

    /// Logs a line of POP's own. Each line has its own position, because the server drops a second line at the same
    /// position as a repetition.
    pub(in crate::runtime) fn say(&self, line: &str) {
        let text = format!("{line}\n");
        let offset = self.said.fetch_add(text.len() as u64, Ordering::Relaxed);
        self.reporter.send(Signal::Log { stream: "pop", offset, text });
    }

    fn send(&self, stream: &'static str, Piece { offset, text, .. }: Piece) {
        self.reporter.send(Signal::Log { stream, offset, text });
    }
}

/// Reads `stream` to its end or until `cut`. Output over its limit also ends the reading, and cancels `flooded`.
pub(in crate::runtime) async fn read<R: AsyncRead + Unpin>(
    stream: Option<R>,
    name: &'static str,
    want: Want,
    log: &Log,
    cut: &CancellationToken,
    flooded: &CancellationToken,
) -> Captured {
    let mut captured = Captured::default();
    let Some(mut stream) = stream else { return captured };
    let mut text = TextStream::new(Arc::clone(&log.masker));
    let mut tail = Tail::default();
    let mut kept = if let Want::Log(limit) = want { Some(Kept::new(limit)) } else { None };
    let mut tell = |piece: Piece| {
        tail.push(piece.text.as_bytes());
        if let Some(kept) = &mut kept {
            kept.push(piece, |piece| log.send(name, piece));
        }
    };
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let n = tokio::select! {
            biased;
            // The cut comes first, because a flood of data would starve it.
            () = cut.cancelled() => 0,
            n = stream.read(&mut buffer) => n.unwrap_or(0),
        };
        if n == 0 {
            break;
        }
        if let Want::Output(limit) = want {
            let room = usize::try_from(limit).unwrap_or(usize::MAX) - captured.bytes.len();
            captured.bytes.extend_from_slice(&buffer[..n.min(room)]);
            captured.overflow = n > room;
        }
        text.push(&buffer[..n]).map(&mut tell);
        if captured.overflow {
            flooded.cancel();
            break;
        }
    }
    text.finish().map(&mut tell);
    if let Some(kept) = kept {
        kept.finish(name, log);
    }
    captured.tail = tail.lines();
    captured
}

/// Keeps a part of a log: the first half goes out at once, the end after the stream's end.
#[derive(Debug)]
struct Kept {
    head: u64,
    end_limit: u64,
    /// Position of the end of the head.
    head_end: u64,
    end: VecDeque<Piece>,
    end_length: u64,
}

impl Kept {
    fn new(limit: u64) -> Self {
        let end_limit = limit / 2;
        Self { head: limit - end_limit, end_limit, head_end: 0, end: VecDeque::new(), end_length: 0 }
    }

    fn push(&mut self, piece: Piece, send: impl FnOnce(Piece)) {
        let mut rest = Some(piece);
        if self.end.is_empty()
            && let Some(piece) = rest.take()
        {
            let (head, after) = split(piece, self.head - self.head_end);
            rest = after;
            if let Some(head) = head {
                self.head_end = head.offset + head.length;
                send(head);
            }
        }
        let Some(piece) = rest else { return };
        self.end_length += piece.length;
        self.end.push_back(piece);
        while self.end_length > self.end_limit
            && let Some(first) = self.end.pop_front()
        {
            self.end_length -= first.length;
            let too_much = (self.end_length + first.length) - self.end_limit;
            if let (_, Some(rest)) = split(first, too_much) {
                self.end_length += rest.length;
                let stuck = self.end_length > self.end_limit;
                self.end.push_front(rest);
                if stuck {
                    break;
                }
            }
        }
        if self.end.is_empty() {
            // A part was left out, so every later piece belongs to the end.
            self.end.push_back(Piece { offset: u64::MAX, length: 0, text: String::new() });
        }
    }

    fn finish(self, name: &'static str, log: &Log) {
        let mut end = self.end.into_iter().filter(|piece| piece.length > 0).peekable();
        let Some(first) = end.peek() else { return };
        let left_out = first.offset.saturating_sub(self.head_end);
        if left_out > 0 {
            log.say(&format!("{name}: {left_out} bytes were left out after the first {}", self.head_end));
        }
        for piece in end {
            log.send(name, piece);
        }
    }
}

/// Splits a piece after at most `length` bytes, between characters. A piece with masked text stays whole, and counts as
/// the rest.
fn split(mut piece: Piece, length: u64) -> (Option<Piece>, Option<Piece>) {
    if length >= piece.length {
        return (Some(piece), None);
    }
    let plain = piece.text.len() as u64 == piece.length;
    let mut at = usize::try_from(length).unwrap_or(usize::MAX).min(piece.text.len());
    while !piece.text.is_char_boundary(at) {
        at -= 1;
    }
    if at == 0 || !plain {
        return (None, Some(piece));
    }
    let text = piece.text.split_off(at);
    let rest = Piece { offset: piece.offset + at as u64, length: piece.length - at as u64, text };
    piece.length = at as u64;
    (Some(piece), Some(rest))
}

/// The last lines of a stream, each cut to a maximal width.
#[derive(Debug, Default)]
struct Tail {
    lines: VecDeque<Vec<u8>>,
    open: bool,
}

impl Tail {
    fn push(&mut self, piece: &[u8]) {
        // Only the end of a large piece matters, but a piece has at most 16 KiB, so walking all lines is cheap.
        for part in piece.split_inclusive(|b| *b == b'\n') {
            if !self.open {
                if self.lines.len() == TAIL_LINES {
                    self.lines.pop_front();
                }
                self.lines.push_back(Vec::new());
            }
            let (text, ended) = match part.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (part, false),
            };
            if let Some(line) = self.lines.back_mut() {
                let room = TAIL_WIDTH.saturating_sub(line.len()).min(text.len());
                line.extend_from_slice(&text[..room]);
            }
            self.open = !ended;
        }
    }

    fn lines(self) -> Vec<String> {
        self.lines.iter().map(|l| String::from_utf8_lossy(l).into_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::runtime::AttemptKey;

    /// The captured result of these bytes, and the log: stream, position, text.
    async fn capture(bytes: &[u8], want: Want) -> (Captured, Vec<(&'static str, u64, String)>) {
        let (tx, mut rx) = mpsc::unbounded_channel();
        let log = Log::new(Reporter::new(AttemptKey { run: 0, op: 0, attempt: 1 }, tx), Arc::default());
        let never = CancellationToken::new();
        let got = read(Some(bytes), "stdout", want, &log, &never, &CancellationToken::new()).await;
        drop(log);
        let mut logged = Vec::new();
        while let Some((_, Signal::Log { stream, offset, text })) = rx.recv().await {
            logged.push((stream, offset, text));
        }
        (got, logged)
    }

    #[tokio::test]
    async fn the_last_ten_lines_are_kept() {
        let text: String = (0..4096).fold(String::new(), |text, i| text + &format!("line {i}\n"));
        let (got, _) = capture(text.as_bytes(), Want::Log(100)).await;
        assert_eq!(got.tail.first().unwrap(), "line 4086");
        assert_eq!(got.tail.last().unwrap(), "line 4095");
        assert_eq!(got.tail.len(), 10);
    }

    #[tokio::test]
    async fn of_a_long_log_the_head_and_the_end_are_kept() {
        let text: String = (0..5000).fold(String::new(), |text, i| text + &format!("{i:09}\n"));
        let (_, logged) = capture(text.as_bytes(), Want::Log(1000)).await;
        let of = |name: &str| {
            let parts = logged.iter().filter(|(stream, ..)| *stream == name);
            parts.map(|(_, _, text)| text.as_str()).collect::<String>()
        };
        assert_eq!(of("stdout"), text[..500].to_owned() + &text[49_500..]);
        assert_eq!(of("pop"), "stdout: 49000 bytes were left out after the first 500\n");
        for (_, offset, part) in logged.iter().filter(|(stream, ..)| *stream == "stdout") {
            let at = usize::try_from(*offset).unwrap();
            assert_eq!(&text[at..at + part.len()], part, "positions are those in the stream");
        }
    }

    #[tokio::test]
    async fn a_log_as_long_as_its_limit_is_whole() {
        let text = "é".repeat(20_000);
        let (_, logged) = capture(text.as_bytes(), Want::Log(40_000)).await;
        let got: String = logged.iter().map(|(_, _, text)| text.as_str()).collect();
        assert!(logged.iter().all(|(stream, ..)| *stream == "stdout") && got == text);
    }

    #[tokio::test]
    async fn each_notice_has_a_position_of_its_own() {
        let (tx, mut rx) = mpsc::unbounded_channel();
        let log = Log::new(Reporter::new(AttemptKey { run: 0, op: 0, attempt: 1 }, tx), Arc::default());
        log.say("first");
        log.say("second");
        let mut offsets = Vec::new();
        while let Ok((_, Signal::Log { offset, .. })) = rx.try_recv() {
            offsets.push(offset);
        }
        assert_eq!(offsets, [0, 6]);
    }

    #[tokio::test]
    async fn output_is_collected_up_to_its_limit() {
        let (got, _) = capture(b"0123456789", Want::Output(10)).await;
        assert_eq!((got.bytes.as_slice(), got.overflow), (&b"0123456789"[..], false));
        let (got, logged) = capture(b"0123456789", Want::Output(9)).await;
        assert!(got.overflow && logged.is_empty());
    }
}
