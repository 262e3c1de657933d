//! `bad-volume`: an invalid volume of a pod.

use std::collections::HashMap;

use super::{Places, Rule, bad_kubernetes_name, bad_quantity, reserved_name};
use crate::agenda::{KubernetesSpec, Volume};
use crate::diagnostic::{Diagnostic, Location, Severity, shorten};

pub(crate) const RULE: Rule = Rule {
    id: "bad-volume",
    severity: Severity::Error,
    summary: "an invalid volume of a pod",
    explanation: "A volume has a name, an absolute path in the container (`mount_path`) and exactly one source: `claim`, `config_map`, `secret`, `empty_dir` or `host_path`. \
Names and paths are unique within an operation type. `/pop` and the paths below belong to POP.",
    bad: r#"[workflow]
name = "example"

[catalog."media.encode"]
image = "registry.example.com/encode:7"

[[catalog."media.encode".kubernetes.volumes]]
name = "media"
mount_path = "/media"
claim = "media"
host_path = "/mnt/media"

[operations.encode]
uses = "media.encode"
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.encode"]
image = "registry.example.com/encode:7"

[[catalog."media.encode".kubernetes.volumes]]
name = "media"
mount_path = "/media"
claim = "media"

[operations.encode]
uses = "media.encode"
"#,
    absence: false,
    allowable: false,
};

const SOURCES: &str = "`claim`, `config_map`, `secret`, `empty_dir` or `host_path`";

/// Reports the faults of all volumes.
pub(super) fn check(spec: &KubernetesSpec, places: &dyn Places, add: &mut dyn FnMut(Diagnostic)) {
    let (mut names, mut paths) = (HashMap::new(), HashMap::new());
    for (i, volume) in spec.volumes.iter().enumerate() {
        let at = format!("/kubernetes/volumes/{i}");
        one(volume, &at, places, add);
        // an absent name or path was reported
        let path = normal(&volume.mount_path);
        for (key, what, text, seen) in [
            ("name", "the name", volume.name.as_str(), &mut names),
            ("mountPath", "the path", path, &mut paths),
        ] {
            if text.is_empty() {
                continue;
            }
            let place = places.value(&format!("{at}/{key}"));
            let Some(first) = seen.insert(text, place.clone()) else { continue };
            let message = format!("duplicate volume: another volume has {what} `{}`", shorten(text));
            add(RULE.at(place, message).label("used twice").also(first, "first used here"));
        }
    }
}

fn one(volume: &Volume, at: &str, places: &dyn Places, add: &mut dyn FnMut(Diagnostic)) {
    let name = format!("{at}/name");
    if !places.has(&name) {
        add(absent(places.value(at), "name", "name = \"media\""));
    } else if !places.unread(&name) {
        bad_kubernetes_name::volume(places.value(&name), &volume.name, add);
        reserved_name::volume(places.value(&name), &volume.name).into_iter().for_each(&mut *add);
    }
    let path = format!("{at}/mountPath");
    if !places.has(&path) {
        add(absent(places.value(at), "mount path", "mount_path = \"/media\""));
    } else if !places.unread(&path) {
        mount_path(places.value(&path), &volume.mount_path).into_iter().for_each(&mut *add);
    }
    if let Some(sub) = &volume.sub_path
        && (sub.starts_with('/') || leaves(sub))
    {
        let message =
            format!("invalid path in a volume `{}`: expected a relative path without `..`", shorten(sub));
        add(RULE.at(places.value(&format!("{at}/subPath")), message).label("invalid path"));
    }
    if let Some(host) = &volume.host_path
        && (!host.starts_with('/') || leaves(host))
    {
        let message =
            format!("invalid path of a node `{}`: expected an absolute path without `..`", shorten(host));
        add(RULE.at(places.value(&format!("{at}/hostPath")), message).label("invalid path"));
    }
    for (key, what, name) in [
        ("claim", "claim", &volume.claim),
        ("configMap", "config map", &volume.config_map),
        ("secret", "secret", &volume.secret),
    ] {
        if let Some(name) = name {
            bad_kubernetes_name::object(places.value(&format!("{at}/{key}")), what, name, add);
        }
    }
    if let Some(limit) = volume.empty_dir.as_ref().and_then(|dir| dir.size_limit.as_ref()) {
        bad_quantity::check(places.value(&format!("{at}/emptyDir/sizeLimit")), limit)
            .into_iter()
            .for_each(&mut *add);
    }
    let sources = ["claim", "configMap", "secret", "emptyDir", "hostPath"];
    let mut given = sources.iter().map(|source| format!("{at}/{source}")).filter(|source| places.has(source));
    match (given.next(), given.next()) {
        (Some(_), None) => {}
        (None, _) => {
            let message = format!("volume `{}` has no source", shorten(&volume.name));
            add(RULE.at(places.value(at), message).label("no source").help(format!("add one of {SOURCES}")));
        }
        (Some(first), Some(second)) => {
            let message = format!("volume `{}` has more than one source", shorten(&volume.name));
            let finding = RULE.at(places.key(&second), message).label("another source");
            add(finding.also(places.key(&first), "first source").help(format!("keep one of {SOURCES}")));
        }
    }
}

fn absent(at: Location, what: &str, example: &str) -> Diagnostic {
    RULE.at(at, format!("a volume has no {what}"))
        .label(format!("missing {what}"))
        .help(format!("add `{example}`"))
}

fn mount_path(at: Location, path: &str) -> Option<Diagnostic> {
    let why = match normal(path) {
        _ if !path.starts_with('/') => "expected an absolute path",
        _ if leaves(path) || path.contains("//") || path.split('/').any(|part| part == ".") => {
            "`.`, `..` and `//` are not allowed"
        }
        _ if path.contains([':', '\0']) => "`:` is not allowed",
        "" => "a volume cannot replace the whole file system",
        normal if normal == "/pop" || normal.starts_with("/pop/") => "`/pop` belongs to POP",
        _ => return None,
    };
    let finding = RULE.at(at, format!("invalid mount path `{}`: {why}", shorten(path)));
    Some(finding.label("invalid path"))
}

/// A path without slashes at its end.
fn normal(path: &str) -> &str {
    path.trim_end_matches('/')
}

/// Whether a path leads out of its folder.
fn leaves(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}
