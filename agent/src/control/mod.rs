//! The control API: the one way in for the console and the command line.

pub mod api;
pub mod client;
mod configuration;
mod refusal;
mod registration;
mod replay;
mod routes;
mod server;
mod server_settings;
mod status;
pub(crate) mod upload;

pub use routes::converters;
pub(crate) use server::caller;
pub use server::{ServeError, listen, serve};
pub(crate) use status::sources;
pub use status::{disk, status};
