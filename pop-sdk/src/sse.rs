//! Server-sent events, as the HTML standard defines them: bytes in, events out. Pure.

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// The last id that the stream has given.
    pub(crate) id: Option<String>,
    /// The kind of event; empty when the stream gives none.
    pub(crate) event: String,
    /// The data lines, joined.
    pub(crate) data: String,
}

/// Takes bytes in as they come.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    buffer: Vec<u8>,
    /// How much of the buffer is known to hold no end of a line, so that a long line is searched only once.
    searched: usize,
    id: Option<String>,
    event: String,
    data: Option<String>,
}

impl Parser {
    /// Takes some bytes; gives the events that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Message> {
        self.buffer.extend_from_slice(bytes);
        let mut messages = Vec::new();
        let (mut from, mut search) = (0, self.searched);
        while let Some(length) = self.buffer[search..].iter().position(|b| *b == b'\n') {
            let line = String::from_utf8_lossy(&self.buffer[from..search + length]).into_owned();
            from = search + length + 1;
            search = from;
            messages.extend(self.line(line.strip_suffix('\r').unwrap_or(&line)));
        }
        self.buffer.drain(..from);
        self.searched = self.buffer.len();
        messages
    }

    fn line(&mut self, line: &str) -> Option<Message> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return self.data.take().map(|data| Message { id: self.id.clone(), event, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                none => *none = Some(value.to_owned()),
            },
            "id" => self.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.event),
            // Comments keep the connection alive; other fields have no meaning here.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_however_the_bytes_are_cut() {
        let text =
            b": hello\nid: 7\ndata: {\"a\":\ndata: 1}\n\nevent: x\r\ndata: two\r\n\r\ndata: unfinished";
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let messages: Vec<Message> = text.chunks(size).flat_map(|c| parser.push(c)).collect();
            let expected = [
                Message { id: Some("7".into()), event: String::new(), data: "{\"a\":\n1}".into() },
                Message { id: Some("7".into()), event: "x".into(), data: "two".into() },
            ];
            assert_eq!(messages, expected, "pieces of {size}");
        }
    }
}
