//! Reads what a program writes, without ever holding more than it may: log text goes out in pieces up to a limit, the
//! last lines are kept for a failure, and output is collected up to a limit.

use std::collections::VecDeque;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::runtime::{Reporter, Signal};

/// How many of the last lines a failure quotes.
const TAIL_LINES: usize = 10;
/// The longest piece of a line that is quoted, in bytes.
const TAIL_WIDTH: usize = 500;

/// What was read from one stream.
#[derive(Debug, Default)]
pub(super) struct Captured {
    /// The bytes, if they were wanted.
    pub bytes: Vec<u8>,
    /// More came than was allowed; the rest was dropped.
    pub overflow: bool,
    /// The last lines.
    pub tail: Vec<String>,
}

/// What to do with a stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Want {
    /// Send it on as log text, at most this many bytes.
    Log(u64),
    /// Collect it, at most this many bytes; reading stops there.
    Output(u64),
}

/// Reads `stream` to its end (or, for output, to its limit).
pub(super) async fn read<R: AsyncRead + Unpin>(
    mut stream: R,
    name: &'static str,
    want: Want,
    reporter: &Reporter,
) -> Captured {
    let mut captured = Captured::default();
    let mut tail = Tail::default();
    let mut buffer = vec![0; 16 * 1024];
    let mut seen: u64 = 0;
    while let Ok(n) = stream.read(&mut buffer).await {
        if n == 0 {
            break;
        }
        let piece = &buffer[..n];
        tail.push(piece);
        let limit = match want {
            Want::Log(limit) | Want::Output(limit) => limit,
        };
        let room = usize::try_from(limit.saturating_sub(seen)).unwrap_or(usize::MAX).min(n);
        match want {
            Want::Log(_) if room > 0 => {
                let text = String::from_utf8_lossy(&piece[..room]).into_owned();
                reporter.send(Signal::Log { stream: name, offset: seen, text });
            }
            Want::Log(_) => {}
            Want::Output(_) => captured.bytes.extend_from_slice(&piece[..room]),
        }
        if room < n && !captured.overflow {
            captured.overflow = true;
            if matches!(want, Want::Output(_)) {
                break;
            }
            let text = format!("{name}: more than {limit} bytes; the rest is not kept\n");
            reporter.send(Signal::Log { stream: "pop", offset: 0, text });
        }
        seen += n as u64;
    }
    captured.tail = tail.lines();
    captured
}

/// The last lines of a stream, each cut to a sane width.
#[derive(Debug, Default)]
struct Tail {
    lines: VecDeque<Vec<u8>>,
    open: bool,
}

impl Tail {
    fn push(&mut self, piece: &[u8]) {
        // Only the end of a large piece can matter, but lines are cheap to walk: 16 KiB at most.
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

    fn reporter() -> (Reporter, mpsc::UnboundedReceiver<(AttemptKey, Signal)>) {
        let (tx, rx) = mpsc::unbounded_channel();
        (Reporter::new(AttemptKey { run: 0, op: 0, attempt: 1 }, tx), rx)
    }

    #[tokio::test]
    async fn the_last_ten_lines_are_kept() {
        let text: String = (0..4096).fold(String::new(), |text, i| text + &format!("line {i}\n"));
        let (reporter, _rx) = reporter();
        let got = read(text.as_bytes(), "stderr", Want::Log(100), &reporter).await;
        assert_eq!(got.tail.first().unwrap(), "line 4086");
        assert_eq!(got.tail.last().unwrap(), "line 4095");
        assert_eq!(got.tail.len(), 10);
        assert!(got.overflow);
    }

    #[tokio::test]
    async fn a_log_is_cut_at_its_limit_and_says_so() {
        let (reporter, mut rx) = reporter();
        read(&[b'x'; 5000][..], "stdout", Want::Log(1000), &reporter).await;
        drop(reporter);
        let (mut kept, mut said) = (0, false);
        while let Some((_, Signal::Log { stream, text, .. })) = rx.recv().await {
            if stream == "stdout" { kept += text.len() } else { said = text.contains("1000 bytes") }
        }
        assert_eq!((kept, said), (1000, true));
    }

    #[tokio::test]
    async fn output_is_collected_up_to_its_limit() {
        let (reporter, _rx) = reporter();
        let got = read(&b"0123456789"[..], "stdout", Want::Output(10), &reporter).await;
        assert_eq!((got.bytes.as_slice(), got.overflow), (&b"0123456789"[..], false));
        let got = read(&b"0123456789"[..], "stdout", Want::Output(9), &reporter).await;
        assert!(got.overflow);
    }
}
