//! Databases of earlier versions: all stored data reads as before.
//!
//! `databases/schema-N.sql` is the dump of a database by a program with schema `N` that was then killed. It holds
//! settings, a template, agendas of every state, a fan-out over an output, a rerun, and secrets under the key beside
//! the dump.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use pop_sdk::api::AgendaView;
use pop_sdk::client::ListQuery;
use serde_json::{Value, json};

use crate::support::{Service, history, root};

/// Creates the database of a dump, with its key.
fn restore(folder: &Path, name: &str) -> String {
    let dumps = root().join("tests/e2e/databases");
    let database = folder.join("pop.db");
    let dump = std::fs::read_to_string(dumps.join(format!("{name}.sql"))).unwrap();
    rusqlite::Connection::open(&database).unwrap().execute_batch(&dump).unwrap();
    let key = folder.join("pop.db.key");
    std::fs::copy(dumps.join(format!("{name}.key")), &key).unwrap();
    for file in [&database, &key] {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    database.to_string_lossy().into_owned()
}

async fn get(service: &Service, path: &str) -> Value {
    let answer = reqwest::get(format!("{}{path}", service.address)).await.unwrap();
    answer.error_for_status().unwrap().json().await.unwrap()
}

/// All data of a server: settings, templates, agendas with their operations, events of ended agendas.
async fn everything(service: &Service) -> Value {
    let client = service.client();
    let mut agendas = Vec::new();
    for AgendaView { id, .. } in client.list(&ListQuery::default()).await.unwrap().items {
        let run = client.attach(&id).await.unwrap();
        let view = run.view().await.unwrap();
        let events = if view.state.is_terminal() { history(&run).await } else { Vec::new() };
        let logs = get(service, &format!("/v1/agendas/{id}/logs")).await;
        agendas.push(json!({ "view": view, "events": events, "logs": logs }));
    }
    json!({
        "customers": get(service, "/v1/customers").await,
        "pools": get(service, "/v1/pools").await,
        "insights": get(service, "/v1/insights").await,
        "templates": get(service, "/v1/templates").await,
        "template": get(service, "/v1/templates/ok").await,
        "agendas": agendas,
    })
}

#[tokio::test]
async fn databases_of_earlier_schemas_read_as_before() {
    for schema in ["schema-5", "schema-6"] {
        reads_as_before(schema).await;
    }
}

async fn reads_as_before(schema: &str) {
    let folder = tempfile::tempdir().unwrap();
    let database = restore(folder.path(), schema);
    let service = Service::start(&["server", "--listen", "127.0.0.1:0", "--database", &database]).await;
    let read = everything(&service).await;
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!(format!("database-of-{schema}"), read);
    });
    service.stop().await;
}
