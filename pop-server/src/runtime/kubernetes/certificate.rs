//! The certificate of the report endpoint: given, or made once and kept in a folder. Shims accept exactly this one, so
//! it needs no authority, and a restarted agent must have the same.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The file names of a Kubernetes secret of the type `kubernetes.io/tls`.
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// A certificate with its key.
#[derive(Debug)]
pub(super) struct Certificate {
    /// The certificate in PEM.
    pub(super) pem: String,
    pub(super) config: Arc<ServerConfig>,
}

impl Certificate {
    /// Reads the pair in a folder. With `create`, makes a pair in a folder that has none.
    ///
    /// # Errors
    /// The files can't be read or written, or hold no pair.
    pub(super) fn load(folder: &Path, create: bool) -> Result<Self, String> {
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        if create && !certificate.exists() {
            make(folder, &certificate, &key).map_err(|error| format!("could not write {}: {error}", folder.display()))?;
        }
        let read = |file: &Path| {
            fs::read_to_string(file).map_err(|error| format!("could not read {}: {error}", file.display()))
        };
        let (pem, secret) = (read(&certificate)?, read(&key)?);
        let invalid = |file: &Path, error: &dyn std::fmt::Display| format!("invalid {}: {error}", file.display());
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| invalid(&certificate, &error))?;
        let private = PrivateKeyDer::from_pem_slice(secret.as_bytes()).map_err(|error| invalid(&key, &error))?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
            .map_err(|error| invalid(&certificate, &error))?;
        Ok(Self { pem, config: Arc::new(config) })
    }
}

fn make(folder: &Path, certificate: &Path, key: &Path) -> std::io::Result<()> {
    let made = rcgen::generate_simple_self_signed(vec!["pop-pool".to_owned()]).map_err(std::io::Error::other)?;
    fs::create_dir_all(folder)?;
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(key)?;
    file.write_all(made.signing_key.serialize_pem().as_bytes())?;
    fs::write(certificate, made.cert.pem())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_certificate_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Certificate::load(folder.path(), false).unwrap_err().contains("could not read"));
        let first = Certificate::load(folder.path(), true).unwrap();
        assert_eq!(Certificate::load(folder.path(), true).unwrap().pem, first.pem);
        fs::write(folder.path().join(CERTIFICATE), "x").unwrap();
        assert!(Certificate::load(folder.path(), true).unwrap_err().starts_with("invalid "));
    }
}
