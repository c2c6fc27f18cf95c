use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::control::api::{After, Unit};
use crate::files::replace_file;

/// Base64 of `user:secret`.
const TOKEN: &str = "dXNlcjpzZWNyZXQ=";

fn base() -> Settings {
    Settings::parse(Path::new("/etc/wats-agent/default.toml"), "version = 1\n").unwrap()
}

/// Imports contents as files of these names.
fn import(files: &[(&str, &[u8])]) -> Import {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (name, content) in files {
        replace_file(&folder.path().join(name), 0o600, content).unwrap();
        paths.push(folder.path().join(name));
    }
    let import = Import::of(&paths, &base());
    // Whatever came in, what comes out is a configuration, and nothing shows a secret.
    let text = crate::config::render(&import.config, "version = 1\n").unwrap();
    let read = Settings::parse(Path::new("/etc/wats-agent/default.toml"), &text).unwrap();
    assert_eq!(read.config, import.config);
    let shown = format!("{:?}{text}", import.rows);
    for secret in [TOKEN, "hunter2", "c3Rhd"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    import
}

fn import_json(content: &Value) -> Import {
    import(&[("config_default.json", content.to_string().as_bytes())])
}

#[track_caller]
fn row<'a>(import: &'a Import, key: &str) -> &'a Row {
    let found = import.rows.iter().find(|row| row.key == key);
    found.unwrap_or_else(|| panic!("no row of {key}: {:#?}", import.rows))
}

/// A service's file as its console saves it.
fn service() -> Value {
    json!({
        "schema_version": "2.0",
        "instance_id": "default",
        "instance_name": "WATS Client",
        "service_address": "https://acme.wats.com/api/",
        "api_token": TOKEN,
        "station_name": "ST-7",
        "station_name_source": "config",
        "location": "Oslo",
        "purpose": "Production",
        "proxy_mode": "manual",
        "proxy_host": "proxy.acme.local",
        "proxy_port": 3128,
        "proxy_auth": true,
        "proxy_username": "me",
        "proxy_password": "hunter2",
        "proxy_bypass": "localhost; *.acme.local, 10.1.*, <local>",
        "max_concurrent_uploads": 8,
        "max_retry_attempts": 9,
        "log_level": "DEBUG",
        "surprise": {"a": 1},
        "converters": [
            {
                "name": "ICT Line 3",
                "module_path": "pywats_client.converters.standard.teradyne_spectrum_ict_converter.TeradyneSpectrumICTConverter",
                "watch_folder": "/data/ict",
                "done_folder": "/data/ict/Done",
                "converter_type": "file",
                "priority": 2,
                "post_action": "delete",
                "file_patterns": ["*.txt"],
                "arguments": {"operationTypeCode": 50, "wrong": "x"},
                "alarm_threshold": 0.5
            },
            {
                "name": "klippel",
                "module_path": "pywats_client.converters.standard.KlippelConverter",
                "watch_folder": "C:\\Data\\Klippel",
                "file_patterns": ["*.*"],
                "enabled": false
            },
            {
                "name": "Folders",
                "module_path": "pywats_client.converters.standard.WATSStandardJsonConverter",
                "watch_folder": "/data/folders",
                "converter_type": "folder",
                "folder_patterns": ["SN*"],
                "readiness_marker": "COMPLETE.marker",
                "min_file_count": 3,
                "post_action": "keep",
                "schedule_interval_seconds": 90
            },
            {
                "name": "Mine",
                "module_path": "converters/my_converter.py",
                "watch_folder": "/data/mine"
            },
            {"name": "Auto", "module_path": "pywats_client.converters.standard.AIConverter", "watch_folder": "/data/auto"}
        ]
    })
}

#[test]
fn a_service_configuration_becomes_ours() {
    let import = import_json(&service());
    let server = &import.config.server;
    assert_eq!(server.url.as_deref(), Some("https://acme.wats.com"));
    assert_eq!(server.proxy.as_deref(), Some("http://proxy.acme.local:3128"));
    assert_eq!(server.proxy_bypass, ["localhost", "acme.local", "10.1.0.0/16"]);
    assert!(import.token.is_some());
    assert_eq!(import.proxy_credential.as_ref().map(|it| it.user.as_str()), Some("me"));
    let station = &import.config.station;
    assert_eq!(
        (station.name.as_str(), station.location.as_str(), station.purpose.as_str()),
        ("ST-7", "Oslo", "Production")
    );
    assert_eq!(import.config.delivery.uploads, 8);

    let [ict, klippel, folders, auto] = import.config.sources.as_slice() else {
        panic!("{:#?}", import.config.sources);
    };
    assert_eq!((ict.name.as_str(), ict.converter.as_str()), ("ict-line-3", "teradyne-spectrum"));
    assert_eq!((ict.folder.as_deref(), ict.priority, ict.after), (Some("/data/ict"), 2, After::Delete));
    assert_eq!(ict.file_patterns, ["*.txt"]);
    assert_eq!(ict.arguments["operationTypeCode"], "50");
    assert_eq!((auto.name.as_str(), auto.converter.as_str()), ("auto", "auto"));
    assert_eq!((klippel.folder.as_deref(), klippel.paused), (None, true));
    assert!(klippel.file_patterns.is_empty());
    let intake = &folders.intake;
    assert_eq!((intake.unit, intake.ready_marker.as_deref()), (Some(Unit::Folder), Some("COMPLETE.marker")));
    assert_eq!((folders.after, intake.include.as_slice()), (After::Keep, &["SN*".to_owned()][..]));
    assert_eq!(intake.schedule.as_ref().unwrap().every_minutes, Some(2));

    use Outcome::{NotTaken, Taken, Translated};
    for (key, outcome, words) in [
        ("service_address", Translated, "server.url"),
        ("api_token", Taken, "sealed"),
        ("converters[0].module_path", Translated, "teradyne-spectrum"),
        ("converters[0].arguments.operationTypeCode", Taken, "50"),
        ("converters[0].arguments.wrong", NotTaken, "operationTypeCode"),
        ("converters[0].done_folder", NotTaken, "own archive"),
        ("converters[1].watch_folder", Translated, "Windows"),
        ("converters[2].min_file_count", NotTaken, "marker"),
        ("converters[2].schedule_interval_seconds", Translated, "every_minutes = 2"),
        ("converters[3].module_path", NotTaken, "needs a plug-in"),
        ("converters[4].module_path", Translated, "auto"),
        ("max_retry_attempts", NotTaken, "retries by itself"),
        ("log_level", NotTaken, "PYWATS_LOG_LEVEL"),
        ("surprise", NotTaken, "does not know"),
    ] {
        let row = row(&import, key);
        assert!(row.outcome == outcome && format!("{} {}", row.to, row.why).contains(words), "{row:?}");
    }
    let bypass: Vec<_> =
        import.rows.iter().filter(|row| row.key == "proxy_bypass").map(|row| row.outcome).collect();
    assert_eq!(bypass, [Taken, Translated, Translated, NotTaken]);
}

#[test]
fn importing_twice_changes_nothing_and_the_same_name_replaces() {
    let first = import_json(&service());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    replace_file(&path, 0o600, service().to_string().as_bytes()).unwrap();
    let base = Settings { config: first.config.clone(), ..base() };
    assert_eq!(Import::of(std::slice::from_ref(&path), &base).config, first.config);
    let mut other = service();
    other["converters"][0]["watch_folder"] = json!("/data/elsewhere");
    replace_file(&path, 0o600, other.to_string().as_bytes()).unwrap();
    let again = Import::of(&[path], &base);
    assert_eq!(again.config.sources[0].folder.as_deref(), Some("/data/elsewhere"));
    assert!(again.rows.iter().any(|row| row.why.contains("replaces the source")), "{:?}", again.rows);
}

#[test]
fn the_other_files_of_a_client_are_read_too_and_the_first_that_says_something_counts() {
    // The configurator's file, with a byte-order mark and texts for numbers; the library's; a registration.
    let client = format!(
        "\u{feff}{}",
        json!({"schema_version": "1.0", "service_address": "acme.wats.com", "max_concurrent_uploads": "99",
               "converters": {"Line A": {"module_path": "WATSStandardTextConverter", "enabled": "false",
                                         "watch_folder": "/data/a", "priority": "0"}}})
    );
    let api =
        json!({"timeout_seconds": 60, "verify_ssl": false, "error_mode": "strict", "product": {"x": 1}});
    let credentials = json!({"client_id": "PC-7", "passcode": "hunter2", "base_url": "https://other.wats.com",
                             "registered_at": "2026-01-01T00:00:00"});
    let import = import(&[
        ("client_config.json", client.as_bytes()),
        ("pywats_api.json", api.to_string().as_bytes()),
        ("client_credentials.json", credentials.to_string().as_bytes()),
    ]);
    assert_eq!(import.config.server.url.as_deref(), Some("https://acme.wats.com"));
    assert_eq!(import.config.delivery.uploads, 64);
    let source = &import.config.sources[0];
    assert_eq!((source.name.as_str(), source.paused, source.priority), ("line-a", true, 1));
    assert!(import.token.is_some(), "client_id and passcode");
    assert_eq!(row(&import, "base_url").outcome, Outcome::NotTaken);
    assert!(row(&import, "verify_ssl").why.contains("extra_ca"));
    assert_eq!(row(&import, "passcode").from, "(hidden)");
    assert!(!import.rows.iter().any(|row| row.key == "registered_at" || row.key == "error_mode"));
}

#[test]
fn utf_16_is_read_and_a_broken_file_is_replaced_by_its_backup() {
    let text = json!({"service_address": "https://a.wats.com"}).to_string();
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert!(import(&[("config.json", &wide)]).config.server.url.is_some());

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config_default.json");
    for (broken, backup) in [
        (Some(&b"{\"service_address\": \"htt"[..]), "config_default.json.bak"),
        (Some(&b""[..]), "config_default.bak"),
        (None, "config_default.json.bak"),
    ] {
        let backup = folder.path().join(backup);
        replace_file(&backup, 0o600, text.as_bytes()).unwrap();
        match broken {
            Some(broken) => replace_file(&path, 0o600, broken).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let import = Import::of(std::slice::from_ref(&path), &base());
        assert_eq!(import.config.server.url.as_deref(), Some("https://a.wats.com"));
        assert!(import.rows[0].why.contains("its backup was read"), "{:?}", import.rows);
        fs::remove_file(backup).unwrap();
    }
    let import = Import::of(&[path], &base());
    assert!(!import.took_anything() && import.rows[0].outcome == Outcome::NotTaken, "{:?}", import.rows);
}

#[test]
fn of_several_stations_the_active_one_is_taken_and_the_others_are_named() {
    let import = import_json(&json!({
        "multi_station_enabled": true,
        "active_station_key": "b",
        "station_name": "old",
        "station_presets": [
            {"key": "a", "name": "ST-A", "location": "", "is_default": true},
            {"key": "b", "name": "ST-B", "location": "Hall", "purpose": "Repair"},
            "nonsense"
        ]
    }));
    let station = &import.config.station;
    assert_eq!(
        (station.name.as_str(), station.location.as_str(), station.purpose.as_str()),
        ("ST-B", "Hall", "Repair")
    );
    assert!(import.rows.iter().any(|row| row.why.contains("\"ST-A\"") && row.why.contains("instance")));
    assert_eq!(row(&import, "station_name").outcome, Outcome::NotTaken);
}

#[test]
fn hostile_files_are_named_and_nothing_of_them_comes_in() {
    for hostile in [
        &b"[1, 2]"[..],
        b"\xff\xfe\x00\xd8",
        b"\x00\x01\x02",
        b"null",
        "[".repeat(100_000).as_bytes(),
        format!("{{\"a\":{}1{}}}", "[".repeat(5000), "]".repeat(5000)).as_bytes(),
    ] {
        let import = import(&[("x.json", hostile)]);
        assert!(!import.took_anything(), "{:?}", import.rows);
        assert_eq!((import.rows.len(), import.rows[0].outcome), (1, Outcome::NotTaken));
    }
    let import = import_json(&json!({
        "service_address": "javascript:alert(1)",
        "api_token": "c3Rhd",
        "station_name": "a\u{7}b",
        "location": "x".repeat(5000),
        "proxy_mode": "manual",
        "proxy_host": "http://me:hunter2@p",
        "proxy_port": 99999,
        "max_concurrent_uploads": true,
        "converters": [
            7,
            {"name": "../../etc", "module_path": "pywats_client.converters.standard.KlippelConverter", "watch_folder": "/"},
            {"name": "up", "module_path": "SPEAConverter", "watch_folder": "/srv/../etc",
             "file_patterns": ["a/b"], "arguments": {"dialect": "no such", "partNumber": [1]}},
            {"name": "same", "module_path": "XJTAGConverter", "watch_folder": "/data/x", "cron_expression": "0 0 1 * *"},
            {"name": "same", "module_path": "XJTAGConverter", "watch_folder": "/data/x/below"},
            {"name": "\u{202e}", "module_path": "SPEAConverter", "watch_folder": 5, "priority": "high"},
            {"module_path": "os.system", "watch_folder": "/data/y"},
            {"name": "no module", "watch_folder": "/data/z"}
        ]
    }));
    assert_eq!(import.config.server, Default::default());
    assert!(import.token.is_none() && import.proxy_credential.is_none());
    assert_eq!(import.config.station.location, "");
    let names: Vec<_> = import.config.sources.iter().map(|it| (it.name.as_str(), it.paused)).collect();
    assert_eq!(names, [("etc", true), ("up", true), ("same", false), ("spea", true)], "{:#?}", import.rows);
    assert!(import.config.sources.iter().all(|it| it.arguments.is_empty() && it.file_patterns.is_empty()));
    for key in
        ["service_address", "api_token", "station_name", "location", "proxy_host", "max_concurrent_uploads"]
    {
        assert_eq!(row(&import, key).outcome, Outcome::NotTaken, "{key}");
    }
    assert!(import.rows.iter().all(|row| row.from.chars().count() <= 81 && !row.from.contains('\u{7}')));
    assert!(row(&import, "converters[6].module_path").why.contains("needs a plug-in"));
}

#[test]
fn cron_is_translated_where_it_can_be_said() {
    for (cron, every, at) in [
        ("*/15 * * * *", Some(15), &[][..]),
        ("0 */2 * * *", Some(120), &[]),
        ("5 * * * *", Some(60), &[]),
        ("* * * * *", Some(1), &[]),
        ("30 6,18 * * *", None, &["06:30", "18:30"]),
    ] {
        let schedule = times::cron(cron).unwrap_or_else(|| panic!("{cron}"));
        assert_eq!(
            (schedule.every_minutes, schedule.at.as_slice()),
            (every, &at.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..]),
            "{cron}"
        );
    }
    for cron in
        ["", "0 0 1 * *", "0 6 * * MON", "61 * * * *", "*/0 * * * *", "0 25 * * *", "a b c d e", "@daily"]
    {
        assert!(times::cron(cron).is_none(), "{cron}");
    }
}
