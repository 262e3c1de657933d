//! The variable part of a path.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::problem::{Error, Kind};

/// The variable part of a path: an id or a name.
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Error;

    async fn from_request_parts(request: &mut Parts, state: &S) -> Result<Self, Error> {
        match Path::<String>::from_request_parts(request, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(rejection) => Err(Error::new(Kind::InvalidQuery, rejection.body_text())),
        }
    }
}
