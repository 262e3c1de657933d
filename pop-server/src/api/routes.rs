//! The table of routes: path, name, permission, and the types of request and answer. The router, the OpenAPI document,
//! the names in logs and the checks of permissions all use this table, so none of them can lack a route.

use axum::Router;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::routing::{MethodFilter, MethodRouter, on};
use pop_compiler::agenda::AgendaTemplate;
use pop_sdk::api::{
    AgendaView, AttachRequest, AttachResponse, Customer, Event, Insight, LogChunk, Page, Pool, PullRequest,
    PullResponse, ReleaseRequest, ReleaseResponse, RenewRequest, RenewResponse, ReportRequest,
    ReportResponse, RerunRequest, RerunResponse, SubmitRequest, TemplateView,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::access::Permission;
use super::{AppState, agendas, events, logs, openapi, pools, rerun, settings, status, templates};
use crate::http::problem::Kind;

/// One route of the API.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) method: Method,
    /// The path, with `{id}` for the variable part.
    pub(super) path: &'static str,
    /// The route's name in logs, in the audit trail, in metrics and in OpenAPI: `things.verb`.
    pub(super) name: &'static str,
    pub(super) permission: Permission,
    /// The route's effect, in one sentence.
    pub(super) about: &'static str,
    pub(super) query: Option<SchemaOf>,
    pub(super) takes: Option<SchemaOf>,
    pub(super) gives: Vec<(StatusCode, Content)>,
    /// Kinds of problems, besides those of every route of this shape.
    pub(super) fails: &'static [Kind],
    handler: MethodRouter<AppState>,
}

/// The HTTP method of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Put,
    Post,
    Delete,
}

impl Method {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::Post => "post",
            Self::Delete => "delete",
        }
    }

    fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Put => MethodFilter::PUT,
            Self::Post => MethodFilter::POST,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// Generates the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The content of an answer.
#[derive(Clone, Copy)]
pub(super) enum Content {
    Nothing,
    Text,
    Json(SchemaOf),
    /// A JSON object whose schema stands elsewhere.
    Object,
    /// Server-sent events, each with JSON as data.
    Events(SchemaOf),
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Route {
    fn new<H, T>(
        method: Method,
        path: &'static str,
        name: &'static str,
        permission: Permission,
        handler: H,
    ) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        let handler = on(method.filter(), handler);
        let (query, takes, gives, fails) = (None, None, Vec::new(), &[][..]);
        Self { method, path, name, permission, about: "", query, takes, gives, fails, handler }
    }

    fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    fn query<T: JsonSchema>(self) -> Self {
        Self { query: Some(schema::<T>), ..self }
    }

    fn takes<T: JsonSchema>(self) -> Self {
        Self { takes: Some(schema::<T>), ..self }
    }

    fn gives<T: JsonSchema>(self, status: StatusCode) -> Self {
        self.content(status, Content::Json(schema::<T>))
    }

    fn content(mut self, status: StatusCode, content: Content) -> Self {
        self.gives.push((status, content));
        self
    }

    fn fails(self, fails: &'static [Kind]) -> Self {
        Self { fails, ..self }
    }
}

/// The routes of the API.
pub(super) fn routes() -> Vec<Route> {
    use Method::{Delete, Get, Post, Put};
    use Permission::{Manage, Operate, Public, Read, Submit, Work};
    const OK: StatusCode = StatusCode::OK;
    const CREATED: StatusCode = StatusCode::CREATED;
    const NO_CONTENT: StatusCode = StatusCode::NO_CONTENT;
    vec![
        Route::new(Get, "/healthz", "status.health", Public, status::health)
            .about("Answers while the server runs.")
            .content(OK, Content::Text),
        Route::new(Get, "/readyz", "status.ready", Public, status::ready)
            .about("Checks whether the server can take work now.")
            .content(OK, Content::Text)
            .fails(&[Kind::Unavailable]),
        Route::new(Get, "/openapi.json", "status.openapi", Public, openapi::serve)
            .about("Describes this API.")
            .content(OK, Content::Object),
        Route::new(Post, "/v1/agendas", "agendas.submit", Submit, agendas::submit)
            .about("Submits an agenda, or a template with inputs.")
            .takes::<SubmitRequest>()
            .gives::<AgendaView>(CREATED)
            .gives::<AgendaView>(OK)
            .fails(&[
                Kind::InvalidAgenda,
                Kind::InvalidRequest,
                Kind::UnknownCustomer,
                Kind::UnknownPool,
                Kind::NoInsight,
                Kind::KeyReused,
                Kind::StaleClient,
            ]),
        Route::new(Get, "/v1/agendas", "agendas.list", Read, agendas::list)
            .about("Lists agendas without their operations, newest first.")
            .query::<agendas::ListParams>()
            .gives::<Page<AgendaView>>(OK),
        Route::new(Get, "/v1/agendas/{id}", "agendas.get", Read, agendas::get)
            .about("Returns an agenda with its operations.")
            .gives::<AgendaView>(OK)
            .fails(&[Kind::NotFound]),
        Route::new(Post, "/v1/agendas/{id}/cancel", "agendas.cancel", Submit, agendas::cancel)
            .about("Cancels an agenda. An agenda that has ended keeps its state.")
            .gives::<AgendaView>(OK)
            .fails(&[Kind::NotFound]),
        Route::new(Post, "/v1/agendas/{id}/rerun", "agendas.rerun", Submit, rerun::rerun)
            .about("Reruns an ended agenda, or a part of the agenda.")
            .takes::<RerunRequest>()
            .gives::<RerunResponse>(OK)
            .fails(&[
                Kind::NotFound,
                Kind::InvalidRequest,
                Kind::NotEnded,
                Kind::NothingToRun,
                Kind::UnknownCustomer,
            ]),
        Route::new(Get, "/v1/agendas/{id}/events", "agendas.watch", Read, events::stream)
            .about("Streams the events of an agenda. `Last-Event-ID` resumes a stream; the last message is of the kind `end`.")
            .content(OK, Content::Events(schema::<Event>))
            .fails(&[Kind::NotFound, Kind::InvalidQuery]),
        Route::new(Get, "/v1/agendas/{id}/logs", "agendas.logs", Read, logs::list)
            .about("Lists the logs of an agenda's operations.")
            .query::<logs::LogParams>()
            .gives::<Page<LogChunk>>(OK)
            .fails(&[Kind::NotFound]),
        Route::new(Get, "/v1/customers", "customers.list", Operate, settings::list_customers)
            .about("Lists customers by id.")
            .query::<settings::ListParams>()
            .gives::<Page<Customer>>(OK),
        Route::new(Put, "/v1/customers/{id}", "customers.put", Operate, settings::put_customer)
            .about("Creates or changes a customer.")
            .takes::<Customer>()
            .gives::<Customer>(CREATED)
            .gives::<Customer>(OK)
            .fails(&[Kind::InvalidRequest, Kind::InUse]),
        Route::new(Get, "/v1/customers/{id}", "customers.get", Operate, settings::get_customer)
            .about("Returns a customer.")
            .gives::<Customer>(OK)
            .fails(&[Kind::NotFound]),
        Route::new(Delete, "/v1/customers/{id}", "customers.delete", Operate, settings::delete_customer)
            .about("Removes a customer without live agendas.")
            .content(NO_CONTENT, Content::Nothing)
            .fails(&[Kind::NotFound, Kind::InUse]),
        Route::new(Get, "/v1/pools", "pools.list", Operate, settings::list_pools)
            .about("Lists pools by id.")
            .query::<settings::ListParams>()
            .gives::<Page<Pool>>(OK),
        Route::new(Put, "/v1/pools/{id}", "pools.put", Operate, settings::put_pool)
            .about("Creates or changes a pool.")
            .takes::<Pool>()
            .gives::<Pool>(CREATED)
            .gives::<Pool>(OK)
            .fails(&[Kind::InvalidRequest]),
        Route::new(Get, "/v1/pools/{id}", "pools.get", Operate, settings::get_pool)
            .about("Returns a pool.")
            .gives::<Pool>(OK)
            .fails(&[Kind::NotFound]),
        Route::new(Delete, "/v1/pools/{id}", "pools.delete", Operate, settings::delete_pool)
            .about("Removes a pool that no customer and no insight names.")
            .content(NO_CONTENT, Content::Nothing)
            .fails(&[Kind::NotFound, Kind::InUse]),
        Route::new(Get, "/v1/insights", "insights.list", Operate, settings::list_insights)
            .about("Lists insights by id.")
            .query::<settings::ListParams>()
            .gives::<Page<Insight>>(OK),
        Route::new(Put, "/v1/insights/{id}", "insights.put", Operate, settings::put_insight)
            .about("Creates or changes an insight.")
            .takes::<Insight>()
            .gives::<Insight>(CREATED)
            .gives::<Insight>(OK)
            .fails(&[Kind::InvalidRequest, Kind::InUse]),
        Route::new(Get, "/v1/insights/{id}", "insights.get", Operate, settings::get_insight)
            .about("Returns an insight.")
            .gives::<Insight>(OK)
            .fails(&[Kind::NotFound]),
        Route::new(Delete, "/v1/insights/{id}", "insights.delete", Operate, settings::delete_insight)
            .about("Removes an insight without live agendas.")
            .content(NO_CONTENT, Content::Nothing)
            .fails(&[Kind::NotFound, Kind::InUse]),
        Route::new(Get, "/v1/templates", "templates.list", Read, templates::list)
            .about("Lists the templates of a customer, or the templates of all customers, by name.")
            .query::<templates::ListParams>()
            .gives::<Page<TemplateView>>(OK),
        Route::new(Put, "/v1/templates/{id}", "templates.put", Manage, templates::put)
            .about("Creates or replaces a template of a customer, or of all customers.")
            .query::<templates::OwnerParams>()
            .takes::<AgendaTemplate>()
            .gives::<TemplateView>(CREATED)
            .gives::<TemplateView>(OK)
            .fails(&[Kind::InvalidRequest, Kind::InvalidTemplate, Kind::UnknownCustomer]),
        Route::new(Get, "/v1/templates/{id}", "templates.get", Read, templates::get)
            .about("Returns the template of a customer, or of all customers.")
            .query::<templates::OwnerParams>()
            .gives::<AgendaTemplate>(OK)
            .fails(&[Kind::NotFound]),
        Route::new(Delete, "/v1/templates/{id}", "templates.delete", Manage, templates::delete)
            .about("Removes a template of a customer, or of all customers.")
            .query::<templates::OwnerParams>()
            .content(NO_CONTENT, Content::Nothing)
            .fails(&[Kind::NotFound]),
        Route::new(Post, "/v1/pools/{id}/attach", "pools.attach", Work, pools::attach)
            .about("Attaches a new instance of an agent. Leases of earlier instances end, unless the new instance claims them.")
            .takes::<AttachRequest>()
            .gives::<AttachResponse>(OK)
            .fails(&[Kind::UnknownPool]),
        Route::new(Post, "/v1/pools/{id}/pull", "pools.pull", Work, pools::pull)
            .about("Leases agendas to an agent, and waits until an agenda is ready.")
            .takes::<PullRequest>()
            .gives::<PullResponse>(OK)
            .fails(&[Kind::UnknownPool, Kind::UnknownInsight, Kind::InvalidRequest, Kind::Superseded]),
        Route::new(Post, "/v1/pools/{id}/renew", "pools.renew", Work, pools::renew)
            .about("Renews the leases of an agent, and returns the leases to cancel.")
            .takes::<RenewRequest>()
            .gives::<RenewResponse>(OK)
            .fails(&[Kind::UnknownPool, Kind::Superseded]),
        Route::new(Post, "/v1/pools/{id}/report", "pools.report", Work, pools::report)
            .about("Stores an agent's report on its agendas.")
            .takes::<ReportRequest>()
            .gives::<ReportResponse>(OK)
            .fails(&[Kind::UnknownPool, Kind::InvalidRequest]),
        Route::new(Post, "/v1/pools/{id}/release", "pools.release", Work, pools::release)
            .about("Ends leases that an agent gives back.")
            .takes::<ReleaseRequest>()
            .gives::<ReleaseResponse>(OK)
            .fails(&[Kind::UnknownPool, Kind::Superseded]),
    ]
}

/// The router of the table.
pub(super) fn router(app: &AppState) -> Router<AppState> {
    let mut router = Router::new();
    for Route { path, name, permission, handler, .. } in routes() {
        router = router.route(path, super::access::guard(handler, &app.authenticate, name, permission));
    }
    router
}
