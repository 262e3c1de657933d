//! Arguments for running operations as pods.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};
use pop_compiler::duration;

use crate::env::Env;
use crate::runtime::Capacity;
use crate::runtime::kubernetes::{Access, Artifacts, Config, GUARDED, Policy};

/// The same limits as those of local programs.
const OUTPUT_LIMIT: u64 = 32 << 20;
const LOG_LIMIT: u64 = 1 << 20;

/// Where operations run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RuntimeKind {
    /// Processes on this machine.
    Local,
    /// Pods in a Kubernetes cluster.
    Kubernetes,
}

/// Arguments for running operations as pods.
#[derive(Debug, Args)]
#[command(next_help_heading = "Kubernetes")]
pub struct KubernetesArgs {
    /// Where operations run: as processes on this machine, or as pods.
    #[arg(long, value_name = "RUNTIME", default_value = "local", help_heading = None)]
    pub runtime: RuntimeKind,
    /// Kubeconfig file; default: KUBECONFIG, then ~/.kube/config, then the pod's own service account.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig; default: the current one.
    #[arg(long, value_name = "NAME")]
    kube_context: Option<String>,
    /// Namespace of the pods, such as `media` or `pop-{customer}`; default: that of the context.
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// Image of the shim, which runs the programs of pods.
    #[arg(long, value_name = "IMAGE", env = "POP_SHIM_IMAGE", hide_env_values = true, default_value = concat!("pop-shim:", env!("CARGO_PKG_VERSION")))]
    shim_image: String,
    /// Address on which pods report.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:7071")]
    report_listen: SocketAddr,
    /// URL of that address as pods reach it; default: this machine's own address.
    #[arg(long, value_name = "URL", env = "POP_REPORT_BASE", hide_env_values = true)]
    report_url: Option<String>,
    /// Folder with tls.crt and tls.key of that address; default: a certificate in the work folder, made once.
    #[arg(long, value_name = "DIR")]
    report_tls: Option<PathBuf>,
    /// Service account of images without `command`; it may get and patch pods.
    #[arg(long, value_name = "NAME", default_value = "pop-handler")]
    handler_service_account: String,
    /// Time for which pods of failed attempts stay.
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    keep_failed: String,
    /// Where pods of one agenda share files: `claim:NAME` or `host:/PATH`, mounted at /pop/artifacts.
    #[arg(long, value_name = "PLACE")]
    artifacts: Option<Artifacts>,
    /// Time for which unused files of an agenda stay; `0s` means for ever.
    #[arg(long, value_name = "DURATION", default_value = "7d")]
    keep_artifacts: String,
    /// Longest time until a pod starts.
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    pending_timeout: String,
    /// Longest time for which the pod of an ended program waits for this pool.
    #[arg(long, value_name = "DURATION", default_value = "30m")]
    shim_deadline: String,
    /// Start of allowed image names. Repeatable; default: all images.
    #[arg(long, value_name = "PREFIX")]
    registry: Vec<String>,
    /// Setting that operation types may use although it reaches beyond the pod. Repeatable.
    #[arg(long, value_name = "SETTING", value_parser = GUARDED)]
    allow: Vec<String>,
}

impl KubernetesArgs {
    /// The runtime's settings. `state` is a folder that stays between two starts.
    ///
    /// # Errors
    /// A duration is invalid.
    pub fn config(
        &self,
        pool: &str,
        agent: &str,
        state: &Path,
        grace: Duration,
        capacity: Option<Capacity>,
        env: &Env,
    ) -> Result<Config> {
        let time =
            |name: &str, text: &str| duration::parse(text).map_err(|e| anyhow::anyhow!("--{name}: {e}"));
        Ok(Config {
            access: Access { kubeconfig: self.kubeconfig.clone(), context: self.kube_context.clone() },
            pool: pool.to_owned(),
            agent: agent.to_owned(),
            namespace: self.namespace.clone(),
            shim_image: self.shim_image.clone(),
            report_listen: self.report_listen,
            report_url: self.report_url.clone(),
            report_tls: self.report_tls.clone().unwrap_or_else(|| state.join("report-tls")),
            make_certificate: self.report_tls.is_none(),
            handler_account: self.handler_service_account.clone(),
            keep_failed: match self.keep_failed.as_str() {
                "0s" | "0" => Duration::ZERO,
                text => time("keep-failed", text)?,
            },
            patience: Duration::from_mins(1),
            pending_timeout: time("pending-timeout", &self.pending_timeout)?,
            shim_deadline: time("shim-deadline", &self.shim_deadline)?,
            orphan_age: Duration::from_mins(15),
            grace,
            output_limit: OUTPUT_LIMIT,
            log_limit: LOG_LIMIT,
            capacity: capacity.unwrap_or_else(Capacity::unlimited),
            policy: Policy { registries: self.registry.clone(), allowed: self.allow.clone() },
            artifacts: self.artifacts.clone(),
            keep_artifacts: match self.keep_artifacts.as_str() {
                "0s" | "0" => Duration::ZERO,
                text => time("keep-artifacts", text)?,
            },
            clock: Arc::clone(&env.clock),
        })
    }
}
