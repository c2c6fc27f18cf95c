use std::path::Path;

use expect_test::{Expect, expect};

use super::keys::Keys;
use super::*;
use crate::control::api::{Schedule, SourceIntake};
use crate::files;

const PATH: &str = "/etc/wats-agent/line2.toml";

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "an inline snapshot is made at the call")]
fn check(text: &str, expected: Expect) {
    let shown = match Settings::parse(Path::new(PATH), text) {
        Ok(settings) => format!("right: {} sources\n", settings.config.sources.len()),
        Err(error) => format!("{error}\n"),
    };
    let all: Vec<_> = wats_converters::catalogue().iter().map(|it| it.about().name).collect();
    expected.assert_eq(&shown.replace(&all.join(", "), "all of them"));
}

#[test]
fn an_empty_file_is_right() {
    check(
        "",
        expect![[r#"
        right: 0 sources
    "#]],
    );
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    check(
        "version = 1\n[server]\nurll = \"https://a\"\n",
        expect![[r#"
            /etc/wats-agent/line2.toml: line 3: server.urll: unknown key; did you mean "url"? known here: url, proxy, proxy_bypass, extra_ca, register
        "#]],
    );
}

#[test]
fn a_wrong_kind_of_value_is_named_with_its_line() {
    check(
        "[delivery]\n\nuploads = \"many\"\n",
        expect![[r#"
            /etc/wats-agent/line2.toml: line 3: delivery.uploads: invalid type: string "many", expected a whole number
        "#]],
    );
}

#[test]
fn what_is_no_toml_is_named_with_its_line() {
    check(
        "version = 1\n[server\n",
        expect![[r#"
        /etc/wats-agent/line2.toml: line 2: unclosed table, expected `]`
    "#]],
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    check(
        r#"
version = 2
[station]
time_zone = "Mars/Base"
[server]
url = "wats.example.com"
[delivery]
uploads = 0
[[sources]]
name = "One"
converter = "none"
folder = "relative"
[[sources]]
name = "two"
converter = "wats-json"
folder = "/srv/in"
arguments = { nonsense = "1" }
[[sources]]
name = "two"
converter = "wats-json"
folder = "/srv/in/below"
file_patterns = ["a/b"]
"#,
        expect![[r#"
            /etc/wats-agent/line2.toml: line 2: version: this agent reads version 1, not 2: the file was made for another agent
            /etc/wats-agent/line2.toml: line 4: station.time_zone: "Mars/Base" is no time zone, like Europe/Oslo
            /etc/wats-agent/line2.toml: line 6: server.url: "wats.example.com" is no address: relative URL without a base
            /etc/wats-agent/line2.toml: line 8: delivery.uploads: 0 is out of range: 1 to 64
            /etc/wats-agent/line2.toml: line 10: sources[0].name: use lower-case letters, digits and dashes, at most 64, like line-3
            /etc/wats-agent/line2.toml: line 11: sources[0].converter: there is no converter "none"; known: auto, all of them
            /etc/wats-agent/line2.toml: line 12: sources[0].folder: "relative" must be an absolute path, from / on
            /etc/wats-agent/line2.toml: line 17: sources[1].arguments.nonsense: there is no argument "nonsense"; known: defaultProcessCode
            /etc/wats-agent/line2.toml: line 19: sources[2].name: there is already a source "two"
            /etc/wats-agent/line2.toml: line 22: sources[2].file_patterns[0]: "a/b" is no pattern of a file name, like *.json
        "#]],
    );
}

#[test]
fn what_is_wrong_in_how_files_are_found_is_named_with_its_line() {
    check(
        r#"
[intake]
share_timeout_seconds = 0
[[sources]]
name = "one"
converter = "wats-json"
[sources.intake]
recursive = true
unit = "folder"
include = ["/abs", "a["]
quiet_seconds = 0
max_file_bytes = 5
ready_marker = "*.done"
schedule = { every_minutes = 5, at = ["6:30"] }
[[sources]]
name = "two"
converter = "wats-json"
intake = { ready_marker = "done", schedule = { every_minutes = 0 }, poll_seconds = 4000 }
"#,
        expect![[r#"
            /etc/wats-agent/line2.toml: line 3: intake.share_timeout_seconds: 0 is out of range: 1 to 600
            /etc/wats-agent/line2.toml: line 8: sources[0].intake.recursive: cannot be combined with units of several files
            /etc/wats-agent/line2.toml: line 10: sources[0].intake.include[0]: "/abs" is no path below the folder, like line-?/**/*.xml
            /etc/wats-agent/line2.toml: line 10: sources[0].intake.include[1]: "a[" is no pattern: unclosed character class; missing ']'
            /etc/wats-agent/line2.toml: line 11: sources[0].intake.quiet_seconds: 0 is out of range: 1 to 86400
            /etc/wats-agent/line2.toml: line 12: sources[0].intake.max_file_bytes: 5 is out of range: 1024 to 1073741824
            /etc/wats-agent/line2.toml: line 13: sources[0].intake.ready_marker: "*.done" is no marker, like COMPLETE.marker
            /etc/wats-agent/line2.toml: line 14: sources[0].intake.schedule: say either every_minutes = 15 or at = ["06:30"]
            /etc/wats-agent/line2.toml: line 14: sources[0].intake.schedule.at[0]: "6:30" is no time of day, like 06:30
            /etc/wats-agent/line2.toml: line 18: sources[1].intake.poll_seconds: 4000 is out of range: 1 to 3600
            /etc/wats-agent/line2.toml: line 18: sources[1].intake.ready_marker: "done" is no marker, like *.done
            /etc/wats-agent/line2.toml: line 18: sources[1].intake.schedule.every_minutes: 0 is out of range: 1 to 1440
        "#]],
    );
}

#[test]
fn a_changed_configuration_is_saved_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("default.toml");
    let mut settings = Settings::parse(&path, "").unwrap();
    settings.config.server.url = Some("https://acme.wats.com".to_owned());
    settings.config.sources.push(SourceSettings {
        name: "line-1".to_owned(),
        converter: "wats-json".to_owned(),
        folder: None,
        file_patterns: vec!["*.js".to_owned()],
        arguments: Default::default(),
        after: crate::control::api::After::Keep,
        paused: true,
        priority: crate::control::api::USUAL_PRIORITY,
        intake: SourceIntake {
            recursive: true,
            exclude: vec!["old/".to_owned()],
            schedule: Some(Schedule { every_minutes: None, at: vec!["06:30".to_owned()] }),
            ..SourceIntake::default()
        },
    });
    settings.save().unwrap();
    assert_eq!(Settings::load(&path).unwrap(), settings);
    assert_eq!(settings.instance, "default");
    assert_eq!(settings.folder_of(&settings.config.sources[0]), Path::new("/srv/wats/default/line-1"));
}

#[test]
fn everything_that_does_not_fit_the_schema_is_said_at_once_with_what_is_out_of_range() {
    check(
        r#"
token = "secret"
[server]
urll = "https://a"
prxoy = 5
[delivery]
uploads = "many"
requests_per_minute = 1000000
[[sources]]
converter = "wats-json"
[[sources]]
name = "two"
convertr = "wats-json"
after = "zip"
[[sources]]
name = "Three"
converter = "wats-json"
arguments = { defaultProcessCode = 10 }
[sources.intake]
recursive = 1
schedule = { every_minute = 5 }
"#,
        expect![[r#"
            /etc/wats-agent/line2.toml: line 2: token: unknown key; known here: version, station, server, delivery, intake, convert, health, control, retention, storage, plugins, sandbox, sources
            /etc/wats-agent/line2.toml: line 4: server.urll: unknown key; did you mean "url"? known here: url, proxy, proxy_bypass, extra_ca, register
            /etc/wats-agent/line2.toml: line 5: server.prxoy: unknown key; did you mean "proxy"? known here: url, proxy, proxy_bypass, extra_ca, register
            /etc/wats-agent/line2.toml: line 7: delivery.uploads: invalid type: string "many", expected a whole number
            /etc/wats-agent/line2.toml: line 8: delivery.requests_per_minute: 1000000 is out of range: 0 to 100000
            /etc/wats-agent/line2.toml: line 9: sources[0]: the key "name" is missing
            /etc/wats-agent/line2.toml: line 11: sources[1]: the key "converter" is missing
            /etc/wats-agent/line2.toml: line 13: sources[1].convertr: unknown key; did you mean "converter"? known here: name, converter, folder, file_patterns, arguments, after, paused, priority, intake
            /etc/wats-agent/line2.toml: line 16: sources[2].name: use lower-case letters, digits and dashes, at most 64, like line-3
            /etc/wats-agent/line2.toml: line 18: sources[2].arguments.defaultProcessCode: invalid type: integer `10`, expected a text in quotes
            /etc/wats-agent/line2.toml: line 20: sources[2].intake.recursive: invalid type: integer `1`, expected true or false
            /etc/wats-agent/line2.toml: line 21: sources[2].intake.schedule.every_minute: unknown key; did you mean "every_minutes"? known here: every_minutes, at
            /etc/wats-agent/line2.toml: line 21: sources[2].intake.schedule: say either every_minutes = 15 or at = ["06:30"]
        "#]],
    );
}

#[test]
fn every_place_where_the_file_is_no_toml_is_said() {
    check(
        "version = \n[server\nurl = \"a\"\n[delivery]\nuploads = 4 5\n",
        expect![[r#"
            /etc/wats-agent/line2.toml: line 1: string values must be quoted, expected literal string
            /etc/wats-agent/line2.toml: line 2: unclosed table, expected `]`
            /etc/wats-agent/line2.toml: line 5: string values must be quoted, expected literal string
        "#]],
    );
}

#[test]
fn a_running_agent_is_found_although_its_file_was_broken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line2.toml");
    for broken in [
        "[control]\nsocket = \"/run/x.sock\"\nsokcet = 1\n[delivery]\nuploads = \"a\"\n",
        "[control]\nsocket = \"/run/x.sock\"\n[delivery\nuploads = 4\n",
    ] {
        files::replace_file(&path, 0o640, broken.as_bytes()).unwrap();
        assert!(Settings::load(&path).is_err());
        assert_eq!(Settings::whereabouts(&path).unwrap().socket(), Path::new("/run/x.sock"), "{broken}");
    }
    files::replace_file(&path, 0o640, b"\xff\xfe").unwrap();
    assert_eq!(Settings::whereabouts(&path).unwrap().socket(), Path::new("/run/wats-agent/line2.sock"));
}

#[test]
fn a_save_changes_only_what_changed_and_keeps_comments() {
    let before = "# our line\nversion = 1\n\n[delivery] # slow server\nuploads = 2\n\n# first\n[[sources]]\nname = \"a\" \
                  # the old one\nconverter = \"wats-json\"\n\n# second\n[[sources]]\nname = \"b\"\nconverter = \"wats-xml\"\n\
                  [sources.intake]\nrecursive = true\n";
    let mut config = Settings::parse(Path::new(PATH), before).unwrap().config;
    assert_eq!(render(&config, before).unwrap(), before);
    config.server.url = Some("https://acme.wats.com".to_owned());
    config.server.proxy_bypass = vec!["intranet".to_owned()];
    config.delivery.uploads = 4;
    config.sources.remove(0);
    config.sources[0].paused = true;
    let new = SourceSettings { name: "c".to_owned(), ..config.sources[0].clone() };
    config.sources.insert(0, new);
    let text = render(&config, before).unwrap();
    assert_eq!(toml::from_str::<Config>(&text).unwrap(), config, "{text}");
    for kept in ["# our line\n", "# slow server\nuploads = 4\n", "# second\n[[sources]]\nname = \"b\"\n"] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    assert!(!text.contains("the old one") && !text.contains("settle_seconds"), "{text}");
    // Other shapes of the same lose no value either.
    let inline = "version = 1\nsources = [{ name = \"a\", converter = \"wats-json\" }]\nserver = { url = \"https://a\" }\n";
    assert_eq!(toml::from_str::<Config>(&render(&config, inline).unwrap()).unwrap(), config);
    let dotted = "server.url = \"https://a\"\ndelivery.uploads = 9\n";
    assert_eq!(toml::from_str::<Config>(&render(&config, dotted).unwrap()).unwrap(), config);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Settings::load(Path::new("/nonexistent/a.toml")).unwrap_err();
    assert_eq!(error.to_string(), "could not read the configuration /nonexistent/a.toml");
    assert!(matches!(Settings::parse(Path::new("/a b.toml"), ""), Err(ConfigError::Name { .. })));
}

/// With a value for every key. A new key of the schema belongs here: it does not compile without.
fn full() -> Config {
    let Config { version, station, delivery, intake, convert, health, retention, plugins, .. } =
        Config::default();
    let source = SourceSettings {
        name: "a".to_owned(),
        converter: "wats-json".to_owned(),
        folder: Some("/a".to_owned()),
        file_patterns: vec!["*".to_owned()],
        arguments: [("a".to_owned(), "b".to_owned())].into(),
        after: crate::control::api::After::Keep,
        paused: true,
        priority: 1,
        intake: SourceIntake {
            recursive: true,
            include: vec!["*".to_owned()],
            exclude: vec!["*".to_owned()],
            quiet_seconds: Some(1),
            ignore_close: true,
            ready_marker: Some("*.done".to_owned()),
            max_file_bytes: Some(1024),
            unit: Some(crate::control::api::Unit::File),
            watch: crate::control::api::Watch::Poll,
            poll_seconds: Some(1),
            schedule: Some(Schedule { every_minutes: Some(1), at: Vec::new() }),
        },
    };
    Config {
        version,
        station,
        server: Server {
            url: Some("https://a".to_owned()),
            proxy: Some("http://p".to_owned()),
            proxy_bypass: vec!["b".to_owned()],
            extra_ca: Some("c".to_owned()),
            register: true,
        },
        delivery: Delivery { paused: true, ..delivery },
        intake: Intake { paused: true, ..intake },
        convert,
        health,
        control: Control {
            socket: Some("/s".into()),
            listen: Some("127.0.0.1:8765".parse().unwrap()),
            ..Control::default()
        },
        retention,
        storage: Storage { folder: Some("/f".into()), machine_key: Some("/k".into()), least_free_mb: 256 },
        plugins: Plugins {
            folder: Some("/p".into()),
            enabled: vec![EnabledPlugin {
                file: "acme.py".to_owned(),
                sha256: "0".repeat(64),
                trusted: vec![Part::Network],
                environment: PythonPackages::Compat,
            }],
            ..plugins
        },
        sandbox: Sandbox::default(),
        sources: vec![source],
    }
}

/// Key and default, in order, by the table that they stand in: `server`, `sources.intake`; empty for those of the top.
fn documented() -> Vec<(String, String, String)> {
    let page = include_str!("../../../docs/configuration.md");
    let keys = page.split("\n## ").find(|part| part.starts_with("Keys\n")).unwrap();
    let mut table = String::new();
    let mut rows = Vec::new();
    for line in keys.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            table = title.trim_matches(['`', '[', ']']).to_owned();
        } else if let Some(row) = line.strip_prefix("| `") {
            let (key, rest) = row.split_once('`').unwrap();
            rows.push((table.clone(), key.to_owned(), rest.split(" | ").nth(1).unwrap().to_owned()));
        }
    }
    rows
}

#[test]
fn the_reference_of_keys_is_complete_and_its_defaults_are_true() {
    let keys = |config: &Config| -> Vec<(String, String, toml::Value)> {
        let mut found = Vec::new();
        let mut add = |table: &str, values: &toml::Table| {
            let inner = |key: &str| matches!((table, key), ("sources", "intake") | ("plugins", "enabled"));
            for (key, value) in values.iter().filter(|(key, _)| !inner(key)) {
                found.push((table.to_owned(), key.clone(), value.clone()));
            }
        };
        for (key, value) in toml::Table::try_from(config).unwrap() {
            match value {
                toml::Value::Table(inner) => {
                    add(&key, &inner);
                    if let Some(enabled) = inner.get("enabled").and_then(|it| it.get(0)?.as_table()) {
                        add("plugins.enabled", enabled);
                    }
                }
                toml::Value::Array(items) => {
                    let source = items[0].as_table().unwrap();
                    add("sources", source);
                    add("sources.intake", source["intake"].as_table().unwrap());
                }
                value => add("", &toml::Table::from_iter([(key, value)])),
            }
        }
        found
    };
    let sorted = |mut list: Vec<(String, String)>| {
        list.sort();
        list
    };
    let written = sorted(documented().into_iter().map(|(table, key, _)| (table, key)).collect());
    let known = sorted(keys(&full()).into_iter().map(|(table, key, _)| (table, key)).collect());
    assert_eq!(written, known);

    // What a person writes is the default where the page shows one in this form.
    for (table, key, value) in keys(&Config::default()) {
        let (.., shown) = documented().into_iter().find(|it| (&it.0, &it.1) == (&table, &key)).unwrap();
        if let Some(shown) = shown.strip_prefix('`').and_then(|it| it.strip_suffix('`')) {
            assert_eq!(shown, value.to_string(), "{table}.{key}");
        }
    }
    // Those that need a restart are marked.
    let mut wanted = full();
    let waiting = keep_until_restart(&Config::default(), &mut wanted);
    let page = include_str!("../../../docs/configuration.md");
    assert_eq!(page.matches("` ↻ |").count(), waiting.len(), "{waiting:?}");
}

#[test]
fn no_text_brings_the_reader_down() {
    let whole = "version = 1\n[server]\nurl = \"https://a\"\n[[sources]]\nname = \"a\"\nconverter = \"wats-json\"\n\
                 arguments = { a = \"1\" }\n[sources.intake]\ninclude = [\"x\", 'y']\nschedule = { at = [\"06:30\"] }\n";
    let path = Path::new(PATH);
    let mut texts: Vec<String> = (0..whole.len()).map(|end| whole.chars().take(end).collect()).collect();
    for at in 0..whole.len() {
        for c in ["[", "]", "\"", "=", "\n", "{", ".", "\u{0}", "é", "9"] {
            let (before, after) = whole.split_at(at);
            texts.push(before.chars().chain(c.chars()).chain(after.chars().skip(1)).collect());
        }
    }
    texts.push(format!("a = {}", "[".repeat(100_000)));
    texts.push(format!("{}b = 1", "a.".repeat(20_000)));
    texts.push(format!("[{}b]", "a.".repeat(20_000)));
    texts.push("[[sources]]\n".repeat(2000));
    texts.push((0..2000).map(|number| format!("key{number} = 1\n")).collect());
    for text in texts {
        if let Err(ConfigError::Wrong { mistakes, .. }) = Settings::parse(path, &text) {
            assert!(!mistakes.is_empty() && mistakes.len() < 2100);
        }
        let (config, _) = Keys::of(&text).read();
        assert!(config.sources.len() <= 2000);
    }
}
