//! The console in headless Chromium: the wizard, then the work of a day. Pictures go to `screenshots/`.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::io::Write as _;
use std::path::Path;

use thirtyfour::By;
use wats_tests::browser::Chromium;
use wats_tests::console::{Appliance, PASSWORD};
use wats_tests::sim::{Fault, FaultKind, TOKEN};

fn report(serial: &str, volts: &str, status: &str) -> String {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPSU-450\nRevision\tB\nUUTStatus\t{status}\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\n\
         NumericLimitTest\tVout\t\t{volts}\t4.9\t5.1\tGELE\tV\t{status}\n--Step-Data-End--\n--UUT-End--\n"
    )
}

#[tokio::test]
async fn a_person_sets_the_machine_up_and_works_with_it() {
    let sources = [("wats-text", "wats-text"), ("wats-json", "wats-json")];
    let support = Path::new(env!("CARGO_MANIFEST_DIR")).join("../agent/python").canonicalize().unwrap();
    let config = format!("[plugins]\nsupport = {support:?}");
    let appliance = Appliance::start_with(&sources, &config).await.unwrap();
    let browser = Chromium::start(&format!("https://localhost:{}", appliance.address.port())).await.unwrap();
    wizard(&appliance, &browser).await;
    uploads(&appliance, &browser).await;
    plugins(&appliance, &browser).await;
    rest(&appliance, &browser).await;
    let complaints: Vec<_> = browser
        .complaints()
        .await
        .unwrap()
        .into_iter()
        // Forms that came back with a message are answered 422 or 409, which Chromium counts as an error.
        .filter(|words| !words.contains("422") && !words.contains("409"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    browser.quit().await.unwrap();
}

async fn wizard(appliance: &Appliance, browser: &Chromium) {
    browser.open("/").await.unwrap();
    browser.until("Set up this machine").await.unwrap();
    browser.fill("code", "AAAA-BBBB-CCCC").await.unwrap();
    browser.click("button.primary").await.unwrap();
    browser.until("That is not the setup code").await.unwrap();
    browser.picture("setup-1-code").await.unwrap();
    browser.fill("code", &appliance.setup_code().unwrap()).await.unwrap();
    browser.click("button.primary").await.unwrap();

    browser.until("Create the administrator").await.unwrap();
    browser.picture("setup-2-account").await.unwrap();
    browser.fill("password", PASSWORD).await.unwrap();
    browser.fill("password_again", PASSWORD).await.unwrap();
    browser.click("button.primary").await.unwrap();

    browser.until("Name this machine").await.unwrap();
    browser.fill("host_name", "not a name").await.unwrap();
    browser.click("button.primary").await.unwrap();
    browser.until("A name has letters").await.unwrap();
    browser.picture("setup-3-machine").await.unwrap();
    browser.fill("host_name", "line-4").await.unwrap();
    browser.fill("time_zone", "Europe/Oslo").await.unwrap();
    browser.click("button.primary").await.unwrap();

    browser.until("Connect to the WATS server").await.unwrap();
    browser.fill("url", "http://127.0.0.1:9").await.unwrap();
    browser.fill("token", TOKEN).await.unwrap();
    browser.click("button[value=test]").await.unwrap();
    browser.until("The connection does not work yet").await.unwrap();
    browser.picture("setup-4-server").await.unwrap();
    browser.fill("url", &appliance.station.sim.base_url()).await.unwrap();
    // The token that was typed is still there: the test changed nothing else in the page.
    browser.click("button[value=test]").await.unwrap();
    browser.until("The server accepts this machine").await.unwrap();
    browser.click("button[value=save]").await.unwrap();

    browser.until("Describe the station").await.unwrap();
    browser.fill("name", "LINE-4").await.unwrap();
    browser.fill("location", "Hall 2").await.unwrap();
    browser.fill("purpose", "Production").await.unwrap();
    browser.picture("setup-5-station").await.unwrap();
    browser.click("button.primary").await.unwrap();
    browser.until("Choose the file formats").await.unwrap();
    browser.picture("setup-6-converters").await.unwrap();
    browser.click("button.primary").await.unwrap();
    browser.until("Open the dashboard").await.unwrap();
    browser.picture("setup-7-done").await.unwrap();
    browser.click("form[action='/setup/done'] button").await.unwrap();
    browser.until("No report yet").await.unwrap();
    browser.picture("dashboard-empty").await.unwrap();
}

async fn uploads(appliance: &Appliance, browser: &Chromium) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
        path.display().to_string()
    };
    let mut paths = Vec::new();
    for number in 1..=6 {
        let (volts, status) = if number == 3 { ("4.71", "Failed") } else { ("5.01", "Passed") };
        let serial = format!("2026-{number:04}");
        paths.push(file(&format!("psu_{serial}.txt"), &report(&serial, volts, status)));
    }
    paths.push(file("half_written.txt", "--Header-Start--\nSerialNumber\tX\n"));
    browser.open("/upload").await.unwrap();
    browser.click("option[value=wats-text]").await.unwrap();
    browser.fill("file", &paths.join("\n")).await.unwrap();
    browser.click("form[data-upload] button.primary").await.unwrap();
    browser.until("Serial number 2026-0006, part PSU-450").await.unwrap();
    browser.until("Failed").await.unwrap();
    browser.picture("upload").await.unwrap();
    let serials: Vec<String> = appliance.station.sim.reports().into_iter().map(|report| report.sn).collect();
    assert!(serials.contains(&"2026-0006".to_owned()), "{serials:?}");

    // A report that the server refuses.
    let words =
        "root -> step Vout: Status cannot be different from measurement status.\nsn: The value is odd.";
    let kind = FaultKind::Status {
        code: 400,
        retry_after: None,
        location: None,
        body: words.to_owned(),
        content_type: None,
    };
    let refusal = Fault { route: "report".to_owned(), skip: 0, times: Some(1), kind };
    appliance.station.sim.set_faults(vec![refusal]);
    appliance
        .station
        .drop_file("wats-text", "refused.txt", report("2026-0099", "5.0", "Passed").as_bytes())
        .unwrap();
    browser.open("/queue?state=refused").await.unwrap();
    let limit = std::time::Duration::from_secs(30);
    let refused =
        async || appliance.station.control().unwrap().status().await.is_ok_and(|s| s.queue.rejected == 1);
    appliance.station.until("refused", limit, refused).await.unwrap();
    browser.open("/").await.unwrap();
    browser.until("Something needs your attention").await.unwrap();
    browser.picture("dashboard").await.unwrap();
    browser.open("/queue?state=refused").await.unwrap();
    browser.until("2026-0099").await.unwrap();
    browser.picture("queue-refused").await.unwrap();
    browser.click("td a[href^='/queue/reports/']").await.unwrap();
    browser.until("What the server said").await.unwrap();
    browser.until("Line 8").await.unwrap();
    browser.picture("queue-report").await.unwrap();
    browser.click("form[action$='/retry'] button").await.unwrap();
    browser.until("The report is sent again.").await.unwrap();
    browser.open("/queue?state=failed-files").await.unwrap();
    browser.picture("queue-failed-files").await.unwrap();
    browser.click("td a[href^='/queue/files/']").await.unwrap();
    browser.until("What is wrong").await.unwrap();
    browser.picture("queue-file").await.unwrap();
    browser.open("/queue?state=sent").await.unwrap();
    browser.until("2026-0001").await.unwrap();
    browser.picture("queue-sent").await.unwrap();
}

/// Reaches for more than a converter needs.
const CURIOUS: &str = r#""""Asks a database for what is not in the file."""
import ctypes
import socket
import subprocess

from pywats_client.converters import ArgumentDefinition, ArgumentType, ConverterResult, FileConverter


class Curious(FileConverter):
    name = "Curious"
    description = "Files of line 7, completed from the database of the line"
    file_patterns = ["*.l7"]

    @property
    def arguments_schema(self):
        return {
            "host": ArgumentDefinition(arg_type=ArgumentType.STRING, description="The database's address"),
            "port": ArgumentDefinition(arg_type=ArgumentType.INTEGER, default=5432, min_value=1, max_value=65535),
            "check": ArgumentDefinition(arg_type=ArgumentType.BOOLEAN, default=True, description="Compare the limits"),
            "key": ArgumentDefinition(arg_type=ArgumentType.PASSWORD, description="Of the database"),
        }

    def convert(self, source, context):
        socket.create_connection((context.get_argument("host"), 5432))
        return ConverterResult.failed_result("nothing came back")
"#;

/// Converters of one's own: brought, looked at, tried, enabled, and changed.
async fn plugins(appliance: &Appliance, browser: &Chromium) {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/acme_log.py").canonicalize().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
        path.display().to_string()
    };
    let archive = folder.path().join("line_7.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&archive).unwrap());
    for (name, text) in [
        ("main.py", std::fs::read_to_string(&made).unwrap().replace("ACME Log", "Line 7")),
        ("lib/limits.py", "import socket\n\nLIMITS = {\"Vout\": (4.9, 5.1)}\n".to_owned()),
        ("lib/__init__.py", String::new()),
        ("README.txt", "The converter of line 7.\n".to_owned()),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    let bring = async |path: &str| {
        browser.open("/plugins").await.unwrap();
        browser.driver.find(By::Id("file")).await.unwrap().send_keys(path).await.unwrap();
        browser.click("#bring button").await.unwrap();
    };
    browser.open("/plugins").await.unwrap();
    browser.until("No converter of your own yet").await.unwrap();
    browser.picture("plugins-empty").await.unwrap();

    bring(&made.display().to_string()).await;
    browser.until("What its source reaches for").await.unwrap();
    browser.picture("plugin").await.unwrap();
    let sample = file(
        "unit 1.log",
        "ACME;2026-0200;PSU-450;2026-01-31 12:00:00\nVout=5.01=4.9=5.1\nIcc=0.31=0.1=0.3\n",
    );
    browser.fill("argument.process_code", "1000").await.unwrap();
    browser.driver.find(By::Id("sample")).await.unwrap().send_keys(&sample).await.unwrap();
    browser.click("#try button").await.unwrap();
    // The browser itself refuses what the type of the argument does not allow.
    assert_eq!(browser.path().await.unwrap(), "/plugins/acme_log.py");
    browser.fill("argument.process_code", "20").await.unwrap();
    browser.click("#try button").await.unwrap();
    browser.until("What it made of unit 1.log").await.unwrap();
    browser.until("2026-0200").await.unwrap();
    browser.picture("plugin-tried").await.unwrap();
    browser
        .driver
        .find(By::Id("sample"))
        .await
        .unwrap()
        .send_keys(&file("torn.log", "ACME;X;P\n"))
        .await
        .unwrap();
    browser.click("#try button").await.unwrap();
    browser.until("What it made of torn.log").await.unwrap();
    browser.picture("plugin-tried-in-vain").await.unwrap();
    browser.click("input[name=confirm]").await.unwrap();
    browser.click("#enable > button").await.unwrap();
    browser.until("acme_log.py is enabled").await.unwrap();
    browser.picture("plugin-enabled").await.unwrap();

    bring(&file("curious.py", CURIOUS)).await;
    browser.until("Curious").await.unwrap();
    browser.picture("plugin-curious").await.unwrap();
    browser.open("/plugins/curious.py/source").await.unwrap();
    browser.until("create_connection").await.unwrap();
    browser.picture("plugin-source").await.unwrap();
    browser.open("/plugins/curious.py").await.unwrap();
    browser.click("#enable summary").await.unwrap();
    browser.click("input[value=network]").await.unwrap();
    browser.picture("plugin-trusting").await.unwrap();
    browser.click("input[name=confirm]").await.unwrap();
    browser.click("#enable > button").await.unwrap();
    browser.until("it is trusted with").await.unwrap();
    browser.picture("plugin-trusted").await.unwrap();

    bring(&archive.display().to_string()).await;
    browser.until("lib/limits.py").await.unwrap();
    browser.picture("plugin-folder").await.unwrap();
    browser.driver.find(By::Id("sample")).await.unwrap().send_keys(&sample).await.unwrap();
    browser.click("#try button").await.unwrap();
    browser.until("What it made of unit 1.log").await.unwrap();
    browser.open("/plugins/line_7/source?file=lib/limits.py").await.unwrap();
    browser.until("LIMITS").await.unwrap();
    browser.picture("plugin-folder-source").await.unwrap();

    bring(&file("broken.py", "import csv\n\ndef convert(source:\n")).await;
    browser.until("It cannot be used as it is").await.unwrap();
    browser.picture("plugin-broken").await.unwrap();

    browser.open("/converters/add?converter=plugin:curious").await.unwrap();
    browser.until("Settings of the converter").await.unwrap();
    browser.picture("converters-add-own").await.unwrap();
    let watched = appliance.station.source("line-7");
    std::fs::create_dir_all(&watched).unwrap();
    browser.fill("name", "line-7").await.unwrap();
    browser.fill("folder", &watched.display().to_string()).await.unwrap();
    browser.click("form.card button.primary").await.unwrap();
    browser.until("line-7 watches").await.unwrap();

    browser.open("/plugins/curious.py").await.unwrap();
    let other = file("curious.py", &CURIOUS.replace("5432", "5433"));
    browser.driver.find(By::Id("replacement")).await.unwrap().send_keys(&other).await.unwrap();
    browser.click("form[action$='/replace'] button").await.unwrap();
    browser.until("Another content lies there").await.unwrap();
    browser.picture("plugin-changed").await.unwrap();
    browser.open("/plugins").await.unwrap();
    browser.until("line-7").await.unwrap();
    browser.picture("plugins").await.unwrap();
    browser.open("/converters/line-7").await.unwrap();
    browser.until("has changed since it was enabled").await.unwrap();
    browser.picture("converters-settings-own").await.unwrap();
    browser.click("details.confirm summary").await.unwrap();
    browser.click("form[action$='/remove'] button").await.unwrap();
    browser.until("line-7 was removed").await.unwrap();
}

async fn rest(appliance: &Appliance, browser: &Chromium) {
    for (path, words, name) in [
        ("/converters", "Add a converter", "converters"),
        ("/converters/add", "Which format", "converters-choose"),
        ("/converters/wats-text", "Save", "converters-settings"),
        ("/server", "Online", "server"),
        ("/station", "Hall 2", "station"),
        ("/health", "What was done here", "health"),
        ("/machine", "Restart", "machine"),
        ("/updates", "openssl", "updates"),
    ] {
        browser.open(path).await.unwrap();
        browser.until(words).await.unwrap();
        browser.picture(name).await.unwrap();
    }
    browser.click("details.confirm summary").await.unwrap();
    browser.click("form[action='/updates/install'] button").await.unwrap();
    browser.until("Installing updates").await.unwrap();
    browser.picture("updates-running").await.unwrap();
    browser.until("Everything is up to date").await.unwrap();

    browser.open("/machine").await.unwrap();
    browser.click("details.confirm:last-of-type summary").await.unwrap();
    browser.click("button[value=switch-off]").await.unwrap();
    browser.until("The machine switches itself off").await.unwrap();
    assert_eq!(appliance.system.power(), [wats_appliance::system::api::PowerAction::SwitchOff]);

    browser.open("/").await.unwrap();
    browser.click("form[action='/sign-out'] button").await.unwrap();
    browser.until("Password lost?").await.unwrap();
    browser.picture("sign-in").await.unwrap();
    assert_eq!(browser.path().await.unwrap(), "/sign-in");
}
