//! Permissions and visible customers of callers, decided in this file only. The server has no authentication yet, so
//! every caller is an administrator of all customers.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::MethodRouter;
use tracing::Instrument as _;

use super::AppState;
use crate::core::access::{Actor, Scope};
use crate::core::command::Refusal;
use crate::http::problem::Error;
use crate::ids::CustomerId;

/// The permission that a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// None: the route shows nothing of a customer.
    Public,
    /// See the things of one's own customers.
    Read,
    /// Submit, cancel and rerun agendas.
    Submit,
    /// Change the things of one's own customers except agendas.
    Manage,
    /// See and change customers, pools and insights.
    Operate,
    /// Do the work of a pool.
    Work,
}

impl Permission {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Manage => "manage",
            Self::Operate => "operate",
            Self::Work => "work",
        }
    }
}

/// A set of permissions for one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "without credentials everybody is an administrator"))]
pub(crate) enum Role {
    Viewer,
    Submitter,
    Manager,
    Operator,
    Admin,
    Pool,
}

impl Role {
    /// The table of roles.
    pub(super) fn may(self, permission: Permission) -> bool {
        use Permission::{Manage, Operate, Public, Read, Submit, Work};
        match self {
            Self::Viewer => matches!(permission, Public | Read),
            Self::Submitter => matches!(permission, Public | Read | Submit),
            Self::Manager => matches!(permission, Public | Read | Submit | Manage),
            Self::Operator => matches!(permission, Public | Read | Submit | Manage | Operate),
            Self::Admin => matches!(permission, Public | Read | Submit | Manage | Operate | Work),
            Self::Pool => matches!(permission, Public | Work),
        }
    }
}

/// A caller, with its role and its visible customers.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) actor: Actor,
    pub(crate) role: Role,
    pub(crate) scope: Scope,
}

impl Principal {
    /// The principal of every caller of a server without authentication.
    pub(crate) fn anybody() -> Self {
        Self { actor: Actor::Operator, role: Role::Admin, scope: Scope::All }
    }

    /// Checks that the customer is in the scope. A customer outside does not exist for the caller.
    pub(super) fn check(&self, customer: &CustomerId) -> Result<(), Error> {
        if self.scope.contains(customer.as_str()) {
            return Ok(());
        }
        Err(Refusal::UnknownCustomer(customer.clone()).into())
    }
}

/// Gives the handlers of a route the caller's principal.
impl FromRequestParts<AppState> for Principal {
    type Rejection = Error;

    async fn from_request_parts(request: &mut Parts, _: &AppState) -> Result<Self, Error> {
        request.extensions.get::<Self>().cloned().ok_or_else(Error::internal)
    }
}

/// Identifies callers by the headers of their requests.
pub(crate) trait Authenticate: Send + Sync + std::fmt::Debug + 'static {
    /// The caller's principal, or the reason for a refusal.
    fn principal(&self, headers: &HeaderMap) -> Result<Principal, Error>;
}

/// Accepts every caller without credentials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open;

impl Authenticate for Open {
    fn principal(&self, _: &HeaderMap) -> Result<Principal, Error> {
        Ok(Principal::anybody())
    }
}

/// Lets only callers with the route's permission pass.
pub(super) fn guard(
    handler: MethodRouter<AppState>,
    authenticate: &Arc<dyn Authenticate>,
    name: &'static str,
    permission: Permission,
) -> MethodRouter<AppState, Infallible> {
    if permission == Permission::Public {
        return handler;
    }
    let authenticate = Arc::clone(authenticate);
    handler.route_layer(from_fn(move |mut request: Request, next: Next| {
        let authenticate = Arc::clone(&authenticate);
        let span = tracing::debug_span!("request", route = name);
        async move {
            let principal = match authenticate.principal(request.headers()) {
                Ok(principal) if principal.role.may(permission) => principal,
                Ok(principal) => {
                    tracing::warn!(actor = %principal.actor, "denied: the role has no permission to {}", permission.as_str());
                    return Error::forbidden(name, permission.as_str()).into_response();
                }
                Err(error) => return error.into_response(),
            };
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        .instrument(span)
    }))
}
