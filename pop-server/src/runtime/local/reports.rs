//! The HTTP port for programs' reports. Each report is stored as the file that the program could have written. So one
//! place decides the meaning of reports, and which one counts if a program uses both ways.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::folder::Folder;
use super::plain_file;
use super::watch::ProgressFile;
use crate::env::Env;
use crate::runtime::attempts::{Entry, Inbox, Registry, ReportKind, http};

/// A registry that programs can reach.
#[derive(Debug)]
pub(super) struct Reports {
    registry: Arc<Registry>,
    /// The value of `POP_REPORT_URL`.
    pub(super) url: String,
    _serving: DropGuard,
}

impl Reports {
    /// Serves on a free port that only this machine reaches, while the returned value lives.
    ///
    /// # Errors
    /// No port is available.
    pub(super) async fn start(output_limit: u64, env: Env) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}{}", listener.local_addr()?, http::PATH);
        let (registry, stop) = (Arc::new(Registry::new(output_limit, env)), CancellationToken::new());
        tokio::spawn(http::serve(listener, Arc::clone(&registry), stop.clone()));
        Ok(Self { registry, url, _serving: stop.drop_guard() })
    }

    /// Lets one attempt report.
    pub(super) fn enter(&self, folder: Folder, progress: Arc<ProgressFile>) -> Entry {
        self.registry.enter(Arc::new(Files { folder, progress }))
    }
}

/// The files of one attempt.
#[derive(Debug)]
struct Files {
    folder: Folder,
    progress: Arc<ProgressFile>,
}

impl Inbox for Files {
    fn take(&self, kind: ReportKind, text: &[u8]) -> io::Result<()> {
        match kind {
            ReportKind::Output => plain_file::replace(&self.folder.output(), text),
            ReportKind::Failure => plain_file::replace(&self.folder.failure(), text),
            ReportKind::Progress => {
                plain_file::replace(&self.folder.progress(), text)?;
                self.progress.look_now();
                Ok(())
            }
        }
    }
}
