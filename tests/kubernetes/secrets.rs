//! What is secret stays secret: inputs, secret values and the tokens of shims are in no object of the cluster, in no log
//! and in no answer of the server.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::farm::{Farm, ended, executing, free_port, only, script, until};
use crate::support::{code, pop, stdout};

const PAYLOAD: &str = "marker-of-the-payload-7f3a";
const SECRET: &str = "marker-of-the-secret-91bc";

/// Unpacks what a shim leaves in its pod's termination message.
fn unpacked(message: &str) -> Option<String> {
    let packed = STANDARD.decode(message.trim()).ok()?;
    let mut text = String::new();
    flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_string(&mut text).ok()?;
    Some(text)
}

#[tokio::test]
async fn nothing_secret_is_seen_outside_of_the_program() {
    let Some(farm) = Farm::new("secrets").await else { return };
    let server = farm.server("127.0.0.1:0", "30s").await;
    // The pods of failed attempts stay, so that all that is left of them can be read.
    let _agent = farm.agent(&server.address, free_port(), &["--allow", "host_path", "--keep-failed", "10m"]);
    let marks = farm.marks();
    // The program checks that it has both values, says them, and fails with one of them in its message.
    let text = format!(
        r#"[ "$1" = {SECRET} ] && [ "$(echo "$PAYLOAD" | grep -c {PAYLOAD})" = 1 ] || exit 9
        echo "said: $1"; echo "also: $1" >&2
        echo "{{\"percent\": 5, \"message\": \"with $1\"}}" > "$POP_PROGRESS_FILE"
        until [ -e /marks/end ]; do sleep 0.1; done
        echo "{{\"message\": \"broken by $1\"}}" > "$POP_FAILURE_FILE"; exit 3"#
    );
    let mut spec = script(&text);
    spec["command"].as_array_mut().expect("a list").extend(["t", "${with.token}"].map(Into::into));
    spec["secrets"] = json!(["/token"]);
    spec["kubernetes"] = json!({"volumes": [marks.volume()]});
    let agenda = only(spec, json!({"token": SECRET, "note": PAYLOAD}));
    let run = server.client().submit_agenda(agenda).await.expect("accepted");
    executing(&run).await;
    until("progress", async || run.view().await.expect("a view").operations[0].message.clone()).await;
    let pod = farm.pods().await[0]["metadata"]["name"].as_str().expect("a name").to_owned();
    let namespace = farm.namespace.as_str();
    let token = farm.kubectl(&["exec", &pod, "-n", namespace, "--", "cat", "/pop/token/token"]).await;
    assert!(token.len() > 100, "a token");
    let running = farm.kubectl(&["get", "pods,events,secrets", "-n", namespace, "-o", "yaml"]).await;
    marks.write("end");
    let view = ended(&run).await;
    let failure = view.failure.clone().expect("it fails");
    assert_eq!(failure.exit_code, Some(3), "the program had its input: {failure:?}");

    let left = until("end of the container", async || {
        let pods = farm.pods().await;
        let ended = &pods[0]["status"]["containerStatuses"][0]["state"]["terminated"];
        ended["message"].as_str().map(str::to_owned)
    })
    .await;
    let outcome = unpacked(&left).expect("the shim left the outcome");
    assert!(outcome.contains("broken by"), "{outcome}");
    let over = farm.kubectl(&["get", "pods,events,secrets", "-n", namespace, "-o", "yaml"]).await;
    let logs = farm.kubectl(&["logs", &pod, "-n", namespace, "--all-containers"]).await;
    assert!(logs.contains("said: ") && logs.contains("also: "), "{logs}");
    let got = pop(&["get", run.id(), "--json", "--server", &server.address]).await;
    let told = pop(&["logs", run.id(), "--server", &server.address]).await;
    assert_eq!((code(&got), code(&told)), (Some(0), Some(0)));
    assert!(stdout(&told).contains("said: "));
    let history = serde_json::to_string(&crate::support::history(&run).await).expect("JSON");
    let places = [
        ("objects of a running pod", running),
        ("objects of an ended pod", over),
        ("the pod's log", logs),
        ("the termination message", outcome),
        ("pop get", stdout(&got)),
        ("pop logs", stdout(&told)),
        ("the history", history),
        ("the agent's log", farm.agent_log()),
    ];
    for (place, text) in &places {
        for (what, value) in [("payload", PAYLOAD), ("secret", SECRET), ("token", token.trim())] {
            // As it is, and as Kubernetes writes secrets.
            let forms = [value.to_owned(), STANDARD.encode(value)];
            assert!(!forms.iter().any(|form| text.contains(form)), "the {what} is in {place}: {text}");
        }
    }
}

/// A secret of the namespace reaches the program without POP.
#[tokio::test]
async fn a_secret_of_the_namespace_reaches_only_the_program() {
    let Some(farm) = Farm::new("secret-env").await else { return };
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vault"},
        "stringData": {"key": SECRET}});
    farm.apply(&farm.namespace, &secret).await;
    let server = farm.server("127.0.0.1:0", "30s").await;
    let _agent = farm.agent(&server.address, free_port(), &["--allow", "host_path"]);
    let marks = farm.marks();
    let text = format!(r#"[ "$KEY" = {SECRET} ] || exit 9; until [ -e /marks/end ]; do sleep 0.1; done"#);
    let mut spec = script(&text);
    // The script itself must not have the value.
    spec["command"][2] = text.replace(SECRET, r#""$(printf 'marker-of-the-%s' secret-91bc)""#).into();
    spec["secretEnv"] = json!({"KEY": "vault/key"});
    spec["kubernetes"] = json!({"volumes": [marks.volume()]});
    let run = server.client().submit_agenda(only(spec, json!({}))).await.expect("accepted");
    executing(&run).await;
    let pods = farm.kubectl(&["get", "pods,events", "-n", &farm.namespace, "-o", "yaml"]).await;
    marks.write("end");
    let view = ended(&run).await;
    assert_eq!(view.state, pop_sdk::api::AgendaState::Succeeded, "{:?}", view.failure);
    let view = serde_json::to_string(&view).expect("JSON");
    for text in [pods, view, farm.agent_log()] {
        assert!(!text.contains(SECRET) && !text.contains(&STANDARD.encode(SECRET)), "{text}");
    }
    farm.empty().await;
}
