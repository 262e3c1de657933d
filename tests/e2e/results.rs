//! The output of a real program matches its declaration, or the operation fails with the reason.

use pop_sdk::api::{AgendaState, FailureClass, OperationState};
use serde_json::{Value, json};

use crate::support::{Service, code, history, pop, stderr};

/// A workflow in a file of its own.
struct Flow {
    folder: tempfile::TempDir,
}

impl Flow {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("f.pop.toml"), format!("[workflow]\nname = \"f\"\n\n{text}"))
            .unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// Runs the workflow with these arguments; returns the exit code, the report and the messages.
    async fn run(&self, arguments: &[&str]) -> (Option<i32>, Value, String) {
        let (report, flow) = (self.path("report.json"), self.path("f.pop.toml"));
        let output = pop(&[&["run", &flow, "--report", &report], arguments].concat()).await;
        let report = std::fs::read(report).unwrap_or_default();
        (code(&output), serde_json::from_slice(&report).unwrap_or_default(), stderr(&output))
    }

    /// The outputs of a run that succeeds.
    async fn outputs(&self, arguments: &[&str]) -> Value {
        let (code, report, said) = self.run(arguments).await;
        assert_eq!(code, Some(0), "{said}");
        report["outputs"].clone()
    }
}

fn operation<'r>(report: &'r Value, name: &str) -> &'r Value {
    let operations = report["operations"].as_array().expect("a report has operations");
    operations.iter().find(|o| o["name"] == name).expect("it is reported")
}

const NUMBER: &str = r#"
[catalog."t.number"]
output  = { n = "int", at = "datetime?" }
command = ["echo", '{"n": "three"}']
stdout  = "json"

[operations.number]
uses = "t.number"

[operations.reader]
uses = "pop.log"
with = { message = "${number.n}" }

[outputs]
n = "${number.n}"
"#;

#[tokio::test]
async fn a_wrong_output_fails_where_it_comes_from() {
    let (code, report, said) = Flow::new(NUMBER).run(&[]).await;
    assert_eq!(code, Some(3), "{said}");
    let failure = &operation(&report, "number")["failure"];
    assert_eq!(failure["code"], "OutputInvalid");
    assert_eq!(failure["mismatch"], json!({ "field": "n", "expected": "int", "found": "\"three\"" }));
    assert!(said.contains("`n` is \"three\", expected `int`"), "{said}");
    assert!(said.contains("skipped: `number`, which it needs, failed"), "{said}");
}

#[tokio::test]
async fn a_server_and_its_clients_see_the_same_failure() {
    let flow = Flow::new(NUMBER);
    let (database, work) = (flow.path("pop.db"), flow.path("work"));
    let service =
        Service::start(&["dev", "--listen", "127.0.0.1:0", "--database", &database, "--work-dir", &work])
            .await;
    let submitted = pop(&["submit", &flow.path("f.pop.toml"), "--server", &service.address]).await;
    assert_eq!(code(&submitted), Some(0), "{}", stderr(&submitted));
    let client = service.client();
    let run =
        client.attach(crate::support::stdout(&submitted).split_whitespace().next().unwrap()).await.unwrap();
    history(&run).await;
    let ended = run.view().await.unwrap();
    assert_eq!(ended.state, AgendaState::Failed);
    let failure = ended.failure.expect("it says why");
    assert_eq!((failure.operation.as_deref(), failure.class), (Some("number"), FailureClass::User));
    let mismatch = failure.mismatch.expect("and what");
    assert_eq!((failure.code.as_str(), mismatch.expected.as_str()), ("OutputInvalid", "int"));
    assert_eq!(ended.operations[1].state, OperationState::Skipped);
    service.stop().await;
}

#[tokio::test]
async fn no_output_is_missing_and_no_reader_is_blamed() {
    for (declared, stdout, field) in
        [("{ out = { n = \"int\" } }", "log", "out"), ("{ found = \"list<path>\" }", "json", "found")]
    {
        let flow = Flow::new(&format!(
            "[catalog.\"t.nothing\"]\noutput = {declared}\ncommand = [\"echo\", \"{{}}\"]\nstdout = \"{stdout}\"\n\
             [operations.nothing]\nuses = \"t.nothing\"\n\
             [operations.reader]\nuses = \"pop.log\"\nwith = {{ message = \"${{nothing.{field}{}}}\" }}\n",
            if field == "out" { ".n" } else { "[0]" }
        ));
        let (code, report, said) = flow.run(&[]).await;
        assert_eq!(code, Some(3), "{said}");
        let failure = &operation(&report, "nothing")["failure"];
        assert_eq!(
            (&failure["code"], &failure["mismatch"]["field"]),
            (&json!("OutputMissing"), &json!(field))
        );
        assert_eq!(operation(&report, "reader")["state"], "skipped");
    }
}

#[tokio::test]
async fn what_can_not_be_read_is_told_beside_what_was_expected() {
    for (script, code, found) in
        [("true", "OutputMissing", "nothing"), ("echo {", "OutputInvalid", "invalid JSON")]
    {
        let flow = Flow::new(&format!(
            "[catalog.\"t.json\"]\noutput = {{ n = \"int\" }}\ncommand = [\"sh\", \"-c\", \"{script}\"]\nstdout = \"json\"\n\
             [operations.json]\nuses = \"t.json\"\n[outputs]\nn = \"${{json.n}}\"\n"
        ));
        let (_, report, _) = flow.run(&[]).await;
        let failure = &operation(&report, "json")["failure"];
        assert_eq!(failure["code"], code);
        assert_eq!(failure["mismatch"], json!({ "field": "", "expected": "{n: int}", "found": found }));
    }
}

#[tokio::test]
async fn what_is_printed_fills_the_only_field() {
    let flow = Flow::new(
        r#"
[catalog."t.text"]
output  = { name = "string" }
command = ["echo", "clip"]
stdout  = "text"

[catalog."t.plain"]
command = ["echo", "clip"]
stdout  = "text"

[catalog."t.count"]
output  = { count = "int" }
command = ["sh", "-c", "echo '  42 '"]
stdout  = "text"

[catalog."t.files"]
output  = { sizes = "list<int>" }
command = ["seq", "3"]
stdout  = "lines"

[operations]
text  = { uses = "t.text" }
plain = { uses = "t.plain" }
count = { uses = "t.count" }
files = { uses = "t.files" }

[outputs]
file  = "out/${text.name}.mp4"
plain = "${plain.text}"
count = "${count.count}"
sizes = "${files.sizes}"
"#,
    );
    let outputs = flow.outputs(&[]).await;
    let expected = json!({ "file": "out/clip.mp4", "plain": "clip", "count": 42, "sizes": [1, 2, 3] });
    assert_eq!(outputs, expected);
}

#[tokio::test]
async fn a_wrong_output_shows_no_secret() {
    let flow = Flow::new(
        "[inputs]\nt = \"secret<string>\"\n[catalog.\"t.leak\"]\ninput = { t = \"secret<string>\" }\noutput = { n = \"int\" }\nenv = { T = \"${with.t}\" }\n\
         command = [\"sh\", \"-c\", \"echo $T\"]\nstdout = \"text\"\n\
         [operations.leak]\nuses = \"t.leak\"\nwith = { t = \"${inputs.t}\" }\n[operations.after]\nuses = \"pop.log\"\nafter = \"leak\"\nwith = { message = \"x\" }\n",
    );
    for secret in ["hunter22", "a-longer-secret-than-fits-in-what-is-shown-of-a-value-0123456789"] {
        let (_, report, said) = flow.run(&["--set", &format!("t={secret}")]).await;
        let failure = &operation(&report, "leak")["failure"];
        assert_eq!(failure["mismatch"]["found"], "\"***\"", "{said}");
        assert!(!report.to_string().contains(&secret[..8]) && !said.contains(&secret[..8]), "{said}");
    }
}

#[tokio::test]
async fn what_a_pool_declares_of_a_type_holds_where_the_workflow_says_nothing() {
    let flow =
        Flow::new("[catalog.\"t.own\"]\n[operations.own]\nuses = \"t.own\"\n[outputs]\nall = \"${own}\"\n");
    let ops =
        "[operations.\"t.own\"]\ncommand = [\"echo\", \"x\"]\nstdout = \"text\"\noutput = { n = \"int\" }\n";
    std::fs::write(flow.path("ops.toml"), ops).unwrap();
    let (_, report, said) = flow.run(&["--catalog", &flow.path("ops.toml")]).await;
    assert_eq!(operation(&report, "own")["failure"]["code"], "OutputInvalid", "{said}");
}

#[tokio::test]
async fn every_failure_is_named_and_so_is_what_a_reference_lacks() {
    let flow = Flow::new(
        "[catalog.\"t.no\"]\ncommand = [\"false\"]\n[catalog.\"t.any\"]\ncommand = [\"echo\", \"{}\"]\nstdout = \"json\"\n\
         [operations]\none = { uses = \"t.no\" }\ntwo = { uses = \"t.no\" }\nany = { uses = \"t.any\" }\n\
         reader = { uses = \"pop.log\", with = { message = \"${any.deep.x}\" } }\n",
    );
    let (code, report, said) = flow.run(&["--quiet"]).await;
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("3 operations failed: `reader`, `one`, `two`"), "{said}");
    let message = operation(&report, "reader")["failure"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "cannot build the input: the output of `any` has no value at `/deep/x`. Give the reference a default behind `??` if the value may be absent."
    );
}

#[tokio::test]
async fn what_is_absent_is_no_argument() {
    let flow = Flow::new(
        r#"
[inputs]
flags = "list<string>?"
name  = "string?"

[catalog."t.show"]
input   = { flags = "list<string>?", name = "string?" }
command = ["printf", "[%s]", "start", "${with.flags}", "${with.name}", "end"]
stdout  = "text"

[operations.show]
uses = "t.show"
with = { flags = "${inputs.flags}", name = "${inputs.name}" }

[outputs]
shown = "${show.text}"
"#,
    );
    for (input, shown) in [
        ("{}", "[start][end]"),
        (r#"{"flags": []}"#, "[start][end]"),
        (r#"{"flags": ["-a", ""], "name": ""}"#, "[start][-a][][][end]"),
    ] {
        assert_eq!(flow.outputs(&["--input", input]).await, json!({ "shown": shown }), "{input}");
    }
}

#[tokio::test]
async fn an_image_is_no_program_of_this_machine() {
    let flow = Flow::new(
        "[catalog.\"t.clean\"]\nimage = \"registry.example.com/no/such:1\"\ncommand = [\"touch\", \"here\"]\n\
         [operations.clean]\nuses = \"t.clean\"\n",
    );
    let (code, report, said) = flow.run(&[]).await;
    assert_eq!(code, Some(3), "{said}");
    let failure = &operation(&report, "clean")["failure"];
    assert_eq!((&failure["class"], &failure["code"]), (&json!("config"), &json!("ImageNotSupported")));
    assert!(said.contains("--allow-host"), "{said}");
    let (code, _, said) = flow.run(&["--allow-host"]).await;
    assert_eq!(code, Some(0), "{said}");
    std::fs::write(flow.path("ops.toml"), "[operations.\"t.clean\"]\ncommand = [\"true\"]\n").unwrap();
    let (code, _, said) = flow.run(&["--catalog", &flow.path("ops.toml")]).await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test]
async fn a_skip_says_what_it_comes_from() {
    let flow = Flow::new(
        "[operations.sometimes]\nuses = \"pop.transform\"\nwhen = false\nwith = { value = { x = 1 } }\n\
         [operations.join]\nuses = \"pop.log\"\nwith = { message = \"${sometimes.x}\" }\n",
    );
    let (code, report, said) = flow.run(&[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("sometimes  skipped: the condition was false"), "{said}");
    assert!(said.contains("join  skipped: `sometimes`, whose output it needs, was skipped"), "{said}");
    assert_eq!(operation(&report, "join")["message"], "`sometimes`, whose output it needs, was skipped");
}
