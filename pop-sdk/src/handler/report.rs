//! Telling a pool over HTTP what it takes no files for: `$POP_REPORT_URL`, with `$POP_TOKEN`. Plain HTTP/1.1 to a port of
//! this machine (or of the pod), a connection for each word: not worth a client's crates in every handler.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// The longest silence of the other side.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that is read of an answer, in bytes.
const ANSWER: u64 = 16 << 10;

/// Where words go, and the right to say them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Desk {
    /// `host:port`
    host: String,
    path: String,
    token: String,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("host", &self.host).field("path", &self.path).finish_non_exhaustive()
    }
}

impl Desk {
    /// The desk at `url`, `http://host:port/path`. None when that is no such address.
    pub(super) fn new(url: &str, token: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let port = |host: &str| if host.rsplit_once(':').is_some() { "" } else { ":80" };
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
        (!host.is_empty() && plain(rest) && plain(token)).then(|| Self {
            host: format!("{host}{}", port(host)),
            path: path.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
        })
    }

    /// Says `text` as the attempt's `word` (`progress`, `output`, `failure`). It blocks until the pool has it.
    ///
    /// # Errors
    /// Nobody takes it; the message has the pool's reason.
    pub(super) fn say(&self, word: &str, text: &[u8]) -> io::Result<()> {
        let mut last = io::Error::other(format!("no network address for {}", self.host));
        for address in self.host.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return self.send(&stream, word, text),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn send(&self, mut stream: &TcpStream, word: &str, text: &[u8]) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let Self { host, path, token } = self;
        let length = text.len();
        let head = format!(
            "PUT {path}/{word} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        // Who refuses may do so before it has read everything; its answer says more than a broken pipe.
        let written = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(text));
        let mut answer = Vec::new();
        let read = stream.take(ANSWER).read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        match status(&answer) {
            Some(200..300) => Ok(()),
            Some(status) => {
                let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).trim();
                Err(io::Error::other(format!("the pool refused the report with status {status}: {body}")))
            }
            None => {
                written?;
                read?;
                Err(io::Error::other(format!("invalid answer from {host}: not HTTP")))
            }
        }
    }
}

fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let desk = Desk::new("http://127.0.0.1:81/v1/attempt/", "t").unwrap();
        assert_eq!((desk.host.as_str(), desk.path.as_str()), ("127.0.0.1:81", "/v1/attempt"));
        assert_eq!(Desk::new("http://pool", "t").unwrap().host, "pool:80");
        for (url, token) in
            [("https://pool/x", "t"), ("http:///x", "t"), ("http://a b/", "t"), ("http://a/", "t\r\nx: y")]
        {
            assert_eq!(Desk::new(url, token), None, "{url}");
        }
        assert!(!format!("{desk:?}").contains("token"), "a token is in no message");
    }

    #[test]
    fn answers() {
        assert_eq!(status("HTTP/1.1 204 No Content\r\n\r\n"), Some(204));
        assert_eq!(status("HTTP/1.1 \r\n"), None);
        assert_eq!(status("220 mail ready"), None);
    }
}
