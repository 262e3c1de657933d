//! Proof of a pod's identity: a projected service-account token, signed by the cluster, for the audience `pop`, bound to
//! one pod.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::cluster::Cluster;
use crate::runtime::shim::wire::AUDIENCE;

/// Shortest time between two readings of the keys.
const REFRESH: Duration = Duration::from_secs(10);
/// Difference between the clocks of nodes that is accepted.
const LEEWAY: u64 = 60;

/// Checks tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    cluster: Arc<Cluster>,
    keys: Mutex<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    issuer: String,
    set: Option<JwkSet>,
    read: Option<Instant>,
}

/// A refused token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The token proves nothing.
    Invalid(String),
    /// The keys of the cluster can't be read now.
    Later(String),
}

/// The claims of a projected token, as far as POP needs them.
#[derive(Debug, Deserialize)]
struct Claims {
    #[serde(rename = "kubernetes.io")]
    kubernetes: Bound,
}

#[derive(Debug, Deserialize)]
struct Bound {
    pod: Option<BoundPod>,
}

#[derive(Debug, Deserialize)]
struct BoundPod {
    uid: String,
}

impl Tokens {
    pub(super) fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, keys: Mutex::default() }
    }

    /// The UID of the pod to which a token is bound.
    pub(super) async fn pod(&self, token: &str) -> Result<String, Refused> {
        let header = decode_header(token).map_err(|error| Refused::Invalid(error.to_string()))?;
        let kid = header.kid.ok_or_else(|| Refused::Invalid("the token names no key".to_owned()))?;
        let (key, issuer) = self.key(&kid).await?;
        check(token, &key, &issuer)
    }

    /// The key of this id. An unknown id may be a new key, so the keys are read again, though not too often.
    async fn key(&self, kid: &str) -> Result<(DecodingKey, String), Refused> {
        let mut keys = self.keys.lock().await;
        let find = |keys: &Keys| {
            let key = keys.set.as_ref()?.find(kid)?;
            Some((DecodingKey::from_jwk(key).ok()?, keys.issuer.clone()))
        };
        if let Some(found) = find(&keys) {
            return Ok(found);
        }
        if keys.read.is_none_or(|at| at.elapsed() > REFRESH) {
            let later = |why: String| Refused::Later(format!("could not read the cluster's keys: {why}"));
            let get = async |path: &str| self.cluster.raw(path).await.map_err(|r| later(r.text().to_owned()));
            let about = get("/.well-known/openid-configuration").await?;
            let about: serde_json::Value = serde_json::from_str(&about).map_err(|e| later(e.to_string()))?;
            let set = serde_json::from_str(&get("/openid/v1/jwks").await?).map_err(|e| later(e.to_string()))?;
            let issuer = about.get("issuer").and_then(|issuer| issuer.as_str()).unwrap_or_default().to_owned();
            *keys = Keys { issuer, set: Some(set), read: Some(Instant::now()) };
        }
        find(&keys).ok_or_else(|| Refused::Invalid("the token's key is unknown to the cluster".to_owned()))
    }
}

fn check(token: &str, key: &DecodingKey, issuer: &str) -> Result<String, Refused> {
    // An algorithm of the token's choice would accept a token that is signed with the public key.
    let mut validation = Validation::new(Algorithm::RS256);
    validation.algorithms = match decode_header(token).map(|header| header.alg) {
        Ok(Algorithm::ES256) => vec![Algorithm::ES256],
        Ok(Algorithm::ES384) => vec![Algorithm::ES384],
        _ => vec![Algorithm::RS256],
    };
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["exp", "aud", "iss"]);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    let claims = decode::<Claims>(token, key, &validation).map_err(|error| Refused::Invalid(error.to_string()))?;
    let pod = claims.claims.kubernetes.pod;
    pod.map(|pod| pod.uid).ok_or_else(|| Refused::Invalid("the token is not bound to a pod".to_owned()))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::{Value, json};

    use super::*;

    fn signed(claims: &Value) -> (String, DecodingKey) {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let header = Header { kid: Some("k".into()), ..Header::new(Algorithm::ES256) };
        let public = &pair.public_key_raw()[1..];
        let (x, y) = public.split_at(32);
        let text = |part: &[u8]| {
            use base64::Engine as _;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(part)
        };
        let key_back = DecodingKey::from_ec_components(&text(x), &text(y)).unwrap();
        (encode(&header, claims, &key).unwrap(), key_back)
    }

    fn claims() -> Value {
        json!({
            "iss": "https://cluster", "aud": ["pop"], "exp": 4_000_000_000u64,
            "kubernetes.io": {"namespace": "n", "pod": {"name": "p", "uid": "u1"}},
        })
    }

    #[test]
    fn a_token_proves_the_pod_that_it_is_bound_to() {
        let (token, key) = signed(&claims());
        assert_eq!(check(&token, &key, "https://cluster"), Ok("u1".to_owned()));
    }

    #[test]
    fn tokens_for_others_prove_nothing() {
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            let (token, key) = signed(&claims);
            check(&token, &key, "https://cluster")
        };
        assert!(with("aud", json!(["kubernetes"])).is_err());
        assert!(with("iss", json!("https://other")).is_err());
        assert!(with("exp", json!(1_000_000_000)).is_err());
        assert!(with("kubernetes.io", json!({"namespace": "n"})).is_err());
        let ((token, _), (_, other)) = (signed(&claims()), signed(&claims()));
        assert!(check(&token, &other, "https://cluster").is_err());
        let unsigned = "eyJhbGciOiJub25lIn0.e30.";
        assert!(check(unsigned, &other, "https://cluster").is_err());
    }
}
