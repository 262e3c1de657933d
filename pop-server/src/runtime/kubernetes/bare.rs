//! Images that run as they are, by the contract of the original POP: the input comes in variables, and the handler
//! reports by two annotations of its own pod.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use pop_compiler::agenda::RunSpec;
use pop_sdk::api::{Failure, FailureClass};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::compat::FuturesAsyncReadCompatExt as _;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::digest::Digest;
use super::evidence;
use super::names;
use super::pods::Place;
use crate::run::{Masker, fail};
use crate::runtime::local::capture::{Captured, Log, Want, read};
use crate::runtime::local::command;
use crate::runtime::{Launch, Reporter, Signal};

/// Largest input in one variable; a longer one is compressed and cut. Linux accepts 128 KiB.
const CHUNK: usize = 100_000;
/// Largest sum of all variables: a secret holds 1 MiB.
const LARGEST: usize = 1_000_000;
/// Longest wait for the rest of a log after the container's end.
const DRAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// The state of one attempt without a shim.
#[derive(Debug)]
pub(super) struct Bare {
    masker: Arc<Masker>,
    progress: Option<String>,
    started: bool,
    log: Option<JoinHandle<Captured>>,
    cut: CancellationToken,
}

impl Bare {
    pub(super) fn new(launch: &Launch, spec: &RunSpec) -> Self {
        let masker = Arc::new(Masker::new(&launch.payload, &spec.secrets));
        Self { masker, progress: None, started: false, log: None, cut: CancellationToken::new() }
    }

    /// Takes the pod's state in, and returns the signals that follow.
    pub(super) fn look(
        &mut self,
        digest: &Digest,
        shared: &Arc<Shared>,
        place: &Place,
        reporter: Option<&Reporter>,
    ) -> Vec<Signal> {
        let mut signals = Vec::new();
        if digest.started.is_some() && !self.started {
            self.started = true;
            signals.push(Signal::Started);
            if let Some(reporter) = reporter {
                self.log = Some(tokio::spawn(follow(
                    Arc::clone(shared),
                    place.clone(),
                    reporter.clone(),
                    Arc::clone(&self.masker),
                    self.cut.clone(),
                )));
            }
        }
        if digest.reported.progress != self.progress {
            self.progress.clone_from(&digest.reported.progress);
            let told = self.progress.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
            let percent = told.as_ref().and_then(|told| told.get("percentComplete")?.as_f64());
            if let Some(percent) = percent.filter(|_| self.started) {
                let message = told.as_ref().and_then(|told| told.get("processingStateMessage")?.as_str());
                let message = message.map(|text| self.masker.mask(text).into_owned());
                signals.push(Signal::Progress { percent: percent.clamp(0.0, 100.0), message });
            }
        }
        signals
    }

    /// The result of an ended pod.
    pub(super) async fn conclude(
        &mut self,
        digest: &Digest,
        spec: &RunSpec,
        gone: bool,
        shared: &Shared,
        launch: &Launch,
    ) -> Result<Value, Failure> {
        let captured = self.rest_of_log().await;
        let result = outcome(digest, spec, gone);
        if result.is_err()
            && let Some(progress) = &digest.reported.progress
        {
            shared.remember(launch, progress.clone());
        }
        result.map_err(|failure| {
            let mut failure = Failure { log_tail: captured.tail.into(), ..failure };
            self.masker.mask_failure(&mut failure);
            failure
        })
    }

    async fn rest_of_log(&mut self) -> Captured {
        let Some(log) = self.log.take() else { return Captured::default() };
        let cut = self.cut.clone();
        let timer = tokio::spawn(async move {
            tokio::time::sleep(DRAIN).await;
            cut.cancel();
        });
        let captured = log.await.unwrap_or_default();
        timer.abort();
        captured
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.cut.cancel();
    }
}

/// The secret with the handler's variables. It belongs to the pod, and goes with it.
///
/// # Errors
/// The input is too large for variables.
pub(super) fn secret(
    launch: &Launch,
    spec: &RunSpec,
    (namespace, name): &Place,
    uid: &str,
    last_progress: Option<&str>,
) -> Result<Secret, Failure> {
    let mut variables = variables(launch, spec)?;
    if let Some(progress) = last_progress {
        variables.insert("LAST_PROGRESS".to_owned(), progress.to_owned());
    }
    let secret = json!({
        "metadata": {
            "name": name, "namespace": namespace, "labels": {names::MANAGED_BY: "pop"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}],
        },
        "immutable": true,
    });
    let mut secret: Secret = serde_json::from_value(secret).unwrap_or_default();
    secret.data =
        Some(variables.into_iter().map(|(name, value)| (name, ByteString(value.into_bytes()))).collect());
    Ok(secret)
}

async fn follow(
    shared: Arc<Shared>,
    (namespace, name): Place,
    reporter: Reporter,
    masker: Arc<Masker>,
    cut: CancellationToken,
) -> Captured {
    let log = Log::new(reporter, masker);
    let want = Want::Log(shared.config.log_limit);
    match shared.cluster.follow_log(&namespace, &name).await {
        Ok(stream) => {
            read(Some(stream.compat()), "stdout", want, &log, &cut, &CancellationToken::new()).await
        }
        Err(refusal) => {
            log.say(&format!("the log of the pod could not be read: {}", refusal.text()));
            Captured::default()
        }
    }
}

/// The arguments of an image, filled with an input.
///
/// # Errors
/// The input lacks a value.
pub(super) fn arguments(spec: &RunSpec, payload: &Value) -> Result<Vec<String>, Failure> {
    // An absent value in the first place would be the program.
    let mut words = vec![String::new()];
    words.extend(spec.args.iter().cloned());
    Ok(command::arguments(&words, payload)?.split_off(1))
}

/// The variable with an argument. The pod's spec has only these names, because arguments may hold parts of the input.
pub(super) fn argument(i: usize) -> String {
    format!("POP_ARGUMENT_{i}")
}

/// The variables of a handler.
fn variables(launch: &Launch, spec: &RunSpec) -> Result<BTreeMap<String, String>, Failure> {
    let payload = launch.payload.to_string();
    let mut variables: BTreeMap<String, String> =
        command::environment(&spec.env, &launch.payload)?.into_iter().collect();
    for (i, text) in arguments(spec, &launch.payload)?.into_iter().enumerate() {
        variables.insert(argument(i), text);
    }
    let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
    if payload.len() <= CHUNK {
        set("PAYLOAD", &payload);
    } else {
        set("POP_PAYLOAD_TYPE", "compressedEnvVar");
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(payload.as_bytes()).and_then(|()| encoder.finish());
        let packed = STANDARD.encode(packed.unwrap_or_default());
        if packed.len() > LARGEST {
            let message = format!(
                "the input has {} bytes, and {} when compressed: an image without `command` takes at most {LARGEST}. Give the type a `command`, or pass large data in a file.",
                payload.len(),
                packed.len()
            );
            return Err(fail(FailureClass::User, "InputTooLarge", message));
        }
        for (i, chunk) in packed.as_bytes().chunks(CHUNK).enumerate() {
            set(&format!("POP_COMPRESSED_PAYLOAD_{i}"), &String::from_utf8_lossy(chunk));
        }
    }
    set("AGENDA_ID", &launch.agenda);
    set("OPERATION_NAME", &launch.operation);
    set("OPERATION_TYPE", &launch.kind);
    set("POP_ATTEMPT", &launch.key.attempt.to_string());
    set("LOG_LEVEL", "INFO");
    set("CID", launch.cid.as_deref().unwrap_or(&launch.agenda));
    if let Some(id) = &launch.operation_id {
        set("OPERATION_ID", id);
    }
    if let Some(customer) = &launch.customer {
        set("CUSTOMER_ID", customer);
    }
    Ok(variables)
}

/// The result: the handler's own word, unless the container failed.
fn outcome(digest: &Digest, spec: &RunSpec, gone: bool) -> Result<Value, Failure> {
    let told = digest.reported.progress.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let field = |name: &str| told.as_ref().and_then(|told| told.get(name)?.as_str()).unwrap_or_default();
    let (state, message) = (field("processingState"), field("processingStateMessage"));
    let Some(ended) = digest.ended.as_ref().filter(|_| !gone || digest.is_over()) else {
        return Err(evidence::lost(digest, spec.idempotent, gone));
    };
    if ended.exit_code != 0 {
        let failure = evidence::lost(digest, spec.idempotent, gone);
        // What is left is the program's own exit code.
        if failure.code != "NoOutcome" {
            return Err(failure);
        }
        let told = diagnostics(told.as_ref()).map(|text| format!(": {text}")).unwrap_or_default();
        let message = format!("the program exited with code {}{told}", ended.exit_code);
        return Err(Failure {
            exit_code: Some(ended.exit_code),
            ..fail(FailureClass::User, "ExitCode", message)
        });
    }
    if digest.disruption.is_some() {
        return Err(evidence::lost(digest, spec.idempotent, gone));
    }
    match (state, message) {
        // An image that knows nothing of POP.
        ("", _) if told.is_none() => Ok(json!({})),
        ("COMPLETE", "succeeded") => match &digest.reported.payload {
            None => Ok(json!({})),
            Some(text) => serde_json::from_str(text).map_err(|error| {
                let message = format!(
                    "invalid JSON in the annotation `pop.report.payload`: {error}. Write one JSON value."
                );
                fail(FailureClass::User, "OutputInvalid", message)
            }),
        },
        ("COMPLETE", message) => {
            let why = diagnostics(told.as_ref()).unwrap_or_else(|| message.to_owned());
            Err(fail(FailureClass::User, "Failed", format!("the handler failed: {why}")))
        }
        (state, _) => {
            let message = format!(
                "the handler ended in the state `{state}`: it must report `COMPLETE` before its end. Correct the handler."
            );
            Err(fail(FailureClass::User, "OutputMissing", message))
        }
    }
}

fn diagnostics(told: Option<&Value>) -> Option<String> {
    let events = told?.get("diagnosticEvents")?.as_array()?;
    let messages: Vec<&str> = events.iter().filter_map(|event| event.get("message")?.as_str()).collect();
    (!messages.is_empty()).then(|| messages.join("; "))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::super::digest::{Ended, Phase, Reported};
    use super::*;
    use crate::run::Resources;
    use crate::runtime::AttemptKey;

    fn launch(payload: Value) -> Launch {
        Launch {
            key: AttemptKey { run: 0, op: 0, attempt: 2 },
            agenda: "ag_1".into(),
            epoch: 1,
            customer: Some("acme".into()),
            cid: None,
            operation: "encode".into(),
            operation_id: Some("id".into()),
            kind: "media.encode".into(),
            spec: None,
            fan_out: None,
            resources: Resources::default(),
            payload,
        }
    }

    #[test]
    fn a_large_input_is_compressed_as_handlers_expect() {
        let small = variables(&launch(json!({"a": 1})), &RunSpec::default()).unwrap();
        assert_eq!(
            (small["PAYLOAD"].as_str(), small["CID"].as_str(), small["CUSTOMER_ID"].as_str()),
            (r#"{"a":1}"#, "ag_1", "acme")
        );
        // Text that can't be compressed to one part.
        let noise: Vec<u64> = (0..40_000u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        let payload = json!(noise);
        let large = variables(&launch(payload.clone()), &RunSpec::default()).unwrap();
        assert!(!large.contains_key("PAYLOAD") && large["POP_PAYLOAD_TYPE"] == "compressedEnvVar");
        let parts: String =
            (0..).map_while(|i| large.get(&format!("POP_COMPRESSED_PAYLOAD_{i}")).cloned()).collect();
        let mut text = String::new();
        flate2::read::ZlibDecoder::new(STANDARD.decode(parts).unwrap().as_slice())
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, payload.to_string());
    }

    #[test]
    fn arguments_and_variables_of_the_type_are_filled_in() {
        let spec = RunSpec {
            args: ["-x", "${with.list}", "${with.none?}", "${with.a}!"].map(str::to_owned).into(),
            env: [("LEVEL".to_owned(), json!("l-${with.a}"))].into_iter().collect(),
            ..RunSpec::default()
        };
        let set = variables(&launch(json!({"a": 1, "list": ["p", "q"]})), &spec).unwrap();
        let arguments: Vec<&str> = (0..).map_while(|i| set.get(&argument(i)).map(String::as_str)).collect();
        assert_eq!((arguments, set["LEVEL"].as_str()), (vec!["-x", "p", "q", "1!"], "l-1"));
        assert_eq!(variables(&launch(json!({"list": []})), &spec).unwrap_err().code, "InputMissing");
    }

    fn ended(exit_code: i32, progress: Option<&str>, payload: Option<&str>) -> Digest {
        let reported =
            Reported { progress: progress.map(str::to_owned), payload: payload.map(str::to_owned) };
        let ended =
            Ended { container: names::MAIN.into(), exit_code, reason: "Error".into(), ..Ended::default() };
        Digest { phase: Phase::Failed, ended: Some(ended), reported, ..Digest::default() }
    }

    #[test]
    fn the_annotation_is_the_result() {
        let result = |exit_code, progress, payload| {
            outcome(&ended(exit_code, progress, payload), &RunSpec::default(), false)
        };
        let succeeded = r#"{"processingState": "COMPLETE", "processingStateMessage": "succeeded"}"#;
        assert_eq!(result(0, Some(succeeded), Some(r#"{"x": 1}"#)), Ok(json!({"x": 1})));
        assert_eq!(result(0, Some(succeeded), None), Ok(json!({})));
        assert_eq!(result(0, None, None), Ok(json!({})), "an image that knows nothing of POP");
        assert_eq!(result(0, Some(succeeded), Some("{")).unwrap_err().code, "OutputInvalid");
        let failed = r#"{"processingState": "COMPLETE", "processingStateMessage": "failed", "diagnosticEvents": [{"message": "no disk"}]}"#;
        assert!(result(0, Some(failed), None).unwrap_err().message.contains("no disk"));
        let executing = r#"{"processingState": "EXECUTING", "percentComplete": 40}"#;
        assert_eq!(result(0, Some(executing), None).unwrap_err().code, "OutputMissing");
        let failure = result(3, Some(succeeded), None).unwrap_err();
        assert_eq!(
            (failure.code.as_str(), failure.exit_code),
            ("ExitCode", Some(3)),
            "a non-zero exit always fails"
        );
    }
}
