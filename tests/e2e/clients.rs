//! The generated Rust clients against a real `pop dev`. `tests/clients/run.sh` covers the clients in other languages.

#[path = "../clients/rust/flows/mod.rs"]
mod flows;

use futures_util::StreamExt as _;
use pop_compiler::agenda::AgendaTemplate;
use pop_sdk::api::{OperationState, Rerun};
use pop_sdk::client::Error;
use pop_sdk::client::typed::{Place, SubmitError, SubmitOptions, WaitError, Workflow as _};
use serde_json::{Value, json};

use crate::support::{Service, code, pop, stderr, stdout};
use flows::media_ladder::{
    Budget, Codec, Contact, Inputs, InputsRequired, Limit, LimitWord, Node, Rung, RungRequired,
};
use flows::{gate, greet, media_ladder};

struct Home {
    folder: tempfile::TempDir,
    server: Service,
}

impl Home {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Self::start(&folder, "127.0.0.1:0").await;
        Self { folder, server }
    }

    async fn start(folder: &tempfile::TempDir, listen: &str) -> Service {
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let (database, work) = (path("pop.db"), path("work"));
        Service::start(&["dev", "--listen", listen, "--database", &database, "--work-dir", &work]).await
    }

    /// Kills the service (kill -9), and starts it again at the same address.
    async fn restart(self) -> Self {
        let listen = self.server.listen().to_owned();
        self.server.kill().await;
        let server = Self::start(&self.folder, &listen).await;
        Self { server, ..self }
    }

    fn gate(&self) -> gate::Client {
        gate::Client::connect(&self.server.address).expect("a good address")
    }

    fn ladder(&self) -> media_ladder::Client {
        media_ladder::Client::connect(&self.server.address).expect("a good address")
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }
}

fn gate_inputs(file: &str, seconds: f64) -> gate::Inputs {
    gate::Inputs { file: file.to_owned(), seconds: Some(seconds) }
}

fn required(title: &str) -> InputsRequired {
    InputsRequired { source: "https://example.com/a.mov".into(), title: title.into() }
}

#[tokio::test]
async fn outputs_are_typed() {
    let home = Home::new().await;
    let rungs = vec![
        RungRequired { height: 720, type_: Codec::H264 }.into(),
        Rung { height: 1080, type_: Codec::H265, bitrate: Some(5) },
    ];
    let leaf = |name: &str| Node { name: name.into(), all: Vec::new(), left: None };
    let tree = Node { all: vec![leaf("b")], left: Some(Box::new(leaf("c"))), ..leaf("a") };
    let inputs = Inputs {
        rungs: Some(rungs.clone()),
        limit: Some(Limit::Int(7)),
        notify: Some(Contact { class: "ops".into(), mail: None }),
        tree: Some(tree.clone()),
        token: Some("secret".to_owned().into()),
        loud: Some(true),
        ..required("Ladder").into()
    };
    let client = home.ladder();
    let options = SubmitOptions { idempotency_key: Some("key".into()), customer: None };
    let run = client.submit_with(inputs.clone(), options.clone()).await.expect("accepted");
    assert_eq!(client.submit_with(inputs, options).await.expect("seen").id(), run.id());
    let outputs = run.wait().await.expect("outputs");
    assert_eq!(outputs.plans, ["720p h264 fast", "1080p h265 fast"]);
    assert_eq!(outputs.shout.as_deref(), Some("Ladder of https://example.com/a.mov!"));
    assert_eq!((outputs.limit, outputs.budget), (Limit::Int(7), Budget::Text("8Gi".into())));
    assert_eq!((outputs.priority, outputs.rungs), (media_ladder::Priority::N2, rungs));
    assert_eq!((outputs.contact.map(|c| c.class).as_deref(), outputs.tree), (Some("ops"), Some(tree)));

    let quiet = client.submit(required("T").into()).await.expect("accepted").wait().await.expect("outputs");
    assert_eq!((quiet.shout, quiet.limit), (None, Limit::LimitWord(LimitWord::None)));
    let hello = greet::Client::connect(&home.server.address).expect("a good address");
    let outputs = hello.submit(greet::Inputs {}).await.expect("accepted").wait().await.expect("outputs");
    assert_eq!(outputs, greet::Outputs { text: greet::Text::Hello, count: 3 });
}

#[tokio::test]
async fn a_watch_goes_through_a_restart() {
    let mut home = Home::new().await;
    let file = home.file("there");
    std::fs::write(&file, "found it").expect("written");
    let run = home.gate().submit(gate_inputs(&file, 0.5)).await.expect("accepted");
    let mut events = std::pin::pin!(run.watch());
    let (mut seqs, mut killed) = (Vec::new(), false);
    while let Some(event) = events.next().await {
        let event = event.expect("the watch goes on");
        seqs.push(event.seq);
        if !killed && event.operation.is_some_and(|o| o.state == OperationState::Executing) {
            home = home.restart().await;
            killed = true;
        }
    }
    assert!(killed);
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let outputs = run.wait().await.expect("outputs");
    assert_eq!((outputs.found.trim(), outputs.waited.to_string().as_str()), ("found it", "0.5"));
}

#[tokio::test]
async fn a_failure_says_where_and_a_rerun_goes_on_there() {
    let home = Home::new().await;
    let file = home.file("later");
    let run = home.gate().submit(gate_inputs(&file, 0.1)).await.expect("accepted");
    let error = run.wait().await.expect_err("the file is not there");
    assert!(error.to_string().contains("`look` (tests/clients/flows/gate.pop.toml:20:13) failed"), "{error}");
    let WaitError::Failed { failure, place } = error else { panic!("{error}") };
    assert_eq!((failure.code.as_str(), failure.operation.as_deref()), ("ExitCode", Some("look")));
    assert_eq!(place, Some(Place { file: "tests/clients/flows/gate.pop.toml".into(), line: 20, column: 13 }));

    std::fs::write(&file, "now").expect("written");
    let again = run.rerun(Rerun::Continue).await.expect("it has ended");
    let events: Vec<_> = again.watch().map(|event| event.expect("an event")).collect().await;
    assert!(events[0].seq > 1, "what was before is not told again");
    let anew = events[0].again.as_ref().expect("it says what begins anew");
    assert_eq!((&anew.reset[..], &anew.removed[..]), (&["look".to_owned()][..], &[][..]));
    let started =
        events.iter().filter_map(|e| e.operation.as_ref()).filter(|o| o.state == OperationState::Executing);
    assert_eq!(
        started.map(|o| o.name.as_str()).collect::<Vec<_>>(),
        ["look"],
        "what has succeeded does not run again"
    );
    assert_eq!(again.wait().await.expect("outputs").found, "now");
    let whole: Vec<_> = run.watch().map(|event| event.expect("an event").seq).collect().await;
    assert_eq!(whole, (1..=whole.len() as u64).collect::<Vec<_>>(), "a watch goes on behind the first end");

    let every = again.rerun(Rerun::All).await.expect("it has ended");
    assert_eq!(every.wait().await.expect("outputs").found, "now");
    let some = every.rerun(Rerun::Operations(vec!["look".into()])).await.expect("it has ended");
    assert_eq!(some.wait().await.expect("outputs").found, "now");
    let refused = some.rerun(Rerun::Continue).await.expect_err("nothing is left to run");
    assert!(matches!(refused, Error::Problem(problem) if problem.kind == "/problems/nothing-to-run"));
}

#[tokio::test]
async fn a_cancel_ends_it() {
    let home = Home::new().await;
    let run = home.gate().submit(gate_inputs("/nothing", 600.0)).await.expect("accepted");
    let mut events = std::pin::pin!(run.watch());
    while let Some(event) = events.next().await {
        if event.expect("an event").operation.is_some_and(|o| o.state == OperationState::Executing) {
            run.cancel().await.expect("asked for");
        }
    }
    assert!(matches!(run.wait().await, Err(WaitError::Cancelled)));
}

#[tokio::test]
async fn an_old_client_is_told() {
    let home = Home::new().await;
    let mut template: AgendaTemplate = serde_json::from_str(gate::Workflow::TEMPLATE).expect("a template");
    let server = home.server.client();
    let kept: Value = server.put("templates", "gate", &template).await.expect("kept");
    assert_eq!(kept["digest"], gate::Workflow::DIGEST);
    home.gate().submit(gate_inputs("/nothing", 0.0)).await.expect("it is the same");
    template.params["pop.inputs"]["properties"]["colour"] = json!({ "type": "string" });
    template.params["pop.inputs"]["required"] = json!(["file", "colour"]);
    server.put("templates", "gate", &template).await.expect("kept");
    let error = home.gate().submit(gate_inputs("/nothing", 0.0)).await.expect_err("it is old");
    assert!(error.to_string().contains("breaking inputs/colour: added"), "{error}");
    let SubmitError::StaleClient(stale) = error else { panic!("{error}") };
    assert_eq!(stale.fields(), ["inputs/colour"]);
}

#[tokio::test]
async fn the_command_line_saves_and_runs_again() {
    let home = Home::new().await;
    let server = home.server.address.as_str();
    let saved = pop(&["save", "tests/clients/flows/gate.pop.toml", "--server", server]).await;
    assert_eq!(code(&saved), Some(0), "{}", stderr(&saved));
    assert_eq!(stdout(&saved), format!("gate 1.0.0 {}\n", gate::Workflow::DIGEST));
    let file = home.file("later");
    let run = home.gate().submit(gate_inputs(&file, 0.0)).await.expect("the digest is the same");
    run.wait().await.expect_err("the file is not there");
    std::fs::write(&file, "now").expect("written");
    let again = pop(&["rerun", run.id(), "--server", server]).await;
    assert_eq!((code(&again), stdout(&again).as_str()), (Some(0), "look\n"), "{}", stderr(&again));
    assert_eq!(run.wait().await.expect("outputs").found, "now");
    let refused = pop(&["rerun", run.id(), "--from", "lok", "--server", server]).await;
    assert!(stderr(&refused).contains("did you mean `look`?"), "{}", stderr(&refused));
}
