//! The three exported images boot on the hardware that they are made for; the QCOW2 plays the whole story.
//!
//! Run by `./just image-test`, which needs the files of `./just image`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops at what it did not expect, and says what it measured"
)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use reqwest::StatusCode;
use wats_tests::console::{Browser, PASSWORD, WizardAnswers};
use wats_tests::machine::{Firmware, Hardware, Machine, unpack_disk};
use wats_tests::sim::{Sim, SimSettings, TOKEN};

/// Emulation on a busy machine is slow; a quiet one needs a fifth of this.
const BOOT: Duration = Duration::from_secs(480);
/// Files that are uploaded around the power cut.
const FILES: usize = 200;
/// So many are acknowledged when the power goes.
const CUT_AT: usize = 90;

fn image(extension: &str) -> PathBuf {
    let name = format!("dist/wats-appliance-{}.{extension}", env!("CARGO_PKG_VERSION"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    assert!(path.is_file(), "{} is missing: run './just image' first", path.display());
    path
}

/// Boots and waits for the screen; gives the setup code and a browser that trusts what the screen shows.
async fn boots(disk: &Path, format: &str, hardware: Hardware) -> (Machine, String, Browser) {
    let started = Instant::now();
    let mut machine = Machine::boot(disk, format, hardware).unwrap();
    let code = machine.line("Setup code: ", BOOT).await.unwrap();
    eprintln!("{hardware:?}: setup code on the screen after {} s", started.elapsed().as_secs());
    let browser = browser(&mut machine).await;
    eprintln!("{hardware:?}: console answers after {} s", started.elapsed().as_secs());
    (machine, code, browser)
}

async fn browser(machine: &mut Machine) -> Browser {
    let fingerprint = machine.line("Certificate SHA-256: ", BOOT).await.unwrap();
    let started = Instant::now();
    loop {
        match Browser::pinned(&machine.console_url(), &fingerprint).await {
            Ok(browser) => return browser,
            Err(error) if started.elapsed() > BOOT => {
                panic!("the console does not answer: {error:?}\n{}", machine.serial())
            }
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}

#[tokio::test]
async fn the_ova_boots_on_scsi_and_shows_its_wizard() {
    let folder = tempfile::tempdir().unwrap();
    let disk = unpack_disk(&image("ova"), folder.path()).unwrap();
    let (_machine, _, browser) = boots(&disk, "vmdk", Hardware::Scsi).await;
    assert!(browser.get("/setup").await.unwrap().text.contains("Setup code"));
}

#[tokio::test]
async fn the_vhd_boots_on_ide_and_shows_its_wizard() {
    let (_machine, _, browser) = boots(&image("vhd"), "vpc", Hardware::Ide).await;
    assert!(browser.get("/setup").await.unwrap().text.contains("Setup code"));
}

/// What a look into the root file system says. It begins where Ubuntu's cloud images have it, and so do ours.
fn look(request: &str) -> String {
    let disk = format!("{}?offset={}", image("vhd").display(), 227_328 * 512);
    let looked = std::process::Command::new("debugfs").args(["-R", request, &disk]).output().unwrap();
    String::from_utf8_lossy(&looked.stdout).into_owned()
}

/// Names in a folder of the image; none where there is no such folder.
fn names(folder: &str) -> Vec<String> {
    let listed = look(&format!("ls -p {folder}"));
    let names = listed.lines().filter_map(|line| line.split('/').nth(5));
    names.filter(|name| !["", ".", ".."].contains(name)).map(str::to_owned).collect()
}

#[test]
fn nothing_of_the_bake_or_of_one_machine_is_in_the_image() {
    assert!(names("/usr/bin").contains(&"wats-agent".to_owned()), "the look into the image does not work");
    for folder in [
        "/var/lib/apt/lists",
        "/var/lib/wats-keys",
        "/var/lib/wats-appliance",
        "/var/lib/cloud",
        "/home",
        "/etc/netplan",
        "/root/.ssh",
    ] {
        assert_eq!(names(folder), [""; 0], "{folder}");
    }
    assert!(names("/etc/ssh").iter().all(|name| !name.starts_with("ssh_host_")), "host keys");
    assert!(!names("/usr/sbin").contains(&"policy-rc.d".to_owned()));
    assert!(!names("/root").contains(&".bash_history".to_owned()));
    assert_eq!(names("/etc/apt/sources.list.d"), ["wats-appliance.sources"]);
    assert_eq!(look("cat /etc/machine-id"), "");
    let accounts = look("cat /etc/shadow");
    assert!(accounts.lines().any(|line| line.starts_with("root:")), "{accounts}");
    let passwords =
        accounts.lines().filter(|line| !line.split(':').nth(1).is_some_and(|it| it.starts_with(['*', '!'])));
    assert_eq!(passwords.count(), 0, "an account has a password");
    assert!(!look("cat /etc/passwd").contains("bake"));
}

fn report(number: usize) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\tSN-{number}\nPartNumber\tPCB-1\nRevision\tA\nUUTStatus\tPassed\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\n\
         NumericLimitTest\tVout\t\t5.01\t4.9\t5.1\tGELE\tV\tPassed\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

/// Uploads these, four at once; gives the numbers that the console acknowledged. Ends early when `enough`
/// are.
async fn upload(browser: &Browser, numbers: Vec<usize>, enough: usize) -> HashSet<usize> {
    let one = async |number: usize| {
        let page = browser.upload("wats-text", &format!("{number}.txt"), report(number)).await;
        (number, page.is_ok_and(|page| page.status == StatusCode::OK))
    };
    let mut uploads = std::pin::pin!(futures_util::stream::iter(numbers).map(one).buffer_unordered(4));
    let mut acknowledged = HashSet::new();
    while let Some((number, stored)) = uploads.next().await {
        if stored {
            acknowledged.insert(number);
        }
        if acknowledged.len() >= enough {
            break;
        }
    }
    acknowledged
}

/// What no machine without a memory controller can show: a converter is ended that takes, in files and heap together,
/// more than its control group allows; the agent stays.
async fn memory_bomb(browser: &Browser) {
    let bomb = include_bytes!("../plugins/memory_bomb.py").to_vec();
    let brought = browser.post_file("/plugins", &[], "memory_bomb.py", bomb).await.unwrap();
    assert_eq!(brought.status, StatusCode::SEE_OTHER, "{}", brought.text);
    let wish = [("converter", "memory-bomb")];
    let tried =
        browser.post_file("/plugins/memory_bomb.py/try", &wish, "a.txt", b"x".to_vec()).await.unwrap();
    assert_eq!(tried.status, StatusCode::OK, "{}", tried.text);
    assert!(!tried.text.contains("it holds"), "no control group ended it: {}", tried.text);
    assert!(
        tried.text.contains("needs more memory") || tried.text.contains("need more memory"),
        "{}",
        tried.text
    );
    let health = browser.get("/health").await.unwrap();
    assert_eq!(health.status, StatusCode::OK, "{}", health.text);
    let deleted = browser.post("/plugins/memory_bomb.py/delete", &[]).await.unwrap();
    assert_eq!(deleted.status, StatusCode::SEE_OTHER, "{}", deleted.text);
}

fn serials(sim: &Sim) -> Vec<String> {
    sim.reports().into_iter().map(|report| report.sn).collect()
}

#[tokio::test]
async fn the_qcow2_turns_a_file_into_a_report_and_loses_nothing_when_the_power_is_cut() {
    let sim = Sim::start(SimSettings::default()).await.unwrap();
    let (mut machine, code, browser) = boots(&image("qcow2"), "qcow2", Hardware::Virtio).await;

    let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = plain.get(machine.http_url()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
    let live = plain.get(format!("{}/health/live", machine.health_url())).send().await.unwrap();
    assert_eq!(live.status(), StatusCode::OK);

    // The guest's network reaches this machine's loopback as 10.0.2.2.
    let server = format!("http://10.0.2.2:{}", sim.address().port());
    let answers = WizardAnswers { setup_code: &code, server: &server, token: TOKEN, converter: "wats-text" };
    browser.complete_wizard(&answers).await.unwrap();
    let machine_page = browser.get("/machine").await.unwrap().text;
    assert!(
        machine_page.contains("value=\"line-4\"") && machine_page.contains("value=\"Europe/Oslo\""),
        "{machine_page}"
    );
    let updates = browser.get("/updates").await.unwrap();
    assert_eq!(updates.status, StatusCode::OK, "{}", updates.text);

    // The box of converters, as the agent's service has it on the system's own kernel.
    let health = loop {
        let page = browser.get("/health").await.unwrap().text;
        if !page.contains("Being looked at") {
            break page;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let lacking: Vec<&str> =
        health.split("The layer ").skip(1).filter_map(|it| it.split(". ").next()).collect();
    assert!(lacking.is_empty() && health.contains("id=\"sandbox\""), "{lacking:?}: {health}");

    memory_bomb(&browser).await;

    let started = Instant::now();
    assert_eq!(upload(&browser, vec![0], 1).await.len(), 1);
    while !serials(&sim).contains(&"SN-0".to_owned()) {
        assert!(started.elapsed() < BOOT, "the first report does not arrive");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    eprintln!("a file became a report on the server in {} ms", started.elapsed().as_millis());
    while !browser.get("/").await.unwrap().text.contains("SN-0") {
        assert!(started.elapsed() < BOOT, "the dashboard does not show the report");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    let mut acknowledged = upload(&browser, (1..=FILES).collect(), CUT_AT).await;
    machine.cut_power().unwrap();
    eprintln!(
        "power cut after {} acknowledged uploads, {} reports on the server",
        acknowledged.len(),
        serials(&sim).len()
    );
    // The same disk starts by UEFI, too.
    machine.switch_on(Firmware::Uefi).unwrap();
    let browser = self::browser(&mut machine).await;
    assert!(!machine.serial().contains("Setup code: "), "a claimed machine shows no code");
    let signed_in =
        browser.post("/sign-in", &[("user_name", "admin"), ("password", PASSWORD)]).await.unwrap();
    assert_eq!(signed_in.status, StatusCode::SEE_OTHER, "{}", signed_in.text);

    // What the console had said was safe must come without being uploaded again.
    let arrived = |of: &HashSet<usize>| {
        let there: HashSet<String> = serials(&sim).into_iter().collect();
        of.iter().filter(|number| there.contains(&format!("SN-{number}"))).count()
    };
    let started = Instant::now();
    while arrived(&acknowledged) < acknowledged.len() && started.elapsed() < BOOT {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let lost = acknowledged.len() - arrived(&acknowledged);
    // A person uploads the others again, some of which had arrived unseen.
    let rest: Vec<usize> = (1..=FILES).filter(|number| !acknowledged.contains(number)).collect();
    acknowledged.extend(upload(&browser, rest, FILES).await);
    while arrived(&acknowledged) < FILES && started.elapsed() < BOOT {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let there = serials(&sim);
    let unique: HashSet<&String> = there.iter().collect();
    let duplicated = there.len() - unique.len();
    eprintln!(
        "{FILES} uploads around a power cut: lost {lost}, duplicated {duplicated}, {} on the server",
        there.len()
    );
    assert_eq!((lost, duplicated, there.len()), (0, 0, FILES + 1));
}
