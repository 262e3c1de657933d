//! The calls of a pool to the API server: few at a time, writes apart from reads, so that a list does not hold a start
//! back.

use std::path::PathBuf;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures_util::AsyncBufRead;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::{Event, Pod, Secret};
use kube::api::{Api, DeleteParams, ListParams, LogParams, PostParams, Preconditions};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher;
use kube::{Client, Config};
use tokio::sync::Semaphore;

use super::digest::Digest;
use super::names::{self, Owner};
use super::refusal::Refusal;

/// Number of simultaneous writes and reads.
const WRITES: usize = 32;
const READS: usize = 8;
/// Longest time of a call; watches and logs are exempt.
const CALL: Duration = Duration::from_secs(30);
/// First and longest pause between the tries of a call that must succeed.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// How to reach a cluster.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Kubeconfig file; none means the usual places, then the pod's own service account.
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig; none means the current one.
    pub context: Option<String>,
}

/// A cluster, as one pool uses it.
#[derive(Debug)]
pub(super) struct Cluster {
    writes: Semaphore,
    reads: Semaphore,
    client: Connected,
    /// Namespace of the context, or of the pod that this process runs in.
    pub(super) namespace: String,
}

struct Connected(Client);

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Cluster {
    /// Reads the credentials; makes no call.
    ///
    /// # Errors
    /// The kubeconfig can't be read, or neither a kubeconfig nor a service account exists.
    pub(super) async fn connect(access: &Access) -> Result<Self, String> {
        let options = KubeConfigOptions { context: access.context.clone(), ..KubeConfigOptions::default() };
        let mut config = match (&access.kubeconfig, &access.context) {
            (Some(file), _) => {
                let read = Kubeconfig::read_from(file).map_err(|error| error.to_string())?;
                Config::from_custom_kubeconfig(read, &options).await.map_err(|error| error.to_string())?
            }
            (None, Some(_)) => Config::from_kubeconfig(&options).await.map_err(|error| error.to_string())?,
            (None, None) => Config::infer().await.map_err(|error| error.to_string())?,
        };
        // Attempts repeat their calls themselves, and say meanwhile why they wait.
        config.default_retry = false;
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(|error| error.to_string())?;
        Ok(Self::over(client, namespace))
    }

    /// A cluster behind a client, which repeats no call by itself.
    pub(super) fn over(client: Client, namespace: String) -> Self {
        let (writes, reads) = (Semaphore::new(WRITES), Semaphore::new(READS));
        Self { writes, reads, client: Connected(client), namespace }
    }

    pub(super) fn client(&self) -> Client {
        self.client.0.clone()
    }

    fn pods(&self, namespace: &str) -> Api<Pod> {
        Api::namespaced(self.client(), namespace)
    }

    /// Creates a pod.
    pub(super) async fn create(&self, namespace: &str, pod: &Pod) -> Result<Digest, Refusal> {
        let api = self.pods(namespace);
        let made = limited(&self.writes, api.create(&PostParams::default(), pod)).await?;
        Digest::of(made)
            .ok_or_else(|| Refusal::Policy("a policy of the cluster removes the labels of pods".to_owned()))
    }

    /// Creates a pod that runs no operation.
    pub(super) async fn create_other(&self, namespace: &str, pod: &Pod) -> Result<(), Refusal> {
        let api = self.pods(namespace);
        limited(&self.writes, api.create(&PostParams::default(), pod)).await.map(drop)
    }

    /// Deletes whatever pod has this name.
    pub(super) async fn remove(&self, namespace: &str, name: &str) -> Result<(), Refusal> {
        let api = self.pods(namespace);
        match limited(&self.writes, api.delete(name, &DeleteParams::default().grace_period(0))).await {
            Ok(_) | Err(Refusal::NotFound(_)) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    /// A pod; none if it does not exist, or is not POP's.
    pub(super) async fn get(&self, namespace: &str, name: &str) -> Result<Option<Digest>, Refusal> {
        let api = self.pods(namespace);
        Ok(limited(&self.reads, api.get_opt(name)).await?.and_then(Digest::of))
    }

    /// Deletes exactly the pod with this UID.
    pub(super) async fn delete(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        grace: Duration,
    ) -> Result<(), Refusal> {
        let params = DeleteParams {
            grace_period_seconds: Some(u32::try_from(grace.as_secs()).unwrap_or(u32::MAX)),
            preconditions: Some(Preconditions { uid: Some(uid.to_owned()), resource_version: None }),
            ..DeleteParams::default()
        };
        let api = self.pods(namespace);
        match limited(&self.writes, api.delete(name, &params)).await {
            // Another pod of this name, or none: the pod is gone.
            Ok(_) | Err(Refusal::NotFound(_) | Refusal::Conflict) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    /// Deletes a pod, as often as it takes.
    pub(super) async fn delete_surely(&self, namespace: &str, name: &str, uid: &str, grace: Duration) {
        let pauses =
            ExponentialBuilder::new().with_min_delay(PAUSES.0).with_max_delay(PAUSES.1).without_max_times();
        let mut warned = false;
        for pause in pauses.build() {
            match self.delete(namespace, name, uid, grace).await {
                Ok(()) => return,
                Err(Refusal::Later(why, _)) => {
                    tracing::debug!(pod = name, why, "could not delete the pod yet");
                }
                // Without the right, another try is of no use now. The search for orphans tries again later.
                Err(refusal @ Refusal::Right(_)) => {
                    let why = refusal.text();
                    return tracing::warn!(pod = name, why, "could not delete the pod");
                }
                // One warning for each pod.
                Err(refusal) if !std::mem::replace(&mut warned, true) => {
                    let why = refusal.text();
                    tracing::warn!(pod = name, why, "could not delete the pod; trying again");
                }
                Err(_) => {}
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Creates a secret.
    pub(super) async fn create_secret(&self, namespace: &str, secret: &Secret) -> Result<(), Refusal> {
        let api: Api<Secret> = Api::namespaced(self.client(), namespace);
        limited(&self.writes, api.create(&PostParams::default(), secret)).await.map(drop)
    }

    /// The newest event of a pod about a volume or network that could not be set up.
    pub(super) async fn set_up_failure(&self, namespace: &str, uid: &str) -> Option<String> {
        let api: Api<Event> = Api::namespaced(self.client(), namespace);
        let params = ListParams::default().fields(&format!("involvedObject.uid={uid},type=Warning"));
        let events = limited(&self.reads, api.list(&params)).await.ok()?;
        let wanted = |event: &&Event| {
            matches!(
                event.reason.as_deref(),
                Some("FailedMount" | "FailedAttachVolume" | "FailedCreatePodSandBox" | "FailedMapVolume")
            )
        };
        let newest =
            events.items.iter().filter(wanted).max_by_key(|event| event.last_timestamp.as_ref().map(|t| t.0));
        newest.and_then(|event| event.message.clone())
    }

    /// The output of an operation's container from its start, until its end.
    pub(super) async fn follow_log(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<impl AsyncBufRead + Unpin, Refusal> {
        let params =
            LogParams { follow: true, container: Some(names::MAIN.to_owned()), ..LogParams::default() };
        let stream =
            self.pods(namespace).log_stream(name, &params).await.map_err(|error| Refusal::of(&error))?;
        Ok(Box::pin(stream))
    }

    /// The pool's pods in a namespace: all, then each change.
    pub(super) fn watch(
        &self,
        namespace: &str,
        owner: &Owner,
    ) -> impl futures_util::Stream<Item = Result<watcher::Event<Pod>, watcher::Error>> + Send + use<> {
        let config = watcher::Config::default().labels(&names::selector(owner));
        watcher::watcher(self.pods(namespace), config)
    }

    /// Whether this pool's account has a right in a namespace. `part` is a subresource, or empty.
    pub(super) async fn may(
        &self,
        namespace: &str,
        verb: &str,
        (resource, part): (&str, &str),
    ) -> Result<bool, Refusal> {
        let attributes = ResourceAttributes {
            namespace: Some(namespace.to_owned()),
            verb: Some(verb.to_owned()),
            resource: Some(resource.to_owned()),
            subresource: Some(part.to_owned()).filter(|part| !part.is_empty()),
            ..ResourceAttributes::default()
        };
        let spec =
            SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
        let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client());
        let answer = limited(&self.reads, api.create(&PostParams::default(), &review)).await?;
        // Without an answer nothing is known to be missing.
        Ok(answer.status.is_none_or(|status| status.allowed))
    }

    /// The answer to a plain GET, for the keys of the cluster's tokens.
    pub(super) async fn raw(&self, path: &str) -> Result<String, Refusal> {
        let request = http::Request::get(path).body(Vec::new());
        let request = request.map_err(|error| Refusal::Policy(error.to_string()))?;
        let client = self.client();
        limited(&self.reads, client.request_text(request)).await
    }
}

/// Performs a call when it is its turn.
async fn limited<T>(turns: &Semaphore, call: impl Future<Output = kube::Result<T>>) -> Result<T, Refusal> {
    let _turn = turns.acquire().await;
    match tokio::time::timeout(CALL, call).await {
        Ok(result) => result.map_err(|error| Refusal::of(&error)),
        Err(_) => Err(Refusal::Later("the API server gave no answer in time".to_owned(), PAUSES.0)),
    }
}
