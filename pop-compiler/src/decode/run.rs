//! `[run]`: how a run is treated.

use serde_json::{Map, Value as Json};

use super::{Decoder, quoted, take};
use crate::ast::Run;
use crate::source::Spanned;
use crate::tree::{Entry, Node, Tree};
use crate::{budget, rules};

const RUN: &[&str] = &[
    "priority",
    "deadline",
    "maximum_attempts",
    "on_failure",
    "link",
    "insight",
    "concurrency_key",
    "labels",
];

impl Decoder<'_> {
    pub(super) fn run(&mut self, tree: Tree) -> Run {
        let mut run = Run::default();
        let mut entries = self.table(tree, "`run`").unwrap_or_default();
        for i in 0..entries.len() {
            let value = take(&mut entries[i]);
            let mut key = entries[i].key.value.as_str();
            loop {
                match key {
                    "link" => run.link = Some(self.value(value)),
                    "insight" => run.insight = self.plain(value, "`insight`").map(|s| s.value),
                    "maximum_attempts" => run.maximum_attempts = self.positive(value, "`maximum_attempts`"),
                    "on_failure" => {
                        if let Some(word) = self.string(value, "`on_failure`") {
                            if ["continue", "stop"].contains(&word.value.as_str()) {
                                run.on_failure = Some(word.value);
                            } else {
                                let known = &["continue", "stop"];
                                self.out.push(rules::wrong_shape::word(&word, "`on_failure`", known));
                            }
                        }
                    }
                    "priority" => run.other.extend(self.whole(value, "`priority`").map(|n| ("priority", n))),
                    "deadline" => {
                        run.other.extend(self.duration(value, "`deadline`").map(|d| ("deadline", d)));
                    }
                    "concurrency_key" => {
                        let key = self.plain(value, "`concurrency_key`");
                        run.other.extend(key.map(|k| ("concurrencyKey", Json::String(k.value))));
                    }
                    "labels" => run.other.extend(self.labels(value).map(|l| ("labels", l))),
                    _ => {
                        if let Some(meant) = self.unknown_key(&entries, i, &value, "`run`", RUN) {
                            key = meant;
                            continue;
                        }
                    }
                }
                break;
            }
        }
        run.other.sort_by_key(|(key, _)| *key);
        run
    }

    fn whole(&mut self, tree: Tree, what: &str) -> Option<Json> {
        match tree.node {
            Node::Number(n) if n.as_str().parse::<i64>().is_ok() => Some(Json::Number(n)),
            Node::Number(_) => {
                self.out.push(rules::wrong_shape::value(tree.span, what, "a whole number"));
                None
            }
            node => match quoted(&node) {
                Some(number) => {
                    self.out.push(rules::wrong_shape::number_in_quotes(tree.span, what, number));
                    None
                }
                None => self.wrong_shape(&node, tree.span, what, "a whole number"),
            },
        }
    }

    /// A text in which a reference would stay what it is.
    pub(super) fn plain(&mut self, tree: Tree, what: &str) -> Option<Spanned<String>> {
        let text = self.string(tree, what)?;
        if text.value.split_once("${").is_some_and(|(_, rest)| rest.contains('}')) {
            self.out.push(rules::bad_expression::not_here(text.span, what));
            budget::enforce(self.out);
        }
        Some(text)
    }

    fn labels(&mut self, tree: Tree) -> Option<Json> {
        let mut labels: Vec<(String, Json)> = Vec::new();
        for Entry { key, value } in self.table(tree, "`labels`")? {
            let text = self.plain(value, "a label");
            labels.extend(text.map(|t| (key.value, Json::String(t.value))));
        }
        labels.sort_by(|a, b| a.0.cmp(&b.0));
        Some(Json::Object(labels.into_iter().collect::<Map<_, _>>()))
    }
}
