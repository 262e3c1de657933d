//! Tests of the API without a port: each route, each error.

mod access;
mod errors;
mod fixture;
mod flow;
mod openapi;
mod stored;
mod templates;
