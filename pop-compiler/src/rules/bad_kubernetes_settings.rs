//! `bad-kubernetes-settings`: settings that contradict each other.

use super::{
    Places, Rule, bad_duration, bad_kubernetes_name, bad_quantity, bad_volume, escaped, reserved_name,
};
use crate::agenda::{KubernetesSpec, RunSpec, Stdout, TaintEffect, Toleration, TolerationOperator};
use crate::diagnostic::{Diagnostic, Severity, shorten};
use crate::{duration, quantity};

pub(crate) const RULE: Rule = Rule {
    id: "bad-kubernetes-settings",
    severity: Severity::Error,
    summary: "settings for Kubernetes that contradict each other",
    explanation: "An operation type with an `image` runs on Kubernetes. With `command`, the command runs in the image, under POP. Without, the image's own entry point runs: \
`args` are its arguments, and `stdin` and `stdout` have no effect. `kubernetes`, `secrets` and `args` have no effect without `image`.",
    bad: r#"[workflow]
name = "example"

[catalog."media.encode"]
command = ["encode"]
kubernetes = { gpu = 1 }

[operations.encode]
uses = "media.encode"
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.encode"]
image = "registry.example.com/encode:7"
command = ["encode"]
kubernetes = { gpu = 1 }

[operations.encode]
uses = "media.encode"
"#,
    absence: false,
    allowable: false,
};

/// The resource behind the key `gpu`.
const GPU: &str = "nvidia.com/gpu";

/// Reports all faults in how an operation type runs, apart from those of its image.
pub(crate) fn check(run: &RunSpec, places: &dyn Places, add: &mut dyn FnMut(Diagnostic)) {
    reserved_name::variables(run, places, add);
    bad_kubernetes_name::check_variables(run, places, add);
    combinations(run, places, add);
    if let Some(spec) = &run.kubernetes {
        pod(spec, places, add);
    }
}

/// What depends on `image` and `command`.
fn combinations(run: &RunSpec, places: &dyn Places, add: &mut dyn FnMut(Diagnostic)) {
    let (image, command) = (places.has("/image"), places.has("/command"));
    let mut without_image = |key: &'static str, pointer: &str| {
        if places.has(pointer) && !image {
            let message = format!("`{}` has no effect without `image`", places.name(key));
            let finding = RULE.at(places.key(pointer), message).label("only for images");
            add(finding.help("add an `image`, in which the operation runs on Kubernetes"));
        }
    };
    without_image("kubernetes", "/kubernetes");
    without_image("secretEnv", "/secretEnv");
    if !command {
        without_image("args", "/args");
    }
    if places.has("/args") && command {
        let message = "`args` has no effect beside `command`: `args` are for the image's own entry point";
        let finding = RULE.at(places.key("/args"), message).label("beside `command`");
        add(finding.also(places.key("/command"), "the program").help("append the arguments to `command`"));
    }
    if image && !command {
        let stdout = run.stdout != Stdout::Log;
        for key in ["stdin", "stdout"] {
            let pointer = format!("/{key}");
            if places.has(&pointer) && (key == "stdin" || stdout) {
                let message = format!("`{key}` has no effect on the image's own entry point");
                let finding = RULE.at(places.key(&pointer), message).label("needs `command`");
                add(finding.help("add the program as `command`; POP then runs the program in the image"));
            }
        }
    }
    for name in run.secret_env.keys().filter(|name| run.env.contains_key(*name)) {
        let pointer = format!("/secretEnv/{}", escaped(name));
        let message = format!("the variable `{}` has two values", shorten(name));
        let first = places.key(&format!("/env/{}", escaped(name)));
        add(RULE.at(places.key(&pointer), message).label("from a secret").also(first, "a plain value"));
    }
}

/// The settings of the pod.
fn pod(spec: &KubernetesSpec, places: &dyn Places, add: &mut dyn FnMut(Diagnostic)) {
    bad_kubernetes_name::check(spec, places, add);
    reserved_name::labels(spec, places, add);
    bad_volume::check(spec, places, add);
    if let Some(storage) = &spec.ephemeral_storage {
        bad_quantity::check(places.value("/kubernetes/ephemeralStorage"), storage)
            .into_iter()
            .for_each(&mut *add);
    }
    for (name, amount) in &spec.resources {
        let at = places.value(&format!("/kubernetes/resources/{}", escaped(name)));
        match quantity::millis(amount) {
            Ok(millis) if millis % 1000 != 0 => {
                let message = format!(
                    "invalid amount `{}` of `{}`: expected a whole number",
                    shorten(amount),
                    shorten(name)
                );
                add(RULE.at(at, message).label("not whole"));
            }
            _ => bad_quantity::check(at, amount).into_iter().for_each(&mut *add),
        }
    }
    if spec.gpu.is_some() && spec.resources.contains_key(GPU) {
        let at = places.key(&format!("/kubernetes/resources/{}", escaped(GPU)));
        let finding = RULE.at(at, format!("`gpu` and `{GPU}` are the same resource")).label("given twice");
        add(finding.also(places.key("/kubernetes/gpu"), "first given here").help("keep one of them"));
    }
    if let Some(grace) = &spec.grace
        && let Err(why) = duration::parse(grace)
    {
        add(bad_duration::at(places.value("/kubernetes/grace"), grace, &why.to_string()));
    }
    if let Some(affinity) = spec.affinity.as_ref().filter(|affinity| !affinity.is_object()) {
        let message = format!("invalid affinity `{}`: expected an object", shorten(&affinity.to_string()));
        add(RULE.at(places.value("/kubernetes/affinity"), message).label("expected an object"));
    }
    if spec.privileged && !spec.capabilities.is_empty() {
        let message =
            "`capabilities` has no effect beside `privileged`: a privileged container has all capabilities";
        let finding = RULE.at(places.key("/kubernetes/capabilities"), message).label("no effect");
        add(finding.also(places.key("/kubernetes/privileged"), "all rights").help("keep one of them"));
    }
    for (i, one) in spec.tolerations.iter().enumerate() {
        toleration(one, &format!("/kubernetes/tolerations/{i}"), places, add);
    }
}

fn toleration(one: &Toleration, at: &str, places: &dyn Places, add: &mut dyn FnMut(Diagnostic)) {
    let exists = one.operator == Some(TolerationOperator::Exists);
    if exists && one.value.as_ref().is_some_and(|value| !value.is_empty()) {
        let message = "invalid toleration: `Exists` accepts any value";
        let finding = RULE.at(places.key(&format!("{at}/value")), message).label("no effect");
        add(finding.help("remove the value, or use the operator `Equal`"));
    }
    let unread = |key: &str| places.unread(&format!("{at}/{key}"));
    let every = one.key.as_deref().unwrap_or_default().is_empty() && !unread("key");
    if every && !exists && !unread("operator") {
        let message = "invalid toleration: without a key, the operator must be `Exists`";
        let finding = RULE.at(places.value(at), message).label("no key");
        add(finding.help("add a `key`, or `operator = \"Exists\"` for every taint"));
    }
    let leaves = one.effect == Some(TaintEffect::NoExecute) || unread("effect");
    if one.toleration_seconds.is_some() && !leaves {
        let message = "invalid toleration: a number of seconds needs the effect `NoExecute`";
        let finding = RULE.at(places.key(&format!("{at}/tolerationSeconds")), message).label("no effect");
        add(finding.help("use `effect = \"NoExecute\"`, or remove the number"));
    }
}
