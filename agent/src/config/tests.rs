use std::path::Path;

use expect_test::{Expect, expect};

use super::*;
use crate::control::api::{Schedule, SourceIntake};

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
        /etc/wats-agent/line2.toml: line 3: server.urll: unknown field `urll`, expected one of `url`, `proxy`, `extra_ca`, `register`
    "#]],
    );
}

#[test]
fn a_wrong_kind_of_value_is_named_with_its_line() {
    check(
        "[delivery]\n\nuploads = \"many\"\n",
        expect![[r#"
        /etc/wats-agent/line2.toml: line 3: delivery.uploads: invalid type: string "many", expected u32
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
            /etc/wats-agent/line2.toml: line 2: version: this agent reads version 1, not 2
            /etc/wats-agent/line2.toml: line 4: station.time_zone: "Mars/Base" is no time zone, like Europe/Oslo
            /etc/wats-agent/line2.toml: line 6: server.url: "wats.example.com" is no address: relative URL without a base
            /etc/wats-agent/line2.toml: line 8: delivery.uploads: 0 is out of range: 1 to 64
            /etc/wats-agent/line2.toml: line 10: sources[0].name: use lower-case letters, digits and dashes, at most 64, like line-3
            /etc/wats-agent/line2.toml: line 12: sources[0].folder: "relative" must be an absolute path, from / on
            /etc/wats-agent/line2.toml: line 11: sources[0].converter: there is no converter "none"; known: auto, all of them
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
            /etc/wats-agent/line2.toml: line 10: sources[0].intake.include[0]: "/abs" is no path below the folder, like line-?/**/*.xml
            /etc/wats-agent/line2.toml: line 10: sources[0].intake.include[1]: "a[" is no pattern: unclosed character class; missing ']'
            /etc/wats-agent/line2.toml: line 11: sources[0].intake.quiet_seconds: 0 is out of range: 1 to 86400
            /etc/wats-agent/line2.toml: line 12: sources[0].intake.max_file_bytes: 5 is out of range: 1024 to 1073741824
            /etc/wats-agent/line2.toml: line 8: sources[0].intake.recursive: cannot be combined with units of several files
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
fn a_file_that_is_not_there_is_named() {
    let error = Settings::load(Path::new("/nonexistent/a.toml")).unwrap_err();
    assert_eq!(error.to_string(), "could not read the configuration /nonexistent/a.toml");
    assert!(matches!(Settings::parse(Path::new("/a b.toml"), ""), Err(ConfigError::Name { .. })));
}
