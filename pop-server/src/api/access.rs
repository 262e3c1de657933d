//! Who may do what, and see what: the one place that decides. There is no authentication yet, so everybody is an
//! administrator of all customers.

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

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Nothing: it tells nothing that belongs to anybody.
    Public,
    /// To see what belongs to one's customers.
    Read,
    /// To submit, cancel and run again.
    Submit,
    /// To change what belongs to one's customers beside agendas.
    Manage,
    /// To see and change customers, pools and insights.
    Operate,
    /// To do the work of a pool.
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

/// What a principal is for: a set of permissions.
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

/// Who calls, with what it may do and see.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) actor: Actor,
    pub(crate) role: Role,
    pub(crate) scope: Scope,
}

impl Principal {
    /// Every caller of a server that asks for no credentials.
    pub(crate) fn anybody() -> Self {
        Self { actor: Actor::Operator, role: Role::Admin, scope: Scope::All }
    }

    /// A customer outside of the scope does not exist.
    pub(super) fn check(&self, customer: &CustomerId) -> Result<(), Error> {
        if self.scope.contains(customer.as_str()) {
            return Ok(());
        }
        Err(Refusal::UnknownCustomer(customer.clone()).into())
    }
}

/// The handlers behind a route learn who calls.
impl FromRequestParts<AppState> for Principal {
    type Rejection = Error;

    async fn from_request_parts(request: &mut Parts, _: &AppState) -> Result<Self, Error> {
        request.extensions.get::<Self>().cloned().ok_or_else(Error::internal)
    }
}

/// Tells who calls by the headers of a request.
pub(crate) trait Authenticate: Send + Sync + std::fmt::Debug + 'static {
    /// The principal, or why there is none.
    fn principal(&self, headers: &HeaderMap) -> Result<Principal, Error>;
}

/// Asks for no credentials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open;

impl Authenticate for Open {
    fn principal(&self, _: &HeaderMap) -> Result<Principal, Error> {
        Ok(Principal::anybody())
    }
}

/// Lets those through to a route who may call it.
pub(super) fn guard(
    handler: MethodRouter<AppState>,
    app: AppState,
    name: &'static str,
    permission: Permission,
) -> MethodRouter<AppState, Infallible> {
    if permission == Permission::Public {
        return handler;
    }
    let authenticate = Arc::clone(&app.authenticate);
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
