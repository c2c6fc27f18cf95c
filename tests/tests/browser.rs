//! The console in headless Chromium: the wizard, then the work of a day. Pictures go to `screenshots/`.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::io::Write as _;

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
    let appliance = Appliance::start(&sources).await.unwrap();
    let browser = Chromium::start(&format!("https://localhost:{}", appliance.address.port())).await.unwrap();
    wizard(&appliance, &browser).await;
    uploads(&appliance, &browser).await;
    rest(&appliance, &browser).await;
    let complaints: Vec<_> = browser
        .complaints()
        .await
        .unwrap()
        .into_iter()
        // Forms that came back with a message are answered 422, which Chromium counts as an error.
        .filter(|words| !words.contains("422"))
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

async fn rest(appliance: &Appliance, browser: &Chromium) {
    for (path, words, name) in [
        ("/converters", "Add a converter", "converters"),
        ("/converters/add", "Which format", "converters-choose"),
        ("/converters/wats-text", "Save", "converters-settings"),
        ("/server", "Online", "server"),
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
