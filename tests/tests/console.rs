//! The console as a browser without JavaScript sees it: real agent, real console over TLS, simulated server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::time::Duration;

use reqwest::StatusCode;
use wats_agent::control::api::Station;
use wats_appliance::system::api::PowerAction;
use wats_tests::console::{Appliance, Browser, PASSWORD};

const SOON: Duration = Duration::from_secs(30);
const SOURCES: &[(&str, &str)] = &[("wats-text", "wats-text")];

fn text_report(serial: &str) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\nRevision\tA\nUUTStatus\tPassed\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\n\
         NumericLimitTest\tVout\t\t5.01\t4.9\t5.1\tGELE\tV\tPassed\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

async fn set_up(appliance: &Appliance) -> Browser {
    appliance.set_up().await.unwrap()
}

/// Every page that shows or changes something, as a stranger may try it.
const PAGES: &[&str] = &[
    "/",
    "/dashboard/live",
    "/health",
    "/health/parts",
    "/converters",
    "/converters/add",
    "/converters/wats-text",
    "/plugins",
    "/plugins/acme.py",
    "/plugins/acme.py/source",
    "/plugins/acme.py/download",
    "/queue",
    "/queue/files/1",
    "/queue/reports/00000000-0000-0000-0000-000000000000",
    "/queue/reports/00000000-0000-0000-0000-000000000000/report.json",
    "/server",
    "/station",
    "/updates",
    "/updates/run",
    "/machine",
    "/upload",
    "/upload/state?source=a&sha256=b&name=c&size=1",
    "/setup/account",
    "/setup/machine",
    "/setup/server",
    "/setup/station",
    "/setup/converters",
    "/setup/done",
];

const CHANGES: &[&str] = &[
    "/converters/add?converter=wats-text",
    "/converters/wats-text",
    "/converters/wats-text/pause",
    "/converters/wats-text/resume",
    "/converters/wats-text/remove",
    "/plugins",
    "/plugins/acme.py/replace",
    "/plugins/acme.py/check",
    "/plugins/acme.py/try",
    "/plugins/acme.py/enable",
    "/plugins/acme.py/disable",
    "/plugins/acme.py/delete",
    "/queue/retry-all",
    "/queue/files/1/retry",
    "/queue/reports/00000000-0000-0000-0000-000000000000/retry",
    "/queue/reports/00000000-0000-0000-0000-000000000000/discard",
    "/server",
    "/station",
    "/updates/check",
    "/updates/install",
    "/machine",
    "/machine/power",
    "/setup/account",
    "/setup/machine",
    "/setup/server",
    "/setup/station",
    "/setup/converters",
    "/setup/done",
];

#[tokio::test]
async fn without_the_code_an_unclaimed_machine_shows_and_changes_nothing() {
    let appliance = Appliance::start(SOURCES).await.unwrap();
    let stranger = appliance.browser().unwrap();
    for path in PAGES {
        let page = stranger.get(path).await.unwrap();
        assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, "/setup"), "{path}");
    }
    for path in CHANGES {
        let page = stranger.post(path, &[("action", "restart"), ("name", "x")]).await.unwrap();
        assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, "/setup"), "{path}");
    }
    let upload = stranger.upload("wats-text", "a.txt", text_report("X")).await.unwrap();
    assert_eq!((upload.status, upload.location.as_str()), (StatusCode::SEE_OTHER, "/setup"));
    assert_eq!(appliance.system.host_name(), "wats-appliance");
    assert_eq!(appliance.system.power(), []);
    assert_eq!(appliance.station.control().unwrap().sources().await.unwrap().len(), 1);
    // The right code alone opens the account's page and nothing else.
    let code = appliance.setup_code().unwrap();
    let page = stranger.post("/setup", &[("code", &code.to_lowercase())]).await.unwrap();
    assert_eq!(page.location, "/setup/account");
    for path in PAGES.iter().filter(|path| **path != "/setup/account") {
        let page = stranger.get(path).await.unwrap();
        assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, "/setup"), "{path}");
    }
}

#[tokio::test]
async fn wrong_codes_are_refused_and_soon_not_even_compared() {
    let appliance = Appliance::start(SOURCES).await.unwrap();
    let stranger = appliance.browser().unwrap();
    for _ in 0..10 {
        let page = stranger.post("/setup", &[("code", "AAAA-BBBB-CCCC")]).await.unwrap();
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains("not the setup code"), "{}", page.text);
    }
    let code = appliance.setup_code().unwrap();
    let page = stranger.post("/setup", &[("code", &code)]).await.unwrap();
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_wizard_leads_to_a_report_on_the_server_and_a_bad_file_is_explained() {
    let appliance = Appliance::start(SOURCES).await.unwrap();
    let browser = set_up(&appliance).await;
    assert_eq!(appliance.system.host_name(), "line-4");
    assert!(appliance.setup_code().is_err(), "the code is gone with the claim");
    let station = appliance.station.control().unwrap().station().await.unwrap();
    assert_eq!((station.name.as_str(), station.time_zone.as_str()), ("LINE-4", "Europe/Oslo"));

    let page = browser.upload("wats-text", "good.txt", text_report("SN-1")).await.unwrap();
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let sim = &appliance.station.sim;
    appliance
        .station
        .until("the report", SOON, async || sim.reports().iter().any(|r| r.sn == "SN-1"))
        .await
        .unwrap();
    let shows =
        async |path: &str, words: &str| browser.get(path).await.is_ok_and(|page| page.text.contains(words));
    appliance.station.until("dashboard", SOON, async || shows("/", "SN-1").await).await.unwrap();
    appliance
        .station
        .until("sent", SOON, async || shows("/queue?state=sent", "On the server").await)
        .await
        .unwrap();

    let page = browser.upload("wats-text", "<b>bad\".txt", b"not a report".to_vec()).await.unwrap();
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    appliance
        .station
        .until("the reason", SOON, async || shows("/queue?state=failed-files", "&#60;b&#62;bad").await)
        .await
        .unwrap();
    let page = browser.get("/queue?state=failed-files").await.unwrap();
    assert!(!page.text.contains("<b>bad"), "names are escaped");
    for path in PAGES.iter().filter(|path| {
        !path.starts_with("/setup")
            && !path.contains("0000")
            && !path.contains("files/1")
            && !path.contains("acme.py")
    }) {
        let page = browser.get(path).await.unwrap();
        assert_eq!(page.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn wrong_input_comes_back_filled_in_with_the_message_and_without_secrets() {
    let appliance = Appliance::start(SOURCES).await.unwrap();
    let browser = appliance.browser().unwrap();
    let code = appliance.setup_code().unwrap();
    browser.post("/setup", &[("code", &code)]).await.unwrap();
    let wrong = |page: &wats_tests::console::Page, words: &str| {
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);
        assert!(page.text.contains(words), "{words:?} is missing in {}", page.text);
        assert!(!page.text.contains("SECRET"), "a secret was sent back");
    };
    let account = async |name: &str, first: &str, second: &str| {
        let fields = [("user_name", name), ("password", first), ("password_again", second)];
        browser.post("/setup/account", &fields).await.unwrap()
    };
    wrong(&account("boss", "SECRET-short", "SECRET-other").await, "The two passwords differ");
    wrong(&account("boss", "SECRET-short", "SECRET-other").await, "value=\"boss\"");
    wrong(&account("b oss", "SECRET-password", "SECRET-password").await, "A user name has letters");
    wrong(&account("boss", "SECRET", "SECRET").await, "at least 12 characters");
    assert_eq!(account("boss", PASSWORD, PASSWORD).await.location, "/setup/machine");

    let page = browser.post("/setup/machine", &[("host_name", "a b"), ("time_zone", "UTC")]).await.unwrap();
    wrong(&page, "A name has letters");
    wrong(&page, "value=\"a b\"");
    // A later step cannot be reached before this one is done.
    assert_eq!(browser.get("/setup/station").await.unwrap().location, "/setup/machine");
    browser.post("/setup/machine", &[("host_name", "m"), ("time_zone", "UTC")]).await.unwrap();
    // Left and resumed.
    assert_eq!(browser.get("/setup").await.unwrap().location, "/setup/server");
    assert_eq!(browser.get("/").await.unwrap().location, "/setup");

    let server = |url: &'static str, token: &'static str, action: &'static str| {
        [("url", url), ("credential_kind", "token"), ("token", token), ("action", action)]
    };
    wrong(
        &browser.post("/setup/server", &server("", "SECRET-token", "save")).await.unwrap(),
        "Enter the address",
    );
    wrong(
        &browser.post("/setup/server", &server("https://w.example", "", "save")).await.unwrap(),
        "Enter the token",
    );
    // Nobody listens there: the test says so, the settings stay, and one may go on.
    let page =
        browser.post("/setup/server", &server("http://127.0.0.1:9", "U0VDUkVUOng=", "save")).await.unwrap();
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("does not work yet") && page.text.contains("Go on anyway"), "{}", page.text);
    assert!(!page.text.contains("U0VDUkVUOng="));
    let page = browser.post("/setup/server", &server("", "", "skip")).await.unwrap();
    assert_eq!(page.location, "/setup/station");
    let fields = [("name", ""), ("location", "Hall 9"), ("purpose", " ")];
    let page = browser.post("/setup/station", &fields).await.unwrap();
    for words in ["Hall 9", "Enter a name", "Enter a purpose"] {
        wrong(&page, words);
    }
    assert!(!page.text.contains("Enter a location"), "{}", page.text);
}

#[tokio::test]
async fn the_station_is_changed_and_its_zone_goes_with_the_machines() {
    let appliance = Appliance::start(SOURCES).await.unwrap();
    let browser = set_up(&appliance).await;
    let page = browser.get("/station").await.unwrap();
    for words in ["LINE-4", "Hall 2", "Production", "Europe/Oslo"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    let nowhere = [("name", "LINE-5"), ("location", " "), ("purpose", "Repair")];
    let page = browser.post("/station", &nowhere).await.unwrap();
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("Enter a location") && page.text.contains("LINE-5"), "{}", page.text);

    let moved = [("name", "LINE-5"), ("location", "Hall 3"), ("purpose", "Repair")];
    assert_eq!(browser.post("/station", &moved).await.unwrap().location, "/station");
    assert!(browser.get("/station").await.unwrap().text.contains("Saved."));
    let control = appliance.station.control().unwrap();
    let station = async || control.station().await.unwrap();
    let told = station().await;
    assert_eq!(
        (told.name.as_str(), told.location.as_str(), told.purpose.as_str()),
        ("LINE-5", "Hall 3", "Repair")
    );
    assert!(browser.get("/health").await.unwrap().text.contains("LINE-5, Hall 3, Repair."));

    let zone = async |zone: &str| {
        let page = browser.post("/machine", &[("host_name", "line-4"), ("time_zone", zone)]).await.unwrap();
        assert_eq!(page.location, "/machine", "{}", page.text);
    };
    zone("Asia/Shanghai").await;
    assert_eq!(station().await.time_zone, "Asia/Shanghai");
    // One that was chosen for the station alone stays.
    let chosen = Station { time_zone: "America/Lima".to_owned(), ..station().await };
    control.change_station(&chosen).await.unwrap();
    zone("Europe/Oslo").await;
    assert_eq!(station().await, chosen);
}

#[tokio::test]
async fn requests_of_other_sites_are_refused_and_pages_carry_a_strict_policy() {
    let appliance = Appliance::start(SOURCES).await.unwrap();
    let browser = set_up(&appliance).await;
    let wish = [("action", "restart")];
    for headers in [[("Sec-Fetch-Site", "cross-site")], [("Origin", "https://evil.example")]] {
        let page = browser.post_from("/machine/power", &wish, &headers).await.unwrap();
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(appliance.system.power(), []);
    let page =
        browser.post_from("/machine/power", &wish, &[("Sec-Fetch-Site", "same-origin")]).await.unwrap();
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(appliance.system.power(), [PowerAction::Restart]);

    let page = browser.get("/").await.unwrap();
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert!(!page.text.contains("style=\"") && !page.text.contains("<script>"), "nothing inline");

    let plain =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let answer = plain.get(format!("http://{}/queue?state=sent", appliance.redirect)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
    let to = answer.headers()["location"].to_str().unwrap();
    assert_eq!(to, format!("https://127.0.0.1:{}/queue?state=sent", appliance.address.port()));
}

#[tokio::test]
async fn signing_in_and_out() {
    let appliance = Appliance::start(SOURCES).await.unwrap();
    let browser = set_up(&appliance).await;
    let cookie = browser.post("/sign-in", &[("user_name", "admin"), ("password", PASSWORD)]).await.unwrap();
    let cookie = cookie.headers["set-cookie"].to_str().unwrap().to_owned();
    for part in ["__Host-session=", "HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(browser.post("/sign-out", &[]).await.unwrap().location, "/sign-in");
    let page = browser.get("/queue?state=sent").await.unwrap();
    assert_eq!(page.location, "/sign-in?next=%2Fqueue%3Fstate%3Dsent");
    let sign_in = async |name: &str, password: &str, next: &str| {
        browser
            .post("/sign-in", &[("user_name", name), ("password", password), ("next", next)])
            .await
            .unwrap()
    };
    // The same words for a wrong name and a wrong password.
    let wrong_name = sign_in("nobody-here", PASSWORD, "/").await;
    let wrong_password = sign_in("admin", "SECRET-wrong", "/").await;
    assert_eq!(wrong_name.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong_name.text.contains("User name or password is wrong."));
    assert_eq!(
        wrong_name.text.replace("nobody-here", "admin"),
        wrong_password.text,
        "nobody learns which names there are"
    );
    assert!(!wrong_password.text.contains("SECRET"));
    assert_eq!(sign_in("admin", PASSWORD, "//evil.example/").await.location, "/");
    assert_eq!(sign_in("ADMIN", PASSWORD, "/queue?state=sent").await.location, "/queue?state=sent");
}

#[tokio::test]
async fn two_who_have_the_code_claim_the_machine_once() {
    let appliance = Appliance::start(SOURCES).await.unwrap();
    let code = appliance.setup_code().unwrap();
    let (one, two) = (appliance.browser().unwrap(), appliance.browser().unwrap());
    for browser in [&one, &two] {
        browser.post("/setup", &[("code", &code)]).await.unwrap();
    }
    let fields = [("user_name", "boss"), ("password", PASSWORD), ("password_again", PASSWORD)];
    let (first, second) =
        tokio::join!(one.post("/setup/account", &fields), two.post("/setup/account", &fields));
    let mut to = [first.unwrap().location, second.unwrap().location];
    to.sort();
    assert_eq!(to[0], "/setup/machine");
    // The other one comes too late: it is sent away, before or after its password was looked at.
    assert!(["/setup", "/sign-in"].contains(&to[1].as_str()), "{to:?}");
}

#[tokio::test]
async fn a_machine_whose_accounts_were_removed_can_be_claimed_again() {
    let appliance = Appliance::start(SOURCES).await.unwrap();
    let browser = set_up(&appliance).await;
    let reset = tokio::process::Command::new(
        std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("wats-appliance"),
    )
    .args(["--state-dir".as_ref(), appliance.state_dir().as_os_str(), "reset-admin".as_ref()])
    .status()
    .await
    .unwrap();
    assert!(reset.success());
    assert_eq!(browser.get("/").await.unwrap().location, "/setup", "old sessions are over");
    let code = appliance.setup_code().unwrap();
    let page = browser.post("/setup", &[("code", &code)]).await.unwrap();
    assert_eq!(page.location, "/setup/account");
}

#[tokio::test]
async fn converters_are_added_paused_and_removed_and_updates_run() {
    let appliance = Appliance::start(SOURCES).await.unwrap();
    let browser = set_up(&appliance).await;
    let folder = appliance.state_dir().parent().unwrap().join("line-5");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.display().to_string();
    let fields = |name: &'static str| {
        [("name", name), ("folder", folder.as_str()), ("file_patterns", "*.log"), ("after", "keep")]
    };
    let page = browser.post("/converters/add?converter=wats-text", &fields("Not A Name")).await.unwrap();
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("id=\"name-error\""), "{}", page.text);
    let page = browser.post("/converters/add?converter=wats-text", &fields("line-5")).await.unwrap();
    assert_eq!(page.location, "/converters", "{}", page.text);
    browser.post("/converters/line-5/pause", &[]).await.unwrap();
    assert!(browser.get("/converters/line-5").await.unwrap().text.contains("Paused"));
    browser.post("/converters/line-5/resume", &[]).await.unwrap();
    browser.post("/converters/line-5/remove", &[]).await.unwrap();
    assert_eq!(browser.get("/converters/line-5").await.unwrap().status, StatusCode::NOT_FOUND);

    assert!(browser.get("/updates").await.unwrap().text.contains("openssl"));
    assert_eq!(browser.post("/updates/install", &[]).await.unwrap().location, "/updates");
    assert_eq!(browser.post("/updates/install", &[]).await.unwrap().status, StatusCode::CONFLICT);
    let up_to_date = async || {
        browser.get("/updates").await.is_ok_and(|page| page.text.contains("Everything is up to date"))
    };
    appliance.station.until("the update's end", SOON, up_to_date).await.unwrap();
}
