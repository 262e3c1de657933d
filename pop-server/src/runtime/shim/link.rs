//! The shim's connection to its pool: HTTP/1.1, over TLS with the one certificate that the pod was given.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
pub(super) use hyper::Method;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Largest answer, in bytes: an assignment with its input.
const LARGEST: usize = 256 << 20;
/// Longest time for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// The answer to a call.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// The connection, opened at the first call and again after each failure.
pub(super) struct Link {
    host: String,
    port: u16,
    path: String,
    tls: Option<TlsConnector>,
    token_file: PathBuf,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Link {
    /// A link to `url`, `https://HOST:PORT/PATH`. Over TLS the endpoint must show exactly `certificate` (PEM).
    ///
    /// # Errors
    /// The address or the certificate is invalid.
    pub(super) fn new(url: &str, certificate: &str, token_file: PathBuf) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("invalid address `{url}`: {error}"))?;
        let host = uri.host().ok_or_else(|| format!("invalid address `{url}`: no host"))?;
        let tls = match uri.scheme_str() {
            Some("https") => Some(TlsConnector::from(Arc::new(pinned(certificate)?))),
            _ => None,
        };
        let port = uri.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
        let (host, path) =
            (host.trim_matches(['[', ']']).to_owned(), uri.path().trim_end_matches('/').to_owned());
        Ok(Self { host, port, path, tls, token_file, open: None })
    }

    /// One call, with the pod's present token. No answer within `limit` is an error.
    pub(super) async fn call(
        &mut self,
        method: Method,
        what: &str,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Answer, String> {
        let call = tokio::time::timeout(limit, self.try_call(method, what, body)).await;
        let result = call.unwrap_or_else(|_| Err(format!("no answer within {} seconds", limit.as_secs())));
        if result.is_err() {
            self.open = None;
        }
        result
    }

    async fn try_call(&mut self, method: Method, what: &str, body: Vec<u8>) -> Result<Answer, String> {
        let token = fs::read_to_string(&self.token_file)
            .map_err(|error| format!("could not read the pod's token: {error}"))?;
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/{what}", self.path))
            .header("host", &self.host)
            .header("authorization", format!("Bearer {}", token.trim()))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let mut open = self.open.take();
        if let Some(sender) = &mut open
            && sender.ready().await.is_err()
        {
            open = None;
        }
        let sender = match open {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let sender = self.open.insert(sender);
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let body =
            Limited::new(response.into_body(), LARGEST).collect().await.map_err(|error| error.to_string())?;
        Ok(Answer { status, body: body.to_bytes().to_vec() })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let connect = async {
            let stream =
                TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|e| e.to_string())?;
            let _ = stream.set_nodelay(true);
            match &self.tls {
                None => converse(stream).await,
                Some(tls) => {
                    // The certificate is compared byte by byte, so its names don't matter.
                    let name = ServerName::try_from("pop-pool").map_err(|e| e.to_string())?;
                    converse(tls.connect(name, stream).await.map_err(|e| e.to_string())?).await
                }
            }
        };
        let connected = tokio::time::timeout(CONNECT, connect).await;
        let connected = connected.unwrap_or_else(|_| Err("no connection in time".to_owned()));
        connected.map_err(|why| format!("could not connect to {}:{}: {why}", self.host, self.port))
    }
}

async fn converse<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    tokio::spawn(async move {
        // The next call sees the end of the connection.
        let _ = connection.await;
    });
    Ok(sender)
}

fn pinned(certificate: &str) -> Result<ClientConfig, String> {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes())
        .map_err(|error| format!("invalid certificate of the report endpoint: {error}"))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Pinned { certificate, provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Accepts one certificate. The handshake proves that the endpoint has its key.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if shown.as_ref() == self.certificate.as_ref() {
            return Ok(ServerCertVerified::assertion());
        }
        Err(TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
