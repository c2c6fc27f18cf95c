//! The proxy, in its two forms, and what is reached without it.

use serde_json::Value;

use super::fields::Fields;
use super::{Import, Settled, hosts};
use crate::control::api::UserPassword;

pub(super) fn take(import: &mut Import, settled: &mut Settled, fields: &mut Fields<'_>) {
    let mode = fields.text("proxy_mode").map(|it| it.to_lowercase());
    if mode.as_deref() == Some("manual") {
        manual_proxy(
            import,
            settled,
            fields,
            "proxy_host",
            ["proxy_port", "proxy_username", "proxy_password"],
        );
    } else {
        if fields.text("proxy_host").is_some() {
            fields.not_taken(
                "proxy_host",
                "the mode is not manual, so it was not meant: set server.proxy if it is",
            );
        }
        for key in ["proxy_port", "proxy_username"] {
            fields.value(key);
        }
        fields.secret("proxy_password");
    }
    fields.value("proxy_auth");
    match mode.as_deref() {
        Some("system") => {
            fields.translated("proxy_mode", "", "HTTP_PROXY, HTTPS_PROXY and NO_PROXY are used anyway")
        }
        Some("none") => fields.taken("proxy_mode", "no server.proxy; unset HTTP_PROXY where it is set"),
        Some("manual") | None => {}
        Some(_) => fields.not_taken("proxy_mode", "it is none of none, system and manual"),
    }
    if let Some(list) = fields.text("proxy_bypass") {
        bypass(import, fields, &list);
    }
    match fields.value("proxy") {
        Some(Value::Object(inner)) => {
            let mut below = fields.below("proxy", inner);
            if below.flag("enabled") == Some(true) {
                manual_proxy(import, settled, &mut below, "host", ["port", "username", "password"]);
            } else {
                for key in ["host", "port", "username", "password"] {
                    below.value(key);
                }
            }
            below.unknown("the agent does not know this key: it has no effect");
            fields.add(below.into_rows());
        }
        Some(_) => fields.not_taken("proxy", "it is no table of host and port: set server.proxy"),
        None => {}
    }
}

fn manual_proxy(
    import: &mut Import,
    settled: &mut Settled,
    fields: &mut Fields<'_>,
    host_key: &str,
    [port_key, user_key, password_key]: [&str; 3],
) {
    let (user, password) = (fields.text(user_key), fields.secret(password_key));
    let port = fields.number(port_key).unwrap_or(8080.0);
    let Some(host) = fields.text(host_key) else {
        return fields.not_taken(host_key, "a proxy is asked for, but none is named: set server.proxy");
    };
    match hosts::proxy(&host, port) {
        Ok(proxy) => {
            if !settled.first("the proxy", fields, host_key) {
                return;
            }
            fields.translated(
                host_key,
                format!("server.proxy = {proxy:?}"),
                "host and port are one address here",
            );
            import.config.server.proxy = Some(proxy);
            if let Some(user) = user {
                if user.contains(':') {
                    fields.not_taken(user_key, "a user name cannot hold a colon: enter it in the console");
                    return;
                }
                fields.taken(user_key, "the sealed credential of the proxy, with --apply");
                let password = password.unwrap_or_default();
                import.proxy_credential = Some(UserPassword { user, password });
            }
        }
        Err(wrong) => fields.not_taken(host_key, format!("{wrong}: set server.proxy")),
    }
}

fn bypass(import: &mut Import, fields: &mut Fields<'_>, list: &str) {
    let entries =
        list.split(|c: char| matches!(c, ',' | ';') || c.is_whitespace()).filter(|it| !it.is_empty());
    for entry in entries {
        match hosts::bypass(entry) {
            Ok(name) => {
                let to = format!("server.proxy_bypass: {name:?}");
                if name == entry {
                    fields.taken("proxy_bypass", to)
                } else {
                    fields.translated("proxy_bypass", to, format!("{entry:?}, as the agent writes it"));
                }
                if !import.config.server.proxy_bypass.contains(&name) {
                    import.config.server.proxy_bypass.push(name);
                }
            }
            Err(wrong) => fields.not_taken("proxy_bypass", wrong),
        }
    }
}
