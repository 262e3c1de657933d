//! The API in process: each route, each error.

mod access;
mod errors;
mod fixture;
mod flow;
mod openapi;
mod stored;
mod templates;
