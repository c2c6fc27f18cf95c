//! The server, and the credential for it.

use wats::client::Token;

use super::fields::Fields;
use super::{Import, Settled, hosts};

pub(super) fn take(import: &mut Import, settled: &mut Settled, fields: &mut Fields<'_>) {
    for key in ["service_address", "base_url", "server_url"] {
        let Some(address) = fields.text(key) else { continue };
        match hosts::server(&address) {
            Ok(url)
                if import.config.server.url.as_ref() == Some(&url) && settled.0.contains("the server") => {}
            Ok(url) => {
                if settled.first("the server", fields, key) {
                    let to = format!("server.url = {url:?}");
                    if url == address {
                        fields.taken(key, to)
                    } else {
                        fields.translated(key, to, "written as the agent writes addresses");
                    }
                    import.config.server.url = Some(url);
                }
            }
            Err(wrong) => {
                fields.not_taken(key, format!("{wrong}: enter the server's address in the console"))
            }
        }
    }
    if let Some(token) = fields.secret("api_token") {
        match Token::from_base64(&token) {
            Ok(token) => {
                if settled.first("the credential", fields, "api_token") {
                    fields.taken("api_token", "the sealed credential, with --apply");
                    import.token = Some(token);
                }
            }
            Err(error) => fields.not_taken("api_token", format!("{error}: enter it in the console")),
        }
    }
    let client = fields.text("client_id");
    if let Some(passcode) = fields.secret("passcode") {
        match client.as_deref().map(|client| Token::from_user(client, &passcode)) {
            Some(Ok(token)) => {
                if settled.first("the credential", fields, "passcode") {
                    let why = "client_id and passcode are the user and password of the registered client";
                    fields.translated("passcode", "the sealed credential, with --apply", why);
                    import.token = Some(token);
                }
            }
            _ => fields.not_taken("passcode", "a passcode counts together with its client_id: enter a token"),
        }
    }
    // False was the default, and switches nothing off here.
    if fields.flag("registration_enabled") == Some(true) {
        fields.taken("registration_enabled", "server.register = true");
        import.config.server.register = true;
    }
    if fields.flag("verify_ssl") == Some(false) {
        let words = "the server is always verified: give your authority's certificate as server.extra_ca";
        fields.not_taken("verify_ssl", words);
    }
}
