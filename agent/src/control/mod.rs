//! The control API: the one way in for the console and the command line.

pub mod api;
pub mod client;
mod configuration;
mod refusal;
mod routes;
mod server;
mod server_settings;
mod status;
pub(crate) mod upload;

pub use routes::converters;
pub(crate) use server::caller;
pub use server::{ServeError, listen, serve};
pub use status::{disk, status};
