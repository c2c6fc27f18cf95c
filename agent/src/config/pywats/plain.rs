//! Everything but the converters: server, proxy, station, delivery, and what has no counterpart.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use wats::client::Token;

use super::super::Settings;
use super::super::validate::station_problems;
use super::fields::Fields;
use super::{Import, hosts};
use crate::control::api::{Station, UserPassword};

/// What an earlier file has decided.
#[derive(Debug, Default)]
pub(super) struct Settled(BTreeSet<&'static str>);

impl Settled {
    /// True for the first who says it; what comes later is named as left aside.
    fn first(&mut self, what: &'static str, fields: &mut Fields<'_>, key: &str) -> bool {
        let first = self.0.insert(what);
        if !first {
            fields.not_taken(key, format!("{what} is known already, from what stands before"));
        }
        first
    }
}

pub(super) fn server(import: &mut Import, settled: &mut Settled, fields: &mut Fields<'_>) {
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
    if fields.flag("verify_ssl") == Some(false) {
        let words = "the server is always verified: give your authority's certificate as server.extra_ca";
        fields.not_taken("verify_ssl", words);
    }
}

pub(super) fn proxy(import: &mut Import, settled: &mut Settled, fields: &mut Fields<'_>) {
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

pub(super) fn station(import: &mut Import, settled: &mut Settled, fields: &mut Fields<'_>) {
    let source = fields.text("station_name_source").map(|it| it.to_lowercase());
    let hub = fields.flag("multi_station_enabled") == Some(true);
    let active = fields.text("active_station_key");
    if let Some(presets) = fields.value("station_presets") {
        match presets.as_array() {
            Some(presets) if hub => self::presets(import, settled, fields, presets, active.as_deref()),
            Some(presets) if presets.is_empty() => {}
            Some(_) => fields.not_taken("station_presets", "several stations were not switched on"),
            None => fields.not_taken("station_presets", "it is no list: set [station]"),
        }
    }
    let is_host = source.as_deref() == Some("hostname");
    for (key, what) in [
        ("station_name", "the station's name"),
        ("location", "the station's location"),
        ("purpose", "the station's purpose"),
    ] {
        let Some(text) = fields.text(key) else { continue };
        if key == "station_name" && is_host {
            fields.translated(key, "", "the station was named after its host, as the agent does by itself");
            continue;
        }
        set_station(import, settled, fields, (key, what), text);
    }
    if fields.text("station_description").is_some() {
        fields
            .not_taken("station_description", "a description is not part of reports: it was for people only");
    }
    if fields.flag("include_station_in_reports") == Some(false) {
        let words = "the agent always names the station in reports whose file does not";
        fields.not_taken("include_station_in_reports", words);
    }
}

fn set_station(
    import: &mut Import,
    settled: &mut Settled,
    fields: &mut Fields<'_>,
    (key, what): (&str, &'static str),
    text: String,
) {
    let mut station = Station::default();
    let place = |station: &mut Station, text: String| match what {
        "the station's name" => station.name = text,
        "the station's location" => station.location = text,
        _ => station.purpose = text,
    };
    place(&mut station, text.clone());
    if let Some(problem) = station_problems(&station).into_iter().next() {
        return fields.not_taken(key, problem.message);
    }
    if settled.first(what, fields, key) {
        let ours = what.trim_start_matches("the station's ");
        fields.taken(key, format!("station.{ours} = {text:?}"));
        place(&mut import.config.station, text);
    }
}

/// Of several stations the active one is taken: an agent is one station.
fn presets(
    import: &mut Import,
    settled: &mut Settled,
    fields: &mut Fields<'_>,
    presets: &[Value],
    active: Option<&str>,
) {
    let objects: Vec<(usize, &Map<String, Value>)> =
        presets.iter().enumerate().filter_map(|(at, it)| Some((at, it.as_object()?))).collect();
    let of = |it: &Map<String, Value>, key: &str| {
        it.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let is_active = |it: &Map<String, Value>| active.is_some_and(|key| of(it, "key") == key);
    let is_default = |it: &Map<String, Value>| it.get("is_default") == Some(&Value::Bool(true));
    let chosen = objects
        .iter()
        .find(|(_, it)| is_active(it))
        .or_else(|| objects.iter().find(|(_, it)| is_default(it)))
        .map(|(at, _)| *at);
    if objects.len() < presets.len() {
        fields.not_taken("station_presets", "some entries are no tables");
    }
    for (at, preset) in objects {
        let name = of(preset, "name");
        if Some(at) != chosen {
            let words = format!(
                "station {name:?}: an agent is one station; make an instance of its own for it, with its own folders"
            );
            fields.not_taken("station_presets", words);
            continue;
        }
        for (key, what) in [
            ("name", "the station's name"),
            ("location", "the station's location"),
            ("purpose", "the station's purpose"),
        ] {
            let text = of(preset, key);
            if !text.is_empty() {
                set_station(import, settled, fields, ("station_presets", what), text);
            }
        }
    }
}

pub(super) fn delivery(import: &mut Import, settled: &mut Settled, fields: &mut Fields<'_>) {
    if let Some(uploads) = fields.number("max_concurrent_uploads") {
        let fitting = uploads.round().clamp(1.0, 64.0);
        if settled.first("the number of uploads", fields, "max_concurrent_uploads") {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above")]
            let fitting_number = fitting as u32;
            import.config.delivery.uploads = fitting_number;
            let to = format!("delivery.uploads = {fitting_number}");
            if (fitting - uploads).abs() < f64::EPSILON {
                fields.taken("max_concurrent_uploads", to);
            } else {
                fields.translated("max_concurrent_uploads", to, "1 to 64 are possible");
            }
        }
    }
    if let Some(folder) = fields.text("reports_folder")
        && folder != "reports"
    {
        let words = "the agent's queue is a database. Reports that still wait there (*.queued, *.error) are WSJF: copy \
                     them as *.json into the folder of a wats-json source";
        fields.not_taken("reports_folder", words);
    }
}

pub(super) fn instance(base: &Settings, fields: &mut Fields<'_>) {
    if let Some(instance) = fields.text("instance_id")
        && instance != base.instance
    {
        let path = format!("/etc/wats-agent/{instance}.toml");
        let words = format!(
            "an instance is named after its file: give --config {path} to import into one of that name"
        );
        fields.not_taken("instance_id", words);
    }
    if let Some(version) = fields.text("schema_version")
        && !matches!(version.split('.').next(), Some("1" | "2"))
    {
        fields.not_taken("schema_version", "only 1.x and 2.x are known: compare what was taken");
    }
}

/// Keys that nothing of ours stands for: with their default they say nothing, else why they are left out is said.
pub(super) fn without_counterpart(fields: &mut Fields<'_>) {
    let registration = "registering the client is no setting of the agent: a token is enough";
    let serial = "serial numbers are not handed out by the agent";
    let packages = "software packages are not fetched by the agent";
    let retry = "the agent retries by itself, for as long as it takes";
    let queue = "the queue is bounded by the disk: see storage.least_free_mb";
    let api = "the control API is at its socket; the client never served this one";
    let hook = "the client never called it; watch health and metrics instead";
    let log = "set PYWATS_LOG_LEVEL or RUST_LOG for the service; the log is in the journal";
    let window = "it belongs to a window of the client";
    let never = "it had no effect in the client";
    for (key, usual, why) in [
        ("instance_name", json!("WATS Client"), "instances have no second name here"),
        ("username", json!(""), never),
        ("registration_enabled", json!(false), registration),
        ("registered_at", Value::Null, registration),
        ("auto_detect_location", json!(false), never),
        ("sn_type_name", json!(""), serial),
        ("sn_request_type", json!("Take"), serial),
        ("sn_batch_size", json!(10), serial),
        ("sn_fetch_threshold", json!(3), serial),
        ("sn_only_in_sequence", json!(false), serial),
        ("sn_start_from", json!(""), serial),
        ("sw_prefetch_enabled", json!(false), packages),
        ("sw_prefetch_interval_seconds", json!(3600), packages),
        ("sw_prefetch_filter", json!(""), packages),
        ("sw_prefetch_root_path", json!(""), packages),
        ("sw_auto_cleanup_revoked", json!(true), packages),
        ("software_auto_update", json!(false), packages),
        ("sync_interval_seconds", json!(300), never),
        ("process_sync_enabled", json!(true), never),
        ("offline_queue_enabled", json!(true), "the queue is always on"),
        ("max_retry_attempts", json!(5), retry),
        ("retry_interval_seconds", json!(60), retry),
        ("max_retries", json!(3), retry),
        ("retry_delay_seconds", json!(1), retry),
        ("timeout_seconds", json!(30), "the agent gives a large report more time by itself"),
        ("max_queue_size", json!(10000), queue),
        ("enable_cache", json!(true), never),
        ("cache_ttl_seconds", json!(300.0), never),
        ("cache_max_size", json!(1000), never),
        ("enable_metrics", json!(true), "metrics are always on: /metrics of health.listen"),
        ("metrics_port", json!(9090), "metrics are always on: /metrics of health.listen"),
        ("converters_folder", json!("converters"), "files of your own need a plug-in"),
        ("converters_enabled", json!(true), "pause the sources instead"),
        ("yield_monitor_enabled", json!(false), "yield is watched on the server"),
        ("yield_threshold", json!(95.0), "yield is watched on the server"),
        ("location_services_enabled", json!(false), never),
        ("api_enabled", json!(false), api),
        ("api_host", json!("127.0.0.1"), api),
        ("api_port", json!(8080), api),
        ("api_base_path", json!("/api/v1"), api),
        ("api_cors_enabled", json!(false), api),
        ("api_cors_origins", json!("*"), api),
        ("api_auth_type", json!("None"), api),
        ("api_rate_limit_enabled", json!(false), api),
        ("api_rate_limit_requests", json!(100), api),
        ("api_rate_limit_window", json!(60), api),
        ("webhook_converter_url", json!(""), hook),
        ("webhook_report_url", json!(""), hook),
        ("webhook_service_url", json!(""), hook),
        ("webhook_auth_header", json!(""), hook),
        ("webhook_auth_value", json!(""), hook),
        ("show_software_tab", json!(true), window),
        ("show_sn_handler_tab", json!(true), window),
        ("show_converters_tab", json!(true), window),
        ("show_location_tab", json!(true), window),
        ("show_proxy_tab", json!(true), window),
        ("auto_connect", json!(true), window),
        ("was_connected", json!(false), window),
        ("service_auto_start", json!(true), "systemctl enable wats-agent@<instance> does this"),
        ("log_level", json!("INFO"), log),
        ("log_file", json!("client.log"), log),
        ("log_requests", json!(false), log),
        ("log_responses", json!(false), log),
        ("error_mode", json!("strict"), never),
        ("start_minimized", json!(false), window),
        ("minimize_to_tray", json!(true), window),
        ("watch_folders", json!([]), "the client dropped it when it saved: make sources of the folders"),
        ("watch_folder", json!(""), "the client dropped it when it saved: make a source of the folder"),
    ] {
        // What a window remembers is no setting.
        if let Some(value) = fields.value(key)
            && !same(value, &usual)
            && why != window
            && key != "registered_at"
        {
            fields.not_taken(key, why);
        }
    }
}

/// 300 and 300.0 are the same, and so are a number and its text.
fn same(value: &Value, usual: &Value) -> bool {
    match (value.as_f64(), usual.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < f64::EPSILON,
        _ => value == usual || value.as_str().is_some_and(|text| text == usual.to_string()),
    }
}
