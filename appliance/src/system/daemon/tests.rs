use std::os::unix::fs::MetadataExt as _;

use super::super::api::PowerAction;
use super::super::client::{SystemClient, SystemError};
use super::super::runner::testing::script;
use super::*;

struct Bench {
    root: tempfile::TempDir,
    client: SystemClient,
    stop: CancellationToken,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn bench() -> Bench {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    for folder in ["etc", "proc/sys/kernel", "run"] {
        std::fs::create_dir_all(path.join(folder)).unwrap();
    }
    let log = path.join("log");
    for program in ["/usr/bin/hostnamectl", "/usr/bin/systemd-run", "/usr/bin/apt-get"] {
        script(path, program, &format!("echo {program} \"$@\" >> {}", log.display()));
    }
    script(
        path,
        "/usr/bin/systemctl",
        &format!("[ \"$1\" = is-active ] && exit 3; echo systemctl \"$@\" >> {}", log.display()),
    );
    script(path, "/usr/bin/timedatectl", "printf 'UTC\\nEurope/Oslo\\n'");
    let socket = path.join("system.sock");
    let listener = listen(&socket, "no-such-group").await.unwrap();
    // The tests run as whoever builds; root may always call.
    let me = User::from_uid(Uid::effective()).unwrap().map(|user| user.name).into_iter().collect();
    let daemon = Daemon::new(Runner::below(path), path, path, me);
    let stop = CancellationToken::new();
    tokio::spawn(serve(listener, daemon, stop.clone()));
    Bench { client: SystemClient::new(&socket).unwrap(), root, stop }
}

impl Bench {
    fn log(&self) -> String {
        std::fs::read_to_string(self.root.path().join("log")).unwrap_or_default()
    }
}

#[tokio::test]
async fn every_operation_goes_over_the_socket() {
    let bench = bench().await;
    bench.client.set_host_name("line-4").await.unwrap();
    bench.client.set_time_zone("Europe/Oslo").await.unwrap();
    assert_eq!(bench.client.time_zones().await.unwrap(), ["UTC", "Europe/Oslo"]);
    assert_eq!(bench.client.host().await.unwrap().version, env!("CARGO_PKG_VERSION"));
    bench.client.start_updates(UpdateKind::Check).await.unwrap();
    assert!(bench.client.updates().await.unwrap().run.is_some());
    bench.client.power(PowerAction::Restart).await.unwrap();
    let started = std::time::Instant::now();
    while !bench.log().contains("systemctl reboot\n") {
        assert!(started.elapsed() < Duration::from_secs(30), "{}", bench.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(bench.log().contains("/usr/bin/hostnamectl set-hostname line-4\n"));
}

#[tokio::test]
async fn what_is_refused_comes_back_in_words() {
    let bench = bench().await;
    let refused = bench.client.set_host_name("a b; reboot").await.unwrap_err();
    assert!(
        matches!(&refused, SystemError::Refused { message } if message.contains("letters")),
        "{refused:?}"
    );
    let refused = bench.client.set_time_zone("Mars/Olympus").await.unwrap_err();
    assert!(matches!(&refused, SystemError::Refused { message } if message.contains("Mars/Olympus")));
    bench.client.start_updates(UpdateKind::Install).await.unwrap();
    let refused = bench.client.start_updates(UpdateKind::Install).await.unwrap_err();
    assert_eq!(refused.to_string(), "Updates are being fetched or installed already.");
    assert_eq!(bench.log().lines().filter(|line| line.contains("hostnamectl")).count(), 0);
}

#[tokio::test]
async fn a_tool_that_fails_is_a_failure_with_its_words() {
    let bench = bench().await;
    script(bench.root.path(), "/usr/bin/hostnamectl", "echo 'Access denied' >&2; exit 1");
    let failed = bench.client.set_host_name("line-4").await.unwrap_err();
    assert!(
        matches!(&failed, SystemError::Failed { message } if message.contains("Access denied")),
        "{failed:?}"
    );
}

#[test]
fn only_root_and_the_named_users_may_call() {
    let allowed = vec!["wats-console".to_owned()];
    assert!(may_call(Peer(Some(0)), &allowed));
    assert!(!may_call(Peer(None), &allowed));
    let nobody = User::from_name("nobody").unwrap().unwrap().uid.as_raw();
    assert!(!may_call(Peer(Some(nobody)), &allowed));
    assert!(may_call(Peer(Some(nobody)), &["nobody".to_owned()]));
    assert!(!may_call(Peer(Some(3_999_999)), &allowed));
}

#[tokio::test]
async fn the_socket_is_for_its_group_only_and_never_taken_from_a_living_process() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let living = listen(&socket, "no-such-group").await.unwrap();
    assert_eq!(std::fs::metadata(&socket).unwrap().mode() & 0o777, 0o660);
    assert!(matches!(listen(&socket, "no-such-group").await, Err(DaemonError::Taken { .. })));
    drop(living);
    listen(&socket, "no-such-group").await.unwrap();
}

#[tokio::test]
async fn a_client_without_a_daemon_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let client = SystemClient::new(&folder.path().join("none.sock")).unwrap();
    assert!(matches!(client.host().await, Err(SystemError::Unreachable(_))));
}
