//! Converters of one's own in the console, as a browser without JavaScript sees it: from the upload to the report.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::StatusCode;
use wats_agent::control::api::{Part, PluginState};
use wats_tests::console::{Appliance, Browser, Page};

const SOON: Duration = Duration::from_secs(60);
const SAMPLE: &[u8] = b"ACME;S0;P1;2026-01-31 12:00:00\nU=5.0=4.9=5.1\nI=1.0=2.0=3.0\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn made(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/plugins").join(name)).unwrap()
}

async fn appliance() -> (Appliance, Browser) {
    let config = format!("[plugins]\nsupport = {:?}", root().join("agent/python"));
    let appliance = Appliance::start_with(&[("wats-text", "wats-text")], &config).await.unwrap();
    let browser = appliance.set_up().await.unwrap();
    (appliance, browser)
}

#[track_caller]
fn shows(page: &Page, status: StatusCode, words: &[&str]) {
    assert_eq!(page.status, status, "{}", page.text);
    for words in words {
        assert!(page.text.contains(words), "{words:?} is missing in {}", page.text);
    }
}

/// The address that a form answered with, which has to be a redirect.
#[track_caller]
fn led_to(page: &Page) -> &str {
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    &page.location
}

const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

#[tokio::test]
async fn a_converter_of_ones_own_is_brought_tried_enabled_and_makes_reports() {
    let (appliance, browser) = appliance().await;
    let control = appliance.station.control().unwrap();
    shows(&browser.get("/plugins").await.unwrap(), StatusCode::OK, &["No converter of your own yet", "8 MB"]);

    let page = browser.post_file("/plugins", &[], "acme_log.py", made("acme_log.py")).await.unwrap();
    assert_eq!(led_to(&page), "/plugins/acme_log.py");
    let page = browser.get("/plugins/acme_log.py").await.unwrap();
    shows(
        &page,
        StatusCode::OK,
        &["ACME Log", "Not enabled", "a whole number from 1 to 999", "one of normal, zip", "*.log *.acme"],
    );
    // The controls of the trial are of the arguments' types.
    for control in [
        r#"name="argument.process_code" type="number" step="1" min="1" max="999""#,
        r#"<option value="normal" selected>normal (usual)</option>"#,
        r#"name="argument.api_key" type="password""#,
    ] {
        assert!(page.text.contains(control), "{control} is missing in {}", page.text);
    }
    shows(
        &browser.get("/plugins").await.unwrap(),
        StatusCode::OK,
        &["acme_log.py", "Not enabled", "no folder"],
    );

    // Tried, before anybody enabled it: reports, log, and nothing that stays.
    let converter = [("converter", "acme-log"), ("argument.process_code", "77"), ("argument.mode", "zip")];
    let page = browser.post_file("/plugins/acme_log.py/try", &converter, "", Vec::new()).await.unwrap();
    shows(&page, WRONG, &["Choose a sample file.", r#"value="77""#]);
    let page =
        browser.post_file("/plugins/acme_log.py/try", &converter, "a.log", SAMPLE.to_vec()).await.unwrap();
    shows(
        &page,
        StatusCode::OK,
        &[
            "What it made of a.log",
            "1 report",
            "S0",
            "2 steps",
            "Failed",
            "2 steps",
            "archived, compressed",
            "77",
        ],
    );
    let page = browser
        .post_file("/plugins/acme_log.py/try", &converter, "b.log", b"ACME;\n".to_vec())
        .await
        .unwrap();
    shows(&page, StatusCode::OK, &["What it made of b.log", "notice bad"]);
    let page =
        browser.post_file("/plugins/acme_log.py/try", &converter, "c.log", b"other".to_vec()).await.unwrap();
    shows(&page, StatusCode::OK, &["Does not begin with ACME"]);
    let wrong = [("converter", "acme-log"), ("argument.process_code", "1000")];
    let page = browser.post_file("/plugins/acme_log.py/try", &wrong, "a.log", SAMPLE.to_vec()).await.unwrap();
    shows(&page, StatusCode::OK, &["expected a whole number from 1 to 999"]);
    assert_eq!(control.plugin("acme_log.py").await.unwrap().state, PluginState::Disabled);

    // Enabled: with exactly this content, and by somebody who says so.
    let sha256 = control.plugin("acme_log.py").await.unwrap().sha256.unwrap();
    let enable =
        async |fields: &[(&str, &str)]| browser.post("/plugins/acme_log.py/enable", fields).await.unwrap();
    let page = enable(&[("sha256", &sha256), ("trusted[]", "network")]).await;
    shows(&page, WRONG, &["Tick the box", r#"value="network" checked"#]);
    shows(&enable(&[("sha256", "0"), ("confirm", "yes")]).await, WRONG, &["not the one that you saw"]);
    let page = enable(&[("sha256", &sha256), ("confirm", "yes"), ("trusted[]", "everything")]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert_eq!(control.plugin("acme_log.py").await.unwrap().state, PluginState::Disabled);
    let page = enable(&[("sha256", &sha256), ("confirm", "yes"), ("trusted[]", "network")]).await;
    assert_eq!(led_to(&page), "/plugins/acme_log.py");
    assert_eq!(control.plugin("acme_log.py").await.unwrap().trusted, [Part::Network]);
    shows(&browser.get("/plugins").await.unwrap(), StatusCode::OK, &["Trusted: Network", "Enabled"]);
    let audit = format!("acme_log.py, SHA-256 {sha256}, trusted with network.");
    shows(&browser.get("/health").await.unwrap(), StatusCode::OK, &["Plugin enabled with trust.", &audit]);

    // A folder is watched with it; its arguments are checked when they are set.
    shows(&browser.get("/converters/add").await.unwrap(), StatusCode::OK, &["ACME Log", "Your own"]);
    let add = "/converters/add?converter=plugin:acme-log";
    let page = browser.get(add).await.unwrap();
    shows(&page, StatusCode::OK, &[r#"value="acme-log""#, "/plugins/acme_log.py", r#"min="1" max="999""#]);
    let folder = appliance.station.source("line");
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.display().to_string();
    let fields = |code: &'static str, key: &'static str| {
        let folder = folder.as_str();
        let code = ("argument.process_code", code);
        [("name", "line"), ("folder", folder), code, ("argument.api_key", key), ("argument.mode", "normal")]
    };
    let page = browser.post(add, &fields("1000", "SECRET-key")).await.unwrap();
    shows(&page, WRONG, &["argument.process_code-error", "from 1 to 999", r#"value="1000""#]);
    assert!(!page.text.contains("SECRET"), "a password is shown to nobody");
    assert_eq!(led_to(&browser.post(add, &fields("20", "SECRET-key")).await.unwrap()), "/converters");
    let page = browser.get("/converters/line").await.unwrap();
    shows(&page, StatusCode::OK, &["One is stored", r#"value="20""#]);
    assert!(!page.text.contains("SECRET"));
    assert_eq!(led_to(&browser.post("/converters/line", &fields("30", "")).await.unwrap()), "/converters");
    let arguments = control.source("line").await.unwrap().settings.arguments;
    assert_eq!(arguments["api_key"], "SECRET-key", "left empty, a password stays");
    assert_eq!((arguments["process_code"].as_str(), arguments.len()), ("30", 2));

    let station = &appliance.station;
    station.drop_file("line", "a.log", b"ACME;S1;P1;2026-01-31 12:00:00\nU=5.0=4.9=5.1\n").unwrap();
    let arrived = async || station.sim.reports().iter().any(|it| it.sn == "S1");
    station.until("the report", SOON, arrived).await.unwrap();
    let file =
        control.files(&Default::default()).await.unwrap().into_iter().find(|it| it.name == "a.log").unwrap();
    let page = browser.get(&format!("/queue/files/{}", file.id)).await.unwrap();
    shows(&page, StatusCode::OK, &["What its converter said", "1 steps"]);

    // Another content does not run, and has none of the trust.
    let page = browser.get("/plugins/acme_log.py").await.unwrap();
    shows(&page, StatusCode::OK, &["It can be deleted when no source uses it", "Enabled"]);
    let page = browser.post("/plugins/acme_log.py/delete", &[]).await.unwrap();
    shows(&page, StatusCode::CONFLICT, &["The source line uses the plug-in"]);
    let mut other = made("acme_log.py");
    other.extend(b"# another\n");
    let page =
        browser.post_file("/plugins/acme_log.py/replace", &[], "acme_log (1).py", other).await.unwrap();
    assert_eq!(led_to(&page), "/plugins/acme_log.py");
    let page = browser.get("/plugins/acme_log.py").await.unwrap();
    shows(&page, StatusCode::OK, &["Changed", "Enable it again", &sha256]);
    let page = browser.get("/converters/line").await.unwrap();
    shows(&page, StatusCode::OK, &["has changed since it was enabled"]);

    assert_eq!(
        led_to(&browser.post("/plugins/acme_log.py/disable", &[]).await.unwrap()),
        "/plugins/acme_log.py"
    );
    let page = browser.get("/converters/line").await.unwrap();
    shows(&page, StatusCode::OK, &["No enabled converter of your own has this name"]);
    browser.post("/converters/line/remove", &[]).await.unwrap();
    assert_eq!(led_to(&browser.post("/plugins/acme_log.py/delete", &[]).await.unwrap()), "/plugins");
    assert_eq!(browser.get("/plugins/acme_log.py").await.unwrap().status, StatusCode::NOT_FOUND);
    assert_eq!(browser.post("/plugins/acme_log.py/delete", &[]).await.unwrap().status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_a_converter_is_refused_or_says_what_is_wrong_with_it() {
    let (appliance, browser) = appliance().await;
    let control = appliance.station.control().unwrap();
    let bring = async |name: &str, content: &[u8]| {
        browser.post_file("/plugins", &[], name, content.to_vec()).await.unwrap()
    };
    shows(&bring("", b"").await, WRONG, &["Choose a file."]);
    shows(&bring("empty.py", b"").await, WRONG, &["empty.py is empty."]);
    shows(&bring("my converter.py", b"x").await, WRONG, &["is no name of a plug-in"]);
    shows(&bring("notes.txt", b"x").await, WRONG, &["notes.txt", "not taken for a plug-in"]);
    shows(&bring("large.py", &vec![b'#'; (8 << 20) + 1]).await, WRONG, &["large.py is larger than 8 MB"]);
    let page = bring("<b>bold.py", b"x").await;
    shows(&page, WRONG, &["&#60;b&#62;bold.py"]);
    assert!(!page.text.contains("<b>bold"), "names are escaped");
    assert!(control.plugins().await.unwrap().is_empty());

    // It lies there then, with the reason on its page, and can be replaced.
    shows(
        &bring("broken.py", b"def f(:\n").await,
        WRONG,
        &["It cannot be used as it is", "broken.py", "Replace"],
    );
    shows(&bring("broken.py", b"x = 1\n").await, WRONG, &["There is a plug-in broken.py already"]);
    assert_eq!(control.plugin_source("broken.py", None).await.unwrap(), "def f(:\n");
    let page = browser.get("/plugins/broken.py").await.unwrap();
    shows(&page, StatusCode::OK, &["Ask it what it is"]);
    assert!(!page.text.contains("id=\"enable\""), "nothing is enabled that has not said what it is");
    shows(
        &browser.post("/plugins/broken.py/check", &[]).await.unwrap(),
        WRONG,
        &["It cannot be used as it is"],
    );
    let page = browser.post_file("/plugins/broken.py/replace", &[], "b.py", Vec::new()).await.unwrap();
    shows(&page, WRONG, &["b.py is empty.", "replace-error"]);

    // Its source is shown as text, whatever stands in it.
    let hostile = b"#!/bin/sh\n# </code><script>alert(1)</script>\n";
    shows(&bring("hostile", hostile).await, WRONG, &["It cannot be used as it is"]);
    let page = browser.get("/plugins/hostile/source").await.unwrap();
    shows(&page, StatusCode::OK, &["&#60;script&#62;"]);
    assert!(!page.text.contains("<script>alert"));
    let page = browser.get("/plugins/hostile/download").await.unwrap();
    assert_eq!(page.text.as_bytes(), hostile);
    assert_eq!(page.headers["content-disposition"], "attachment; filename=\"hostile\"");
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    shows(&bring("binary", b"\x7fELF\0\xff").await, WRONG, &["It cannot be used as it is"]);
    shows(
        &browser.get("/plugins/binary/source").await.unwrap(),
        StatusCode::OK,
        &["is no text that could be shown"],
    );
    for path in ["/plugins/nothing.py", "/plugins/nothing.py/source", "/plugins/nothing.py/download"] {
        assert_eq!(browser.get(path).await.unwrap().status, StatusCode::NOT_FOUND, "{path}");
    }
    let page = browser.post_file("/plugins/nothing.py/replace", &[], "a.py", b"x".to_vec()).await.unwrap();
    assert_eq!(page.status, StatusCode::NOT_FOUND, "replacing makes no new one");
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_converter_of_several_files_is_brought_as_an_archive_and_used_like_any() {
    let (appliance, browser) = appliance().await;
    let control = appliance.station.control().unwrap();
    let bring =
        async |name: &str, content: Vec<u8>| browser.post_file("/plugins", &[], name, content).await.unwrap();
    let main = String::from_utf8(made("acme_log.py")).unwrap();
    let main = format!("import limits.all as limits\n{main}");
    let whole = archive(&[
        ("line_7/main.py", main.as_bytes()),
        ("line_7/limits/all.py", b"import socket\n\nLOW = 4.9\n"),
        ("line_7/.hidden", b"x"),
    ]);
    // What must not be unpacked is refused in words, and leaves nothing.
    for (content, words) in [
        (archive(&[("../main.py", b"x")]), "leads out of the plug-in"),
        (b"PK".to_vec(), "no ZIP archive"),
        (archive(&[]), "holds no file"),
    ] {
        shows(&bring("line_7.zip", content).await, WRONG, &["archive line_7.zip cannot be a plug-in", words]);
    }
    shows(&bring("my line.zip", archive(&[("main.py", b"x")])).await, WRONG, &["is no name of a plug-in"]);
    assert!(control.plugins().await.unwrap().is_empty());

    assert_eq!(led_to(&bring("line_7.zip", whole.clone()).await), "/plugins/line_7");
    let page = browser.get("/plugins/line_7").await.unwrap();
    shows(
        &page,
        StatusCode::OK,
        &[
            "ACME Log",
            "limits/all.py",
            "A <code>.zip</code> of the folder",
            "/plugins/line_7/source?file=limits%2Fall.py#L1",
        ],
    );
    shows(
        &browser.get("/plugins/line_7/source").await.unwrap(),
        StatusCode::OK,
        &["import limits.all", "limits/all.py"],
    );
    let page = browser.get("/plugins/line_7/source?file=limits%2Fall.py").await.unwrap();
    shows(&page, StatusCode::OK, &["LOW = 4.9", "class=\"found\""]);
    let page = browser.get("/plugins/line_7/download?file=limits%2Fall.py").await.unwrap();
    assert_eq!(
        (page.text.as_str(), page.headers["content-disposition"].to_str().unwrap()),
        ("import socket\n\nLOW = 4.9\n", "attachment; filename=\"limits_all.py\"")
    );
    for hostile in ["../../../agent.db", "%2Fetc%2Fpasswd", ".hidden", "none.py"] {
        let page = browser.get(&format!("/plugins/line_7/source?file={hostile}")).await.unwrap();
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{hostile}");
        let page = browser.get(&format!("/plugins/line_7/download?file={hostile}")).await.unwrap();
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{hostile}");
    }
    let wish = [("converter", "acme-log")];
    let page = browser.post_file("/plugins/line_7/try", &wish, "a.log", SAMPLE.to_vec()).await.unwrap();
    shows(&page, StatusCode::OK, &["What it made of a.log", "1 report", "S0"]);

    let sha256 = control.plugin("line_7").await.unwrap().sha256.unwrap();
    let fields = [("sha256", &*sha256), ("confirm", "yes")];
    assert_eq!(led_to(&browser.post("/plugins/line_7/enable", &fields).await.unwrap()), "/plugins/line_7");
    shows(&bring("line_7.zip", whole).await, WRONG, &["There is a plug-in line_7 already"]);
    let replace = async |name: &str, content: Vec<u8>| {
        browser.post_file("/plugins/line_7/replace", &[], name, content).await.unwrap()
    };
    shows(&replace("main.py", b"x = 1\n".to_vec()).await, WRONG, &["line_7 is a folder: choose a .zip"]);
    assert_eq!(control.plugin("line_7").await.unwrap().state, PluginState::Enabled);
    let other = archive(&[("converter.py", &made("acme_log.py"))]);
    assert_eq!(led_to(&replace("another name.zip", other).await), "/plugins/line_7");
    let found = control.plugin("line_7").await.unwrap();
    assert_eq!(
        (found.state, found.files.as_slice()),
        (PluginState::Changed, &["converter.py".to_owned()][..])
    );
    assert_eq!(led_to(&browser.post("/plugins/line_7/disable", &[]).await.unwrap()), "/plugins/line_7");
    assert_eq!(led_to(&browser.post("/plugins/line_7/delete", &[]).await.unwrap()), "/plugins");
}

#[tokio::test]
async fn the_arguments_of_built_in_converters_are_typed_controls_too() {
    let (_appliance, browser) = appliance().await;
    let page = browser.get("/converters/add?converter=example-csv").await.unwrap();
    shows(
        &page,
        StatusCode::OK,
        &[r#"type="checkbox" id="argument."#, "<option value=\"utf-8\">utf-8</option>"],
    );
    let page = browser.get("/converters/wats-text").await.unwrap();
    shows(&page, StatusCode::OK, &[r#"type="number" step="1" min="1" max="32767""#]);
    shows(&browser.get("/health").await.unwrap(), StatusCode::OK, &["id=\"sandbox\""]);
}
