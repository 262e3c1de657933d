//! The short way through a text in which nothing is wrong: from tokens to the tree. A syntax tree in between, of what may
//! be most of a large program's memory, is made only for texts about which something has to be said.

use jsonc_parser::tokens::Token;
use jsonc_parser::{Scanner, ScannerOptions};

use super::text_of;
use crate::source::{FileId, Span, Spanned};
use crate::tree::{Entry, KeyIndex, MAX_DEPTH, Node, Table, Tree, number};

/// The tree of a text; none when there is anything to say about it.
pub(super) fn read(file: FileId, text: &str) -> Option<Tree> {
    let scanner = Scanner::new(
        text,
        &ScannerOptions {
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        },
    );
    let mut reader = Direct { file, text, scanner, entries: Vec::new(), items: Vec::new() };
    let first = reader.next()?;
    let tree = reader.value(first, 0)?;
    let ended = matches!(reader.scan(), Ok(None));
    ended.then_some(tree)
}

struct Direct<'t> {
    file: FileId,
    text: &'t str,
    scanner: Scanner<'t>,
    /// What the open tables hold so far, the innermost last.
    entries: Vec<Entry>,
    /// What the open lists hold so far, the innermost last.
    items: Vec<Tree>,
}

impl<'t> Direct<'t> {
    /// The next token that is no comment. The error says nothing: another reader explains.
    fn scan(&mut self) -> Result<Option<Token<'t>>, ()> {
        loop {
            match self.scanner.scan().map_err(drop)? {
                Some(Token::CommentLine(_) | Token::CommentBlock(_)) => {}
                token => return Ok(token),
            }
        }
    }

    fn next(&mut self) -> Option<Token<'t>> {
        self.scan().ok().flatten()
    }

    /// Where the last token is.
    fn span(&self) -> Span {
        Span::new(self.file, self.scanner.token_start(), self.scanner.token_end())
    }

    /// The value that begins with `token`, the last one. Recursion is bounded by [`MAX_DEPTH`].
    fn value(&mut self, token: Token<'t>, depth: usize) -> Option<Tree> {
        let span = self.span();
        let node = match token {
            Token::Null => Node::Null,
            Token::Boolean(b) => Node::Bool(b),
            Token::Number(n) => Node::Number(number(n)?),
            Token::String(value) => Node::String(text_of(self.text, value, span.range())),
            Token::OpenBrace if depth < MAX_DEPTH => self.table(depth + 1)?,
            Token::OpenBracket if depth < MAX_DEPTH => self.list(depth + 1)?,
            _ => return None,
        };
        Some(Tree { node, span: span.to(self.span()) })
    }

    fn table(&mut self, depth: usize) -> Option<Node> {
        let start = self.entries.len();
        let mut index = KeyIndex::default();
        let mut token = self.next()?;
        while token != Token::CloseBrace {
            let Token::String(key) = token else { return None };
            let key = Spanned::new(key.into_owned(), self.span());
            let so_far = &self.entries[start..];
            if index.find(&key.value, so_far.len(), |i| &so_far[i].key.value).is_some() {
                return None;
            }
            if self.next()? != Token::Colon {
                return None;
            }
            let first = self.next()?;
            let value = self.value(first, depth)?;
            self.entries.push(Entry { key, value });
            token = match self.next()? {
                Token::Comma => self.next()?,
                Token::CloseBrace => break,
                _ => return None,
            };
        }
        Some(Node::Table(Table { entries: self.entries.drain(start..).collect(), index }))
    }

    fn list(&mut self, depth: usize) -> Option<Node> {
        let start = self.items.len();
        let mut token = self.next()?;
        while token != Token::CloseBracket {
            let item = self.value(token, depth)?;
            self.items.push(item);
            token = match self.next()? {
                Token::Comma => self.next()?,
                Token::CloseBracket => break,
                _ => return None,
            };
        }
        Some(Node::List(self.items.drain(start..).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::syntax::json::recover;

    /// Both ways give the same tree, and the short one none when there is something to say.
    fn same(text: &str) -> bool {
        let mut out = Vec::new();
        let tree = recover::read(FileId(0), text, &mut out);
        let direct = read(FileId(0), text);
        assert_eq!(direct.is_some(), out.is_empty(), "{text}");
        if let Some(direct) = &direct {
            assert_eq!(format!("{direct:?}"), format!("{tree:?}"), "{text}");
        }
        direct.is_some()
    }

    #[test]
    fn texts_without_a_fault_are_read() {
        for text in [
            r#"{"a": 1, "b": [true, null, -1.5e3, "x\u00e9\n${c}"], "c": {}}"#,
            "// hi\n{ /* ho */ \"é\": [1, 2,], \"b\": {\"c\": 0,}, }\n// end",
            "[]",
            "\"only\"",
        ] {
            assert!(same(text), "{text}");
        }
        let wide: Vec<String> = (0..40).map(|i| format!("\"k{i}\": {i}")).collect();
        assert!(same(&format!("{{{}}}", wide.join(","))));
    }

    #[test]
    fn of_others_there_is_something_to_say() {
        for text in [
            "",
            "{",
            "[1 2]",
            "{\"a\" 1}",
            "{\"a\": 1, \"a\": 2}",
            "{a: 1}",
            "['x']",
            "[1]]",
            "[01]",
            "[+1]",
            "{\"a\":,}",
            "[,]",
            "{,}",
            "\"open",
            "[1e]",
            "nul",
            "{\"a\": }",
        ] {
            assert!(!same(text), "{text}");
        }
        assert!(!same(&format!("{}{}", "[".repeat(200), "]".repeat(200))));
    }

    proptest! {
        #[test]
        fn both_ways_give_the_same(parts in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"\\u0041\"", "1", "-2.5", "true", "null", " ", "\n",
                "// x\n", "/* y */", "{\"a\": 1}", "[1, 2]", "word", "'q'", "\"é\"",
            ]),
            0..14,
        )) {
            same(&parts.concat());
        }
    }
}
