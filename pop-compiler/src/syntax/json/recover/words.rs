//! Texts, numbers and words, be they written as JSON wants them or not.

use super::Reader;
use crate::suggest;
use crate::syntax::json::strings;
use crate::syntax::json::tokens::{Kind, Quotes, Token};
use crate::syntax::rules;
use crate::tree::{Node, Text, Tree, number};

impl Reader<'_> {
    /// What a text says; its quotes may be wrong.
    pub(super) fn string(&mut self, token: &Token, quotes: Quotes) -> Text {
        let inner = &self.text[token.inner.clone()];
        let plain = !inner.contains(['"', '\\']);
        match quotes {
            Quotes::Right => {}
            Quotes::Other => {
                let mut finding = rules::syntax::report(
                    self.place(token),
                    "wrong quotes around a text: JSON uses double quotes",
                    "write `\"`",
                );
                if plain {
                    finding = finding.edit(self.place(token), format!("\"{inner}\""));
                }
                self.add(finding.read_on());
            }
            Quotes::NotOpened => {
                let span = self.span(token.start, token.start);
                self.fault(span, "missing opening quote of a text", "before the text", "\"");
            }
            Quotes::NotClosed => {
                let end = self.span(token.end, token.end);
                let finding =
                    rules::syntax::report(self.place(token), "missing closing quote of a text", "not closed");
                self.add(finding.edit(end, "\"").read_on());
            }
        }
        let (text, wrong) = strings::unescape(self.text, token.inner.clone());
        if let Some(first) = wrong.first() {
            let length = self.text[*first..token.end].chars().take(2).map(char::len_utf8).sum::<usize>();
            let span = self.span(*first, first + length);
            let finding =
                rules::syntax::report(span, "invalid escape", "write `\\\\` for a backslash").read_on();
            let edits = wrong.iter().map(|at| self.span(*at, *at));
            let finding = edits.fold(finding, |finding, span| finding.edit(span, "\\"));
            self.add(finding);
        }
        text
    }

    /// A value that is not in quotes.
    pub(super) fn word(&mut self) -> Tree {
        let first = self.tokens[self.at].clone();
        self.at += 1;
        let span = self.place(&first);
        let word = &self.text[first.start..first.end];
        let node = match word {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            "null" => Node::Null,
            _ => match strings::number_of(word) {
                Some(right) if right == word => number(word).map_or(Node::Error, Node::Number),
                Some(right) => {
                    let message = format!("invalid JSON number `{word}`");
                    self.fault(span, &message, &format!("write `{right}`"), &right);
                    number(&right).map_or(Node::Error, Node::Number)
                }
                None => return self.bare(first.start, word),
            },
        };
        Tree { node, span }
    }

    /// A text without quotes, or a word of another language.
    fn bare(&mut self, start: usize, word: &str) -> Tree {
        let mut end = start + word.len();
        let span = self.span(start, end);
        let known = match word.to_lowercase().as_str() {
            "true" => Some(("true", Node::Bool(true))),
            "false" => Some(("false", Node::Bool(false))),
            "null" | "none" | "nil" | "undefined" => Some(("null", Node::Null)),
            "nan" | "inf" | "infinity" | "-inf" | "-infinity" | "+infinity" => {
                let message = format!("invalid JSON number `{word}`");
                self.add(rules::syntax::report(span, &message, "only finite numbers are valid").read_on());
                return Tree { node: Node::Error, span };
            }
            _ => None,
        };
        if let Some((right, node)) = known {
            self.fault(
                span,
                &format!("unknown word `{word}`: JSON writes `{right}`"),
                "a word of another language",
                right,
            );
            return Tree { node, span };
        }
        if suggest::closest(word, ["true", "false", "null"]).is_some() {
            // it may be a text or one of these
            let finding =
                rules::syntax::report(span, "missing double quotes around a text", "without quotes");
            self.add(finding.read_on());
            return Tree { node: Node::Error, span };
        }
        // the words behind it on this line belong to it
        let line = self.tokens[self.at - 1].line;
        while self.kind(0) == Some(Kind::Word)
            && self.kind(1) != Some(Kind::Colon)
            && self.tokens[self.at].line == line
        {
            end = self.tokens[self.at].end;
            self.at += 1;
        }
        let (span, inner) = (self.span(start, end), &self.text[start..end]);
        let finding =
            rules::syntax::report(span, "missing double quotes around a text", "without quotes").read_on();
        let plain = !inner.contains(['\\', '\'', '“', '”', '‘', '’', '`']);
        self.add(if plain { finding.edit(span, format!("\"{inner}\"")) } else { finding });
        let text = Text::plain(inner.to_owned(), start);
        Tree { node: Node::String(text), span }
    }

    /// Goes over what follows a value on its line and is no key.
    pub(super) fn surplus(&mut self) {
        let Some(line) = self.at.checked_sub(1).map(|last| self.tokens[last].line) else { return };
        let stands = |reader: &Self| {
            let here = reader.tokens.get(reader.at).filter(|token| token.line == line);
            here.is_some_and(|token| matches!(token.kind, Kind::Text(_) | Kind::Word))
        };
        let key = matches!(self.kind(1), Some(Kind::Colon | Kind::Equals | Kind::Open(_)));
        // a key whose colon is missing has a value
        let pair = matches!(self.kind(0), Some(Kind::Text(_)))
            && matches!(self.kind(1), Some(Kind::Text(_) | Kind::Word));
        if self.comma_told || !stands(self) || key || pair {
            return;
        }
        let span = self.place(&self.tokens[self.at]);
        self.add(rules::syntax::report(
            span,
            "unexpected text: neither a key nor part of a value",
            "unexpected",
        ));
        while stands(self) && self.kind(1) != Some(Kind::Colon) {
            self.at += 1;
        }
    }
}
