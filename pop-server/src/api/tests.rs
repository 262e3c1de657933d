//! The API in process: each route, each error.

mod errors;
mod fixture;
mod flow;
mod stored;
mod templates;
