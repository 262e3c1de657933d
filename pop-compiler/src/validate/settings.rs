//! Checks of settings in `params`: of an operation, and of the whole agenda.

use serde::Deserialize as _;
use serde_json::Value;

use crate::agenda::{Operation, Params, RunSpec, keys};
use crate::diagnostic::{Diagnostic, Location};
use crate::retry::RetryPolicy;
use crate::rules::{Places, escaped};
use crate::{duration, quantity, reference, rules};

/// Checks one operation's settings. In a `template` a setting may still be a reference to an input.
pub(super) fn check(operation: &Operation, at: &str, template: bool, add: &mut dyn FnMut(Diagnostic)) {
    let settings = Settings { at: format!("{at}/params/"), params: &operation.params, template };
    settings.order(add);
    settings.when(add);
    settings.timeout(add);
    settings.retry(add);
    settings.resources(add);
    if !template && settings.get(keys::EACH).is_some() {
        let message = format!("`{}` has an effect in templates only", keys::EACH);
        add(settings
            .error("unknown-key", keys::EACH, message)
            .help("write one operation for each item, or submit a template"));
    }
}

/// Checks the settings of a whole agenda.
pub(super) fn check_agenda(params: &Params, at: &str, template: bool, add: &mut dyn FnMut(Diagnostic)) {
    let settings = Settings { at: format!("{at}/"), params, template };
    if let Some(value) = settings.get(keys::ON_FAILURE)
        && !matches!(value.as_str(), Some("continue" | "stop"))
    {
        let message = format!("invalid value {}: expected \"continue\" or \"stop\"", short(value));
        add(settings.error("type-mismatch", keys::ON_FAILURE, message));
    }
    let Some(types) = settings.get(keys::TYPES) else { return };
    let Some(types) = types.as_object() else {
        let message = format!("invalid value {}: expected an object of operation types", short(types));
        add(settings.error("wrong-shape", keys::TYPES, message));
        return;
    };
    for (kind, spec) in types {
        let pointer = format!("{}/{}", keys::TYPES, escaped(kind));
        match RunSpec::deserialize(spec) {
            Ok(run) => {
                let places = InAgenda { at: format!("{}{pointer}", settings.at), spec };
                if let Some(image) = &run.image {
                    rules::bad_image::in_agenda(places.value("/image"), image)
                        .into_iter()
                        .for_each(&mut *add);
                }
                rules::bad_kubernetes_settings::check(&run, &places, add);
            }
            Err(e) => add(settings.error(
                "wrong-shape",
                &pointer,
                format!("invalid run settings of type `{kind}`: {e}"),
            )),
        }
    }
}

/// The settings of an operation type in an agenda.
struct InAgenda<'a> {
    /// Pointer to the type.
    at: String,
    spec: &'a Value,
}

impl Places for InAgenda<'_> {
    fn has(&self, pointer: &str) -> bool {
        let value = self.spec.pointer(pointer);
        value.is_some_and(|value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()))
    }

    fn unread(&self, _: &str) -> bool {
        false
    }

    fn key(&self, pointer: &str) -> Location {
        self.value(pointer)
    }

    fn value(&self, pointer: &str) -> Location {
        Location::Pointer(super::shortened(format!("{}{pointer}", self.at)))
    }

    fn name(&self, key: &'static str) -> &'static str {
        key
    }
}

struct Settings<'a> {
    /// The pointer to the parameters, with a slash at the end.
    at: String,
    params: &'a Params,
    template: bool,
}

impl Settings<'_> {
    /// A setting that is present and known before the expansion.
    fn get(&self, key: &str) -> Option<&Value> {
        self.params.get(key).filter(|v| !v.is_null() && !self.is_open(v))
    }

    /// Whether a value is still a reference to an input.
    fn is_open(&self, value: &Value) -> bool {
        self.template && value.as_str().is_some_and(|text| !reference::tokens(text).is_empty())
    }

    fn error(&self, rule: &'static str, pointer: &str, message: String) -> Diagnostic {
        Diagnostic::error(rule, Location::Pointer(format!("{}{pointer}", self.at)), message)
    }

    fn order(&self, add: &mut dyn FnMut(Diagnostic)) {
        let help = "write the names with commas between them, or a list of names";
        match self.get(keys::DEPENDS_ON) {
            None | Some(Value::String(_)) => {}
            Some(Value::Array(names)) => {
                for (i, name) in names.iter().enumerate().filter(|(_, name)| !name.is_string()) {
                    let message = format!("invalid operation name {}: expected a string", short(name));
                    add(self.error("wrong-shape", &format!("{}/{i}", keys::DEPENDS_ON), message).help(help));
                }
            }
            Some(other) => {
                let message = format!("invalid value {}: expected a list of operations", short(other));
                add(self.error("wrong-shape", keys::DEPENDS_ON, message).help(help));
            }
        }
    }

    fn when(&self, add: &mut dyn FnMut(Diagnostic)) {
        match self.get(keys::WHEN) {
            None | Some(Value::Bool(_)) => {}
            Some(Value::String(text)) if reference::whole(text).is_some() => {}
            Some(other) => {
                let message =
                    format!("invalid condition {}: expected true, false or one reference", short(other));
                add(self.error("type-mismatch", keys::WHEN, message));
            }
        }
    }

    fn timeout(&self, add: &mut dyn FnMut(Diagnostic)) {
        match self.get(keys::TIMEOUT) {
            None => {}
            Some(Value::String(text)) if text.contains("@<") => {
                let message = "invalid timeout: references are not allowed, because a timeout is fixed \
                    before the agenda runs";
                add(self
                    .error("bad-duration", keys::TIMEOUT, message.to_owned())
                    .help("write a duration such as `2h`"));
            }
            Some(Value::String(text)) => match duration::parse(text) {
                Err(e) => add(self.error("bad-duration", keys::TIMEOUT, e.to_string())),
                Ok(length) if length.is_zero() => {
                    let at = Location::Pointer(format!("{}{}", self.at, keys::TIMEOUT));
                    add(rules::bad_duration::zero(at, "the timeout"));
                }
                Ok(_) => {}
            },
            Some(other) => {
                let message = format!("invalid duration {}: use a text such as \"2h\"", short(other));
                add(self.error("bad-duration", keys::TIMEOUT, message));
            }
        }
    }

    fn retry(&self, add: &mut dyn FnMut(Diagnostic)) {
        let Some(retry) = self.get(keys::RETRY) else { return };
        // Checked as far as it is known: what is filled in later is left out.
        let known = match retry {
            Value::Object(map) => Value::Object(
                map.iter().filter(|(_, v)| !self.is_open(v)).map(|(k, v)| (k.clone(), v.clone())).collect(),
            ),
            other => other.clone(),
        };
        if let Err(e) = RetryPolicy::from_value(&known) {
            add(self.error(e.rule, &format!("{}{}", keys::RETRY, e.pointer), e.message));
        }
    }

    fn resources(&self, add: &mut dyn FnMut(Diagnostic)) {
        let Some(resources) = self.get(keys::RESOURCES) else { return };
        let Some(map) = resources.as_object() else {
            let message =
                format!("invalid resources {}: expected an object with `cpu` and `memory`", short(resources));
            add(self.error("bad-quantity", keys::RESOURCES, message));
            return;
        };
        for (key, value) in map.iter().filter(|(_, v)| !v.is_null() && !self.is_open(v)) {
            let pointer = format!("{}/{}", keys::RESOURCES, key.replace('~', "~0").replace('/', "~1"));
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match key.as_str() {
                "cpu" => match quantity::millis(&text) {
                    Err(e) => add(self.error("bad-quantity", &pointer, e.to_string())),
                    Ok(millis) => {
                        let at = Location::Pointer(format!("{}{pointer}", self.at));
                        if let Some(finding) = rules::many_cores::report(at, &text, millis) {
                            add(finding);
                        }
                    }
                },
                "memory" => match quantity::bytes(&text) {
                    Err(e) => add(self.error("bad-quantity", &pointer, e.to_string())),
                    Ok(bytes) => {
                        let at = Location::Pointer(format!("{}{pointer}", self.at));
                        if let Some(finding) = rules::tiny_memory::report(at, &text, bytes) {
                            add(finding);
                        }
                    }
                },
                other => {
                    let message = format!("unknown resource `{other}`: use cpu or memory");
                    add(self.error("unknown-key", &pointer, message));
                }
            }
        }
    }
}

/// A value for a finding, shortened.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
