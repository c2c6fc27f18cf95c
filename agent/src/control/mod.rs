//! The control API: the one way in for the console and the command line.

mod access;
pub mod api;
pub mod client;
mod configuration;
mod door;
mod events;
mod input_files;
mod ledger;
mod limit;
mod openapi;
mod plugins;
mod refusal;
mod registration;
mod replay;
mod reports;
mod routes;
mod server;
mod server_settings;
mod sources;
mod status;
mod token;
pub(crate) mod upload;

pub(crate) use access::caller;
pub use routes::converters;
pub use server::{Listener, ServeError, listen, serve};
pub(crate) use status::sources;
pub use status::{disk, status};
pub use token::Token;
