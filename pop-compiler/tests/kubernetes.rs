//! Settings for Kubernetes by value: the same faults in a file and in an agenda.

use pop_compiler::diagnostic::Location;
use pop_compiler::source::Source;
use pop_compiler::{Compiled, Format, Options, compile, validate};
use serde_json::{Value, json};

const IMAGE: &str = "image = \"registry.example.com/run:1\"\n";

fn file(settings: &str) -> Compiled {
    let text = format!(
        "[workflow]\nname = \"x\"\n[catalog.\"x.run\"]\n{settings}\n[operations.a]\nuses = \"x.run\"\n"
    );
    compile(Source::new("x.pop.toml", text), Format::Toml, &Options::default())
}

/// Rules and messages of a file.
fn in_file(settings: &str) -> Vec<(&'static str, String)> {
    file(settings).diagnostics.into_iter().map(|d| (d.rule, d.message)).collect()
}

/// Rules, messages and places (below the type) of an agenda.
fn in_agenda(spec: &Value) -> Vec<(&'static str, String, String)> {
    let agenda = json!({ "params": { "pop.types": { "x.run": spec } }, "operations": [{ "name": "a", "type": "x.run" }] });
    validate::agenda(&serde_json::from_value(agenda).unwrap())
        .into_iter()
        .map(|d| match d.primary.at {
            Location::Pointer(at) => {
                (d.rule, d.message, at.strip_prefix("/params/pop.types/x.run").unwrap().to_owned())
            }
            Location::Span(_) => panic!("an agenda has no text"),
        })
        .collect()
}

/// One fault of a type with an image: TOML, the same in an agenda, rule, and pointer in the agenda.
type Fault = (&'static str, Value, &'static str, &'static str);

fn faults() -> Vec<Fault> {
    let pod = |settings: Value| json!({ "kubernetes": settings });
    let volume = |settings: Value| json!({ "kubernetes": { "volumes": [settings] } });
    vec![
        (
            "kubernetes = { service_account = 'Runner' }",
            pod(json!({ "serviceAccount": "Runner" })),
            "bad-kubernetes-name",
            "/kubernetes/serviceAccount",
        ),
        (
            "kubernetes = { priority_class = 'very_high' }",
            pod(json!({ "priorityClass": "very_high" })),
            "bad-kubernetes-name",
            "/kubernetes/priorityClass",
        ),
        (
            "kubernetes = { runtime_class = '' }",
            pod(json!({ "runtimeClass": "" })),
            "bad-kubernetes-name",
            "/kubernetes/runtimeClass",
        ),
        (
            "kubernetes = { image_pull_secrets = ['a', 'B'] }",
            pod(json!({ "imagePullSecrets": ["a", "B"] })),
            "bad-kubernetes-name",
            "/kubernetes/imagePullSecrets/1",
        ),
        (
            "kubernetes = { labels = { 'a.com/team name' = 'x' } }",
            pod(json!({ "labels": { "a.com/team name": "x" } })),
            "bad-kubernetes-name",
            "/kubernetes/labels/a.com~1team name",
        ),
        (
            "kubernetes = { node_selector = { disk = 'fast disk' } }",
            pod(json!({ "nodeSelector": { "disk": "fast disk" } })),
            "bad-kubernetes-name",
            "/kubernetes/nodeSelector/disk",
        ),
        (
            "kubernetes = { annotations = { '_a' = 'any text' } }",
            pod(json!({ "annotations": { "_a": "any text" } })),
            "bad-kubernetes-name",
            "/kubernetes/annotations/_a",
        ),
        (
            "kubernetes = { resources = { gpu = 1 } }",
            pod(json!({ "resources": { "gpu": "1" } })),
            "bad-kubernetes-name",
            "/kubernetes/resources/gpu",
        ),
        (
            "kubernetes = { capabilities = ['CAP_SYS_NICE'] }",
            pod(json!({ "capabilities": ["CAP_SYS_NICE"] })),
            "bad-kubernetes-name",
            "/kubernetes/capabilities/0",
        ),
        ("env = { 'A B' = '1' }", json!({ "env": { "A B": "1" } }), "bad-kubernetes-name", "/env/A B"),
        (
            "secrets = { TOKEN = 'a/b c' }",
            json!({ "secretEnv": { "TOKEN": "a/b c" } }),
            "bad-kubernetes-name",
            "/secretEnv/TOKEN",
        ),
        (
            "command = ['x']\nargs = ['y']",
            json!({ "command": ["x"], "args": ["y"] }),
            "bad-kubernetes-settings",
            "/args",
        ),
        ("stdin = 'x'", json!({ "stdin": "x" }), "bad-kubernetes-settings", "/stdin"),
        ("stdout = 'json'", json!({ "stdout": "json" }), "bad-kubernetes-settings", "/stdout"),
        (
            "env = { A = '1' }\nsecrets = { A = 'a/b' }",
            json!({ "env": { "A": "1" }, "secretEnv": { "A": "a/b" } }),
            "bad-kubernetes-settings",
            "/secretEnv/A",
        ),
        (
            "kubernetes = { privileged = true, capabilities = ['SYS_NICE'] }",
            pod(json!({ "privileged": true, "capabilities": ["SYS_NICE"] })),
            "bad-kubernetes-settings",
            "/kubernetes/capabilities",
        ),
        (
            "kubernetes = { gpu = 1, resources = { 'nvidia.com/gpu' = 1 } }",
            pod(json!({ "gpu": 1, "resources": { "nvidia.com/gpu": "1" } })),
            "bad-kubernetes-settings",
            "/kubernetes/resources/nvidia.com~1gpu",
        ),
        (
            "kubernetes = { resources = { 'amd.com/gpu' = 0.5 } }",
            pod(json!({ "resources": { "amd.com/gpu": "0.5" } })),
            "bad-kubernetes-settings",
            "/kubernetes/resources/amd.com~1gpu",
        ),
        (
            "kubernetes = { tolerations = [{ value = 'a' }] }",
            pod(json!({ "tolerations": [{ "value": "a" }] })),
            "bad-kubernetes-settings",
            "/kubernetes/tolerations/0",
        ),
        (
            "kubernetes = { tolerations = [{ key = 'k', operator = 'Exists', value = 'a' }] }",
            pod(json!({ "tolerations": [{ "key": "k", "operator": "Exists", "value": "a" }] })),
            "bad-kubernetes-settings",
            "/kubernetes/tolerations/0/value",
        ),
        (
            "kubernetes = { tolerations = [{ key = 'k', toleration_seconds = 5 }] }",
            pod(json!({ "tolerations": [{ "key": "k", "tolerationSeconds": 5 }] })),
            "bad-kubernetes-settings",
            "/kubernetes/tolerations/0/tolerationSeconds",
        ),
        (
            "kubernetes = { volumes = [{ name = 'a', mount_path = '/a' }] }",
            volume(json!({ "name": "a", "mountPath": "/a" })),
            "bad-volume",
            "/kubernetes/volumes/0",
        ),
        (
            "kubernetes = { volumes = [{ name = 'a', mount_path = '/a', claim = 'a', empty_dir = {} }] }",
            volume(json!({ "name": "a", "mountPath": "/a", "claim": "a", "emptyDir": {} })),
            "bad-volume",
            "/kubernetes/volumes/0/emptyDir",
        ),
        (
            "kubernetes = { volumes = [{ mount_path = '/a', claim = 'a' }] }",
            volume(json!({ "mountPath": "/a", "claim": "a" })),
            "bad-volume",
            "/kubernetes/volumes/0",
        ),
        (
            "kubernetes = { volumes = [{ name = 'a', claim = 'a' }] }",
            volume(json!({ "name": "a", "claim": "a" })),
            "bad-volume",
            "/kubernetes/volumes/0",
        ),
        (
            "kubernetes = { volumes = [{ name = 'a.b', mount_path = '/a', claim = 'a' }] }",
            volume(json!({ "name": "a.b", "mountPath": "/a", "claim": "a" })),
            "bad-kubernetes-name",
            "/kubernetes/volumes/0/name",
        ),
        (
            "kubernetes = { volumes = [{ name = 'a', mount_path = '/a', secret = 'A_B' }] }",
            volume(json!({ "name": "a", "mountPath": "/a", "secret": "A_B" })),
            "bad-kubernetes-name",
            "/kubernetes/volumes/0/secret",
        ),
        (
            "kubernetes = { volumes = [{ name = 'a', mount_path = '/a', sub_path = '/b', claim = 'a' }] }",
            volume(json!({ "name": "a", "mountPath": "/a", "subPath": "/b", "claim": "a" })),
            "bad-volume",
            "/kubernetes/volumes/0/subPath",
        ),
        (
            "kubernetes = { volumes = [{ name = 'a', mount_path = '/a', host_path = 'b' }] }",
            volume(json!({ "name": "a", "mountPath": "/a", "hostPath": "b" })),
            "bad-volume",
            "/kubernetes/volumes/0/hostPath",
        ),
        (
            "kubernetes = { volumes = [{ name = 'a', mount_path = '/a', empty_dir = { size_limit = 'big' } }] }",
            volume(json!({ "name": "a", "mountPath": "/a", "emptyDir": { "sizeLimit": "big" } })),
            "bad-quantity",
            "/kubernetes/volumes/0/emptyDir/sizeLimit",
        ),
        (
            "kubernetes = { volumes = [{ name = 'a', mount_path = '/a', claim = 'a' }, { name = 'b', mount_path = '/a/', claim = 'b' }] }",
            pod(json!({ "volumes": [
                { "name": "a", "mountPath": "/a", "claim": "a" }, { "name": "b", "mountPath": "/a/", "claim": "b" }] })),
            "bad-volume",
            "/kubernetes/volumes/1/mountPath",
        ),
        (
            "kubernetes = { volumes = [{ name = 'a', mount_path = '/a', claim = 'a' }, { name = 'a', mount_path = '/b', claim = 'b' }] }",
            pod(json!({ "volumes": [
                { "name": "a", "mountPath": "/a", "claim": "a" }, { "name": "a", "mountPath": "/b", "claim": "b" }] })),
            "bad-volume",
            "/kubernetes/volumes/1/name",
        ),
        (
            "kubernetes = { ephemeral_storage = '20GB' }",
            pod(json!({ "ephemeralStorage": "20GB" })),
            "bad-quantity",
            "/kubernetes/ephemeralStorage",
        ),
        (
            "kubernetes = { resources = { 'amd.com/gpu' = 'one' } }",
            pod(json!({ "resources": { "amd.com/gpu": "one" } })),
            "bad-quantity",
            "/kubernetes/resources/amd.com~1gpu",
        ),
        ("kubernetes = { grace = '30' }", pod(json!({ "grace": "30" })), "bad-duration", "/kubernetes/grace"),
        (
            "kubernetes = { annotations = { 'pop.dev/agenda' = 'a' } }",
            pod(json!({ "annotations": { "pop.dev/agenda": "a" } })),
            "reserved-name",
            "/kubernetes/annotations/pop.dev~1agenda",
        ),
        (
            "kubernetes = { volumes = [{ name = 'pop', mount_path = '/a', claim = 'a' }] }",
            volume(json!({ "name": "pop", "mountPath": "/a", "claim": "a" })),
            "reserved-name",
            "/kubernetes/volumes/0/name",
        ),
        ("env = { CID = 'a' }", json!({ "env": { "CID": "a" } }), "reserved-name", "/env/CID"),
        (
            "secrets = { POP_TOKEN = 'a/b' }",
            json!({ "secretEnv": { "POP_TOKEN": "a/b" } }),
            "reserved-name",
            "/secretEnv/POP_TOKEN",
        ),
    ]
}

#[test]
fn a_file_and_an_agenda_have_the_same_faults() {
    for (toml, mut spec, rule, pointer) in faults() {
        spec["image"] = "registry.example.com/run:1".into();
        let agenda = in_agenda(&spec);
        let [(found, message, at)] = agenda.as_slice() else { panic!("{toml}: {agenda:?}") };
        assert_eq!((*found, at.as_str()), (rule, pointer), "{toml}");
        assert_eq!(in_file(&format!("{IMAGE}{toml}")), [(rule, message.clone())], "{toml}");
    }
}

#[test]
fn paths_in_containers() {
    for (path, good) in [
        ("/media", true),
        ("/popular", true),
        ("/a/pop", true),
        ("/a/", true),
        ("/", false),
        ("media", false),
        ("/pop", false),
        ("/pop/", false),
        ("/pop/in", false),
        ("/a/../pop", false),
        ("/a/./b", false),
        ("//a", false),
        ("/a:b", false),
        ("", false),
    ] {
        let volumes = json!([{ "name": "a", "mountPath": path, "claim": "a" }]);
        let found = in_agenda(&json!({ "image": "x:1", "kubernetes": { "volumes": volumes } }));
        assert_eq!(found.is_empty(), good, "{path}: {found:?}");
    }
}

#[test]
fn what_needs_an_image_says_so() {
    for (toml, spec, key) in [
        ("kubernetes = {}", json!({ "kubernetes": {} }), "/kubernetes"),
        ("secrets = { A = 'a/b' }", json!({ "secretEnv": { "A": "a/b" } }), "/secretEnv"),
        ("args = ['a']", json!({ "args": ["a"] }), "/args"),
    ] {
        let agenda = in_agenda(&spec);
        assert_eq!(agenda.len(), 1, "{toml}");
        assert_eq!((agenda[0].0, agenda[0].2.as_str()), ("bad-kubernetes-settings", key));
        assert_eq!(in_file(toml).len(), 1, "{toml}");
    }
    // an image that could not be read is there all the same
    assert_eq!(in_file("image = 5\nkubernetes = { gpu = 1 }").len(), 1);
    assert_eq!(in_agenda(&json!({ "command": [], "args": [], "image": "x:1" })), []);
}

#[test]
fn a_setting_of_the_wrong_form_is_one_finding() {
    for toml in [
        "kubernetes = { volumes = [{ name = 5, mount_path = '/a', claim = 'a' }] }",
        "kubernetes = { volumes = [{ name = 'a', mount_path = 5, claim = 'a' }] }",
        "kubernetes = { volumes = [{ name = 'a', mount_path = '/a', claim = 5 }] }",
        "kubernetes = { volumes = [{ name = 'a', mount_path = '/a', empty_dir = true }] }",
        "kubernetes = { volumes = { name = 'a' } }",
        "kubernetes = { tolerations = [{ key = 5 }] }",
        "kubernetes = { tolerations = [{ operator = 'Exist' }] }",
        "kubernetes = { tolerations = [{ key = 'a', effect = 'x', toleration_seconds = 5 }] }",
        "kubernetes = { gpu = -1 }",
        "kubernetes = { gpu = 1.5 }",
        "kubernetes = { privileged = 1 }",
        "kubernetes = { affinity = [] }",
        "kubernetes = { service_account = '${with.a}' }",
        "kubernetes = 'gpu'",
        "idempotent = 1",
        "secrets = { A = 'a' }",
        "secrets = ['A']",
    ] {
        let found = in_file(&format!("{IMAGE}{toml}"));
        assert_eq!(found.len(), 1, "{toml}: {found:?}");
    }
}

#[test]
fn right_forms_are_written_by_fixes() {
    for (wrong, right) in [
        ("kubernetes = { service_account = 'Runner' }", "kubernetes = { service_account = 'runner' }"),
        ("kubernetes = { capabilities = ['cap_sys_nice'] }", "kubernetes = { capabilities = ['SYS_NICE'] }"),
        ("secrets = { A = 'Registry/Token' }", "secrets = { A = 'registry/Token' }"),
        ("kubernetes = { ephemeral_storage = '20 GiB' }", "kubernetes = { ephemeral_storage = '20Gi' }"),
        ("kubernetes = { grace = '30 sec' }", "kubernetes = { grace = '30s' }"),
        ("kubernetes = { runtimeClassName = 'a' }", "kubernetes = { runtime_class = 'a' }"),
        ("kubernetes = { image_pull_policy = 'always' }", "kubernetes = { image_pull_policy = 'Always' }"),
        ("kubernetes = { gpu = '2' }", "kubernetes = { gpu = 2 }"),
        ("idempotent = 'true'", "idempotent = true"),
    ] {
        let compiled = file(&format!("{IMAGE}{wrong}"));
        assert_eq!(compiled.diagnostics.len(), 1, "{wrong}");
        let [edit] = compiled.diagnostics[0].fix.as_slice() else { panic!("{wrong}: no fix") };
        let text = format!("[workflow]\nname = \"x\"\n[catalog.\"x.run\"]\n{IMAGE}{wrong}\n");
        let mut fixed = text.clone();
        fixed.replace_range(edit.span.range(), &edit.replacement);
        assert_eq!(fixed, text.replace(wrong, right));
    }
}

#[test]
fn settings_reach_the_agenda() {
    let compiled = file(&format!(
        "{IMAGE}command = ['run']\nidempotent = true\nsecrets = {{ TOKEN = 'registry/token' }}\n\
         kubernetes = {{ gpu = 1, affinity = {{ b = 1, a = 2 }}, ephemeral_storage = 1000, image_pull_secrets = 'a' }}"
    ));
    assert_eq!(compiled.diagnostics, []);
    let expected = json!({
        "command": ["run"],
        "image": "registry.example.com/run:1",
        "secretEnv": { "TOKEN": "registry/token" },
        "kubernetes": {
            "affinity": { "a": 2, "b": 1 },
            "imagePullSecrets": ["a"],
            "ephemeralStorage": "1000",
            "gpu": 1
        },
        "idempotent": true
    });
    assert_eq!(compiled.agenda.unwrap().params["pop.types"]["x.run"], expected);
}

#[test]
fn an_agenda_with_an_invalid_image_is_refused() {
    let found = in_agenda(&json!({ "image": "My Image" }));
    assert_eq!((found[0].0, found[0].2.as_str()), ("bad-image", "/image"));
}
