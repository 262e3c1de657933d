//! The rights of an agent: those of the Role in `deploy/` are enough, and a missing one is named where people look.

use pop_sdk::api::{AgendaState, FailureClass};
use serde_json::{Value, json};

use crate::farm::{Farm, HANDLER, agenda, class_and_code, ended, free_port, only, script, until};
use crate::support::{pop, stdout};

/// All rights of a Role: verb, then resource.
fn rights(role: &[Value]) -> Vec<(String, String)> {
    let texts = |rule: &Value, key: &str| -> Vec<String> {
        serde_json::from_value(rule[key].clone()).expect("a list of texts")
    };
    let mut rights = Vec::new();
    for rule in role {
        for resource in texts(rule, "resources") {
            rights.extend(texts(rule, "verbs").into_iter().map(|verb| (verb, resource.clone())));
        }
    }
    rights
}

#[tokio::test]
async fn the_role_of_an_installation_is_enough() {
    let Some(farm) = Farm::new("least").await else { return };
    farm.handlers().await;
    let account = farm.account(&farm.namespace, &farm.role().await).await;
    let server = farm.server("127.0.0.1:0", "30s").await;
    let _agent = farm.agent_with(&account, &farm.namespace, &server.address, free_port(), &[]);
    let mut both = agenda(
        script("echo said"),
        vec![("shell".into(), json!({})), ("handler".into(), json!({"result": 1}))],
    );
    both.operations[1].kind = "h".into();
    both.params["pop.types"]["h"] = json!({"image": HANDLER});
    let run = server.client().submit_agenda(both).await.expect("accepted");
    let view = ended(&run).await;
    assert_eq!(view.state, AgendaState::Succeeded, "{:?}", view.failure);
    assert_eq!(view.operations[1].output, Some(json!(1)));
    farm.empty().await;
    let log = farm.agent_log();
    assert!(!log.contains("WARN"), "{log}");
}

#[tokio::test]
async fn a_missing_right_is_named() {
    let Some(farm) = Farm::new("missing").await else { return };
    let role = farm.role().await;
    let account = farm.account(&farm.namespace, &role).await;
    let server = farm.server("127.0.0.1:0", "30s").await;
    let rights = rights(&role);
    assert_eq!(rights.len(), 11, "{rights:?}");
    for (verb, resource) in &rights {
        farm.set_role(&farm.namespace, &without(&role, verb, resource)).await;
        farm.wait_for_right(verb, resource, false).await;
        let before = farm.agent_log().len();
        let agent = farm.agent_with(&account, &farm.namespace, &server.address, free_port(), &[]);
        let run = server.client().submit_agenda(only(script("true"), json!({}))).await.expect("accepted");
        let line = until(&format!("word of {verb} {resource}"), async || {
            let got = pop(&["get", run.id(), "--server", &server.address]).await;
            let text = farm.agent_log()[before..].to_owned() + &stdout(&got);
            let named = |line: &&str| names(line, verb, resource);
            text.lines().find(named).map(str::to_owned)
        })
        .await;
        println!("{verb} {resource}: {line}");
        // Without these two, no operation can run at all.
        if resource == "pods" && ["create", "list"].contains(&verb.as_str()) {
            let view = ended(&run).await;
            assert_eq!(class_and_code(&view.operations[0]), (FailureClass::Config, "RightMissing"));
        } else {
            run.cancel().await.expect("cancelled");
        }
        agent.kill().await;
    }
}

/// Whether a line tells that this right is missing.
fn names(line: &str, verb: &str, resource: &str) -> bool {
    // The API server's sentence, or the agent's list.
    let sentence = format!("cannot {verb} resource \"{resource}\"");
    let list = line.split("missing=").nth(1).unwrap_or_default();
    line.contains(&sentence)
        || list.trim_matches('"').split(", ").any(|right| right == format!("{verb} {resource}"))
}

fn without(role: &[Value], verb: &str, resource: &str) -> Vec<Value> {
    let keep = |rule: &Value| {
        let mut rule = rule.clone();
        if rule["resources"] == json!([resource]) {
            rule["verbs"].as_array_mut().expect("a list").retain(|own| own != verb);
        }
        rule
    };
    role.iter().map(keep).filter(|rule| rule["verbs"] != json!([])).collect()
}
