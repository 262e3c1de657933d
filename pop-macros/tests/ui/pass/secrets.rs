#![deny(warnings)]

use pop_sdk::{Secret, operation, workflow};
use schemars::JsonSchema;
use serde::Deserialize;

#[operation("app.login", output = Session)]
#[derive(JsonSchema)]
pub struct Login {
    pub user: String,
    pub password: Secret<String>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Session {
    pub token: Secret<String>,
    pub user: String,
}

#[operation("app.fetch", output = Fetched)]
#[derive(JsonSchema)]
pub struct Fetch {
    pub token: Secret<String>,
    pub fallback: Option<Secret<String>>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Fetched {
    pub rows: Vec<String>,
}

workflow! {
    pub flow(user: String, password: Secret<String>, spare: Option<Secret<String>>) -> Vec<String> {
        let login = Login { user, password };
        let fetch = Fetch { token: login.token, fallback: spare };
        fetch.rows
    }
}

fn main() {
    let workflow = flow::compile();
    let inputs = flow::Inputs { user: "me".into(), password: "hunter2".to_owned().into(), spare: None };
    assert!(!format!("{inputs:?}").contains("hunter2"));
    assert_eq!(workflow.inputs_schema().unwrap()["properties"]["password"]["x-pop-secret"], true);
    let agenda = workflow.agenda(&inputs).unwrap();
    assert_eq!(agenda.operations[0].payload["password"], "hunter2");
}
