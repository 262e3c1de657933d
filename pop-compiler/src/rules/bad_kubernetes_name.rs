//! `bad-kubernetes-name`: a name that Kubernetes refuses.

use super::{Places, Rule, escaped};
use crate::agenda::{KubernetesSpec, RunSpec};
use crate::diagnostic::{Diagnostic, Location, Severity, shorten};
use crate::source::Spanned;

pub(crate) const RULE: Rule = Rule {
    id: "bad-kubernetes-name",
    severity: Severity::Error,
    summary: "a name that Kubernetes refuses",
    explanation: "Names of objects (service accounts, secrets, claims, classes) have lower-case letters, digits, `-` and `.`, at most 253. A volume has no `.`, and at \
most 63 characters. The key of a label is `name` or `domain/name`; names and values of labels have at most 63 letters, digits, `-`, `_` and `.`. An extended resource needs a \
domain, such as `amd.com/gpu`. An environment variable has letters, digits, `_`, `-` and `.`, and does not begin with a digit. A secret's entry is written `secret/key`.",
    bad: r#"[workflow]
name = "example"

[catalog."media.encode"]
image = "registry.example.com/encode:7"
kubernetes = { service_account = "Encoder" }

[operations.encode]
uses = "media.encode"
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.encode"]
image = "registry.example.com/encode:7"
kubernetes = { service_account = "encoder" }

[operations.encode]
uses = "media.encode"
"#,
    absence: false,
    allowable: false,
};

/// A text that is not `secret/key`.
pub(crate) fn entry(text: &Spanned<String>) -> Diagnostic {
    RULE.at(
        text.span,
        format!("invalid entry of a secret `{}`: expected a secret and a key", shorten(&text.value)),
    )
    .label("expected `secret/key`")
    .help("write the name of the secret, `/` and the key of the entry, such as `registry/token`")
}

/// Reports invalid names of variables and secrets.
pub(super) fn check_variables(run: &RunSpec, places: &dyn Places, add: &mut dyn FnMut(Diagnostic)) {
    // the system takes other names, too
    let env = run.env.keys().filter(|_| places.has("/image")).map(|name| ("/env", name));
    for (table, name) in env.chain(run.secret_env.keys().map(|name| ("/secretEnv", name))) {
        if let Err(why) = variable(name) {
            let at = places.key(&format!("{table}/{}", escaped(name)));
            add(report(at, "environment variable", name, why));
        }
    }
    for (name, entry) in &run.secret_env {
        let at = || places.value(&format!("/secretEnv/{}", escaped(name)));
        if let Err(why) = subdomain(entry.secret()) {
            let lower = entry.secret().to_lowercase();
            let right = subdomain(&lower).is_ok().then(|| format!("{lower}/{}", entry.key()));
            let finding = report(at(), "secret", entry.secret(), why);
            add(super::written_at(finding, at(), &entry.to_string(), right));
        }
        if let Err(why) = secret_key(entry.key()) {
            add(report(at(), "key of a secret", entry.key(), why));
        }
    }
}

/// Reports invalid names in the settings of the pod, apart from those of volumes.
pub(super) fn check(spec: &KubernetesSpec, places: &dyn Places, add: &mut dyn FnMut(Diagnostic)) {
    let objects = [
        ("serviceAccount", "service account", &spec.service_account),
        ("priorityClass", "priority class", &spec.priority_class),
        ("runtimeClass", "runtime class", &spec.runtime_class),
    ];
    for (key, what, name) in objects {
        if let Some(name) = name {
            object(places.value(&format!("/kubernetes/{key}")), what, name, add);
        }
    }
    for (i, name) in spec.image_pull_secrets.iter().enumerate() {
        object(places.value(&format!("/kubernetes/imagePullSecrets/{i}")), "secret", name, add);
    }
    for (key, what, map) in
        [("nodeSelector", "label", &spec.node_selector), ("labels", "label", &spec.labels)]
    {
        for (name, value) in map {
            let at = format!("/kubernetes/{key}/{}", escaped(name));
            label_key(places.key(&at), &format!("key of a {what}"), name, add);
            label_value(places.value(&at), &format!("value of a {what}"), value, add);
        }
    }
    for name in spec.annotations.keys() {
        let at = places.key(&format!("/kubernetes/annotations/{}", escaped(name)));
        label_key(at, "key of an annotation", name, add);
    }
    for (i, toleration) in spec.tolerations.iter().enumerate() {
        let at = format!("/kubernetes/tolerations/{i}");
        if let Some(key) = toleration.key.as_deref().filter(|key| !key.is_empty()) {
            label_key(places.value(&format!("{at}/key")), "key of a taint", key, add);
        }
        if let Some(value) = &toleration.value {
            label_value(places.value(&format!("{at}/value")), "value of a taint", value, add);
        }
    }
    for name in spec.resources.keys() {
        resource(places.key(&format!("/kubernetes/resources/{}", escaped(name))), name, add);
    }
    for (i, name) in spec.capabilities.iter().enumerate() {
        capability(places.value(&format!("/kubernetes/capabilities/{i}")), name, add);
    }
}

fn report(at: Location, what: &str, name: &str, why: &str) -> Diagnostic {
    RULE.at(at, format!("invalid {what} `{}`: {why}", shorten(name))).label("invalid name")
}

/// Reports an invalid name of an object, with the name in lower case if that is valid.
pub(super) fn object(at: Location, what: &str, name: &str, add: &mut dyn FnMut(Diagnostic)) {
    if let Err(why) = subdomain(name) {
        let lower = name.to_lowercase();
        let right = subdomain(&lower).is_ok().then_some(lower);
        add(super::written_at(report(at.clone(), what, name, why), at, name, right));
    }
}

/// Reports an invalid name of a volume, as above.
pub(super) fn volume(at: Location, name: &str, add: &mut dyn FnMut(Diagnostic)) {
    if let Err(why) = dns_label(name) {
        let lower = name.to_lowercase();
        let right = dns_label(&lower).is_ok().then_some(lower);
        add(super::written_at(report(at.clone(), "name of a volume", name, why), at, name, right));
    }
}

fn label_key(at: Location, what: &str, name: &str, add: &mut dyn FnMut(Diagnostic)) {
    if let Err(why) = qualified(name) {
        add(report(at, what, name, why));
    }
}

fn label_value(at: Location, what: &str, value: &str, add: &mut dyn FnMut(Diagnostic)) {
    if let Err(why) = if value.is_empty() { Ok(()) } else { word(value) } {
        add(report(at, what, value, why));
    }
}

fn resource(at: Location, name: &str, add: &mut dyn FnMut(Diagnostic)) {
    if name.strip_prefix("hugepages-").is_some_and(|size| word(size).is_ok()) {
        return;
    }
    let Err(why) = qualified(name) else {
        if !name.contains('/') {
            let finding = report(at, "extended resource", name, "the name has no domain");
            add(match name.to_lowercase().as_str() {
                "gpu" | "gpus" | "nvidia" => {
                    finding.help("for `nvidia.com/gpu`, use the key `gpu` of `kubernetes`")
                }
                "cpu" | "memory" => finding.help(format!(
                    "use `resources = {{ {} = … }}` of the operation type",
                    name.to_lowercase()
                )),
                "ephemeral-storage" | "ephemeral_storage" => {
                    finding.help("use the key `ephemeral_storage` of `kubernetes`")
                }
                _ => finding.help("write the name with its domain, such as `amd.com/gpu`"),
            });
        }
        return;
    };
    add(report(at, "extended resource", name, why));
}

fn capability(at: Location, name: &str, add: &mut dyn FnMut(Diagnostic)) {
    let fits = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && !name.starts_with("CAP_")
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    if fits(name) {
        return;
    }
    let upper = name.to_uppercase();
    let upper = upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned();
    let right = fits(&upper).then_some(upper);
    let why = "capabilities are in upper case, without `CAP_`, such as `NET_ADMIN`";
    add(super::written_at(report(at.clone(), "capability", name, why), at, name, right));
}

type Verdict = Result<(), &'static str>;

/// A DNS-1123 subdomain.
fn subdomain(name: &str) -> Verdict {
    if name.is_empty() {
        return Err("the name is empty");
    }
    if name.len() > 253 {
        return Err("a name has at most 253 characters");
    }
    if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.') {
        return Err("a name may contain only lower-case letters, digits, `-` and `.`");
    }
    if name.split('.').any(|part| part.is_empty() || part.starts_with('-') || part.ends_with('-')) {
        return Err("each part must begin and end with a lower-case letter or a digit");
    }
    Ok(())
}

/// A DNS-1123 label.
fn dns_label(name: &str) -> Verdict {
    if name.contains('.') {
        return Err("a name may contain only lower-case letters, digits and `-`");
    }
    if name.len() > 63 {
        return Err("a name has at most 63 characters");
    }
    subdomain(name)
}

/// The name part of a label's key, or a value of a label.
fn word(text: &str) -> Verdict {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    if text.is_empty() {
        return Err("the name is empty");
    }
    if text.len() > 63 {
        return Err("at most 63 characters are allowed");
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err("only letters, digits, `-`, `_` and `.` are allowed");
    }
    if !edge(text.bytes().next()) || !edge(text.bytes().next_back()) {
        return Err("the first and the last character must be a letter or a digit");
    }
    Ok(())
}

/// `name`, or `domain/name`.
fn qualified(key: &str) -> Verdict {
    match key.split_once('/') {
        None => word(key),
        Some((domain, name)) => subdomain(domain)
            .map_err(|_| "the part before `/` must be a domain, such as `example.com`")
            .and_then(|()| word(name)),
    }
}

fn variable(name: &str) -> Verdict {
    if name.is_empty() {
        return Err("the name is empty");
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("the first character must not be a digit");
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err("only letters, digits, `_`, `-` and `.` are allowed");
    }
    Ok(())
}

fn secret_key(key: &str) -> Verdict {
    if key.len() > 253 {
        return Err("a key has at most 253 characters");
    }
    if key == "." || key == ".." || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err("only letters, digits, `-`, `_` and `.` are allowed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(check: fn(&str) -> Verdict, good: &[&str], bad: &[&str]) {
        for name in good {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in bad {
            assert!(check(name).is_err(), "{name}");
        }
    }

    #[test]
    fn names_by_value() {
        let (long, longer) = ("a".repeat(63), "a".repeat(64));
        let (whole, more) = ("a".repeat(253), "a".repeat(254));
        judged(
            subdomain,
            &["a", "a-b.c1", "0", &whole],
            &["", "A", "a_b", "-a", "a-", ".a", "a.", "a..b", "a.-b", "é", &more],
        );
        judged(dns_label, &["a-b", &long], &["", "a.b", "A", &longer]);
        judged(word, &["a", "A_b-c.d", "0", &long], &["", "_a", "a-", "a b", "a/b", &longer]);
        judged(
            qualified,
            &["team", "example.com/Team_x", "k8s.io/a"],
            &["", "/a", "a/", "A.com/a", "a/b/c", "a.com/-b"],
        );
        judged(variable, &["A", "_a", "a.b-c", "PATH2"], &["", "2A", "A B", "A=B", "é"]);
        judged(secret_key, &["tls.crt", "A_b-c", ".x"], &[".", "..", "a b", &more]);
    }
}
