//! Customers in namespaces of their own.

use pop_compiler::agenda::Agenda;
use pop_sdk::api::{AgendaState, Customer, FailureClass, SubmitRequest};
use pop_sdk::client::{Client, Run};
use serde_json::{Value, json};

use crate::farm::{Farm, class_and_code, ended, executing, free_port, only, script};

const CUSTOMERS: [&str; 2] = ["acme", "globex"];

/// Creates both customers, each with a namespace.
async fn customers(farm: &Farm, client: &Client) {
    for name in CUSTOMERS {
        let customer = Customer { id: name.into(), pool: "default".into(), ..Customer::default() };
        client.put("customers", name, &customer).await.expect("a customer");
        farm.create_namespace(&space(farm, name)).await;
    }
}

fn space(farm: &Farm, customer: &str) -> String {
    format!("{}-{customer}", farm.namespace)
}

async fn submit(client: &Client, customer: &str, agenda: Agenda) -> Run {
    let customer = Some(customer.to_owned());
    client
        .submit(SubmitRequest { agenda: Some(agenda), customer, ..SubmitRequest::default() })
        .await
        .expect("accepted")
}

/// The agendas of the pods in a namespace.
async fn agendas(farm: &Farm, namespace: &str) -> Vec<String> {
    let text = farm.kubectl(&["get", "pods", "-n", namespace, "-o", "json"]).await;
    let list: Value = serde_json::from_str(&text).expect("JSON");
    let pods = list["items"].as_array().expect("a list");
    pods.iter()
        .map(|pod| pod["metadata"]["labels"]["pop.dev/agenda"].as_str().expect("a label").to_owned())
        .collect()
}

#[tokio::test]
async fn pods_run_in_the_namespace_of_their_customer() {
    let Some(farm) = Farm::new("customers").await else { return };
    let server = farm.server("127.0.0.1:0", "30s").await;
    let client = server.client();
    customers(&farm, &client).await;
    let namespaces = space(&farm, "{customer}");
    let more = ["--allow", "host_path"];
    let _agent = farm.agent_with(&farm.kubeconfig, &namespaces, &server.address, free_port(), &more);
    let marks = farm.marks();
    let mut spec = script(
        r#"until [ -e /marks/end ]; do sleep 0.1; done; echo "\"$CUSTOMER_ID\"" > "$POP_OUTPUT_FILE""#,
    );
    spec["kubernetes"] = json!({"volumes": [marks.volume()]});
    let mut runs = Vec::new();
    for name in CUSTOMERS {
        runs.push((name, submit(&client, name, only(spec.clone(), json!({}))).await));
    }
    for (_, run) in &runs {
        executing(run).await;
    }
    for (name, run) in &runs {
        assert_eq!(agendas(&farm, &space(&farm, name)).await, [run.id()], "the pods of {name}");
    }
    assert!(farm.pods().await.is_empty());
    marks.write("end");
    for (name, run) in &runs {
        let view = ended(run).await;
        assert_eq!(
            (view.state, view.operations[0].output.clone()),
            (AgendaState::Succeeded, Some(json!(name)))
        );
    }
}

/// An agent whose account may work in one namespace: the other one is closed, and says so to its customer. The first
/// customer notices nothing.
#[tokio::test]
async fn an_agent_with_rights_in_one_namespace_reaches_no_other() {
    let Some(farm) = Farm::new("closed").await else { return };
    let server = farm.server("127.0.0.1:0", "30s").await;
    let client = server.client();
    customers(&farm, &client).await;
    let (own, other) = (space(&farm, "acme"), space(&farm, "globex"));
    let account = farm.account(&own, &farm.role().await).await;
    for what in ["pods", "secrets"] {
        let refused = farm.try_kubectl(&account, &["get", what, "-n", &other], "").await;
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && text.contains("Forbidden"), "{text}");
    }
    let refused = farm.try_kubectl(&account, &["get", "secrets", "-n", &own], "").await;
    assert!(!refused.status.success(), "an agent reads no secret");

    let namespaces = space(&farm, "{customer}");
    let _agent = farm.agent_with(&account, &namespaces, &server.address, free_port(), &[]);
    let there = submit(&client, "globex", only(script("true"), json!({}))).await;
    let here = submit(&client, "acme", only(script("true"), json!({}))).await;
    let view = ended(&here).await;
    assert_eq!(view.state, AgendaState::Succeeded, "{:?}", view.failure);
    let view = ended(&there).await;
    assert_eq!(class_and_code(&view.operations[0]), (FailureClass::Config, "RightMissing"));
    let message = &view.failure.expect("a failure").message;
    assert!(message.contains(&format!("namespace \"{other}\"")), "{message}");
    assert!(agendas(&farm, &other).await.is_empty());
}
