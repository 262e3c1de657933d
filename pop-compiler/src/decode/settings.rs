//! `retry`, `timeout` and `resources`, of operations and of operation types: into canonical JSON.

use serde_json::{Map, Value as Json};

use super::{Decoder, quoted, take};
use crate::ast::Settings;
use crate::quantity::QuantityError;
use crate::retry::MOST_ATTEMPTS;
use crate::rules;
use crate::source::{Span, Spanned};
use crate::tree::{Node, Tree};
use crate::{duration, quantity};

const RETRY: &[&str] = &["attempts", "backoff", "on"];
const RESOURCES: &[&str] = &["cpu", "memory"];
/// Classes of failure that a retry can name.
const CLASSES: &[&str] = &["error", "evicted", "timeout"];

impl Decoder<'_> {
    /// `3`, or `{ attempts = 3, backoff = "10s..5m", on = ["error"] }`.
    pub(super) fn retry(&mut self, tree: Tree, settings: &mut Settings) {
        settings.retry = self.retry_of(tree, &mut settings.retry_on_timeout).map(Box::new);
    }

    fn retry_of(&mut self, tree: Tree, on_timeout: &mut Option<Span>) -> Option<Json> {
        if let Node::Number(_) = tree.node {
            let attempts = self.attempts(tree, "`retry`")?;
            return Some(Json::Object(Map::from_iter([("attempts".to_owned(), attempts)])));
        }
        if quoted(&tree.node).is_some_and(is_positive) {
            self.positive(tree, "`retry`");
            return None;
        }
        if !matches!(tree.node, Node::Table(_)) {
            return self.wrong_shape(&tree.node, tree.span, "`retry`", "a number of attempts, or a table");
        }
        let span = tree.span;
        let mut retry = Map::new();
        let (mut attempts, mut backoff, mut on) = (None, None, None);
        let mut given = false;
        let mut entries = self.table(tree, "`retry`")?;
        for i in 0..entries.len() {
            let value = take(&mut entries[i]);
            let mut key = entries[i].key.value.as_str();
            loop {
                match key {
                    "attempts" => {
                        given = true;
                        attempts = self.attempts(value, "`attempts`");
                    }
                    "backoff" => backoff = self.backoff(value),
                    "on" => on = Some(self.classes(value, on_timeout)),
                    _ => {
                        if let Some(meant) = self.unknown_key(&entries, i, &value, "`retry`", RETRY) {
                            key = meant;
                            continue;
                        }
                    }
                }
                break;
            }
        }
        if !given {
            self.out.push(rules::missing_key::report(span, "`retry`", "attempts", "attempts = 3"));
        }
        for (key, value) in [("attempts", attempts), ("backoff", backoff), ("on", on)] {
            retry.extend(value.map(|v| (key.to_owned(), v)));
        }
        Some(Json::Object(retry))
    }

    /// A number of attempts that [`crate::retry`] takes.
    fn attempts(&mut self, tree: Tree, what: &str) -> Option<Json> {
        let span = tree.span;
        let attempts = self.positive(tree, what)?;
        if attempts.as_u64().is_some_and(|n| n <= MOST_ATTEMPTS.into()) {
            return Some(attempts);
        }
        self.out.push(rules::wrong_shape::value(span, what, &format!("at most {MOST_ATTEMPTS}")));
        None
    }

    /// A whole number of at least 1.
    pub(super) fn positive(&mut self, tree: Tree, what: &str) -> Option<Json> {
        match tree.node {
            Node::Number(n) if n.as_str().parse::<u32>().is_ok_and(|n| n > 0) => Some(Json::Number(n)),
            Node::Number(_) => {
                self.out.push(rules::wrong_shape::value(tree.span, what, "a whole number from 1"));
                None
            }
            node => match quoted(&node).filter(|n| is_positive(*n)) {
                Some(number) => {
                    self.out.push(rules::wrong_shape::number_in_quotes(tree.span, what, number));
                    None
                }
                None => self.wrong_shape(&node, tree.span, what, "a whole number from 1"),
            },
        }
    }

    fn backoff(&mut self, tree: Tree) -> Option<Json> {
        let text = self.string(tree, "`backoff`")?;
        match duration::parse_range(&text.value) {
            Ok((min, max)) => {
                if min.is_zero() && !max.is_zero() {
                    self.out.push(rules::bad_duration::from_zero(&text));
                }
                Some(Json::String(text.value))
            }
            Err(why) => {
                self.out.push(rules::bad_duration::range(&text, &why.to_string()));
                None
            }
        }
    }

    fn classes(&mut self, tree: Tree, on_timeout: &mut Option<Span>) -> Json {
        if let Node::List(words) = &tree.node
            && words.is_empty()
        {
            let some = format!("at least one of {}", CLASSES.join(", "));
            self.out.push(rules::wrong_shape::value(tree.span, "`on`", &some));
        }
        let mut classes = Vec::new();
        for class in self.strings(tree, "`on`") {
            if CLASSES.contains(&class.value.as_str()) {
                if class.value == "timeout" {
                    *on_timeout = Some(class.span);
                }
                classes.push(Json::String(class.value));
            } else {
                self.out.push(rules::wrong_shape::word(&class, "`on`", CLASSES));
            }
        }
        Json::Array(classes)
    }

    pub(super) fn duration(&mut self, tree: Tree, what: &str) -> Option<Json> {
        if let Node::Number(number) = &tree.node {
            let text = Spanned::new(number.to_string(), tree.span);
            self.out.push(rules::bad_duration::without_unit(&text));
            return None;
        }
        let text = self.string(tree, what)?;
        match duration::parse(&text.value) {
            Ok(length) => {
                if length.is_zero() {
                    self.out.push(rules::bad_duration::zero(text.span, what));
                }
                Some(Json::String(text.value))
            }
            Err(why) => {
                self.out.push(rules::bad_duration::report(&text, &why.to_string()));
                None
            }
        }
    }

    /// `{ cpu = "4", memory = "8Gi" }`; plain numbers are fine.
    pub(super) fn resources(&mut self, tree: Tree) -> Option<Json> {
        let (mut cpu, mut memory) = (None, None);
        let mut entries = self.table(tree, "`resources`")?;
        for i in 0..entries.len() {
            let value = take(&mut entries[i]);
            let mut key = entries[i].key.value.as_str();
            loop {
                match key {
                    "cpu" => {
                        let span = value.span;
                        cpu = self.quantity(value, "`cpu`", quantity::millis).map(|(text, millis)| {
                            self.out.extend(rules::many_cores::report(span, &text, millis));
                            text
                        });
                    }
                    "memory" => {
                        let span = value.span;
                        memory = self.quantity(value, "`memory`", quantity::bytes).map(|(text, bytes)| {
                            self.out.extend(rules::tiny_memory::report(span, &text, bytes));
                            text
                        });
                    }
                    _ => {
                        if let Some(meant) = self.unknown_key(&entries, i, &value, "`resources`", RESOURCES) {
                            key = meant;
                            continue;
                        }
                    }
                }
                break;
            }
        }
        let both = [("cpu", cpu), ("memory", memory)];
        Some(Json::Object(both.into_iter().filter_map(|(k, v)| Some((k.to_owned(), v?.into()))).collect()))
    }

    /// A quantity as it was written, and what `read` makes of it.
    fn quantity(
        &mut self,
        tree: Tree,
        what: &str,
        read: fn(&str) -> Result<u64, QuantityError>,
    ) -> Option<(String, u64)> {
        let text = match &tree.node {
            Node::Number(n) => Spanned::new(n.to_string(), tree.span),
            _ => self.string(tree, what)?,
        };
        match read(&text.value) {
            Ok(amount) => Some((text.value, amount)),
            Err(why) => {
                self.out.push(rules::bad_quantity::report(&text, what, &why.to_string()));
                None
            }
        }
    }
}

fn is_positive(number: i64) -> bool {
    u32::try_from(number).is_ok_and(|n| n > 0)
}
