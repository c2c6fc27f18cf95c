use super::super::runner::testing::script;
use super::*;

struct Bench {
    root: tempfile::TempDir,
    service: UpdateService,
}

fn bench(apt: &str, systemctl: &str) -> Bench {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    let log = path.join("calls");
    script(path, APT_GET, &format!("echo apt-get \"$@\" >> {}\n{apt}", log.display()));
    script(path, "/usr/bin/dpkg", &format!("echo dpkg \"$@\" >> {}", log.display()));
    script(path, "/usr/bin/systemctl", systemctl);
    script(path, "/usr/bin/systemd-run", &format!("echo systemd-run \"$@\" >> {}", log.display()));
    let service = UpdateService::new(Runner::below(path), path, path);
    Bench { service, root }
}

impl Bench {
    fn calls(&self) -> String {
        std::fs::read_to_string(self.root.path().join("calls")).unwrap_or_default()
    }

    async fn run(&self, kind: UpdateKind) -> UpdateRun {
        run(&Runner::below(self.root.path()), self.root.path(), kind).await.unwrap();
        read(&self.root.path().join("update.json")).unwrap().run
    }
}

const INACTIVE: &str = "exit 3";

#[tokio::test]
async fn an_installation_completes_what_was_begun_and_keeps_changed_settings() {
    let apt =
        "echo 'dlstatus:1:100:Retrieving'\necho 'pmstatus:libc6:50:Unpacking libc6'\necho 'Setting up libc6'";
    let bench = bench(apt, INACTIVE);
    let run = bench.run(UpdateKind::Install).await;
    assert_eq!((run.state, run.percent, run.error), (UpdateState::Succeeded, 100.0, None));
    assert_eq!(run.log, ["Setting up libc6"]);
    assert_eq!(
        bench.calls(),
        "dpkg --configure -a --force-confdef --force-confold\n\
         apt-get -q -o APT::Status-Fd=1 -o DPkg::Lock::Timeout=120 --yes -o Dpkg::Use-Pty=0 \
         -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --with-new-pkgs upgrade\n"
    );
}

#[tokio::test]
async fn a_failure_is_told_in_apts_words_with_advice() {
    let apt = "echo 'E: Failed to fetch http://deb.debian.org/x  Could not resolve host' >&2; exit 100";
    let bench = bench(apt, INACTIVE);
    let run = bench.run(UpdateKind::Check).await;
    assert_eq!(run.state, UpdateState::Failed);
    let error = run.error.unwrap();
    assert!(error.starts_with("Failed to fetch http://deb.debian.org/x"), "{error}");
    assert!(error.ends_with("network, name server and proxy."), "{error}");
}

#[tokio::test]
async fn only_one_run_at_a_time() {
    let bench = bench("", INACTIVE);
    let now = Timestamp::now();
    bench.service.start(UpdateKind::Check, now).await.unwrap();
    let second = bench.service.start(UpdateKind::Install, now).await;
    assert!(matches!(second, Err(UpdateError::Running)), "{second:?}");
    assert_eq!(
        bench.calls(),
        "systemd-run --unit=wats-appliance-update.service --collect --description=Appliance update \
         /usr/bin/wats-appliance update-run check\n"
    );
}

#[tokio::test]
async fn a_run_that_vanished_is_shown_as_failed_and_another_can_start() {
    let bench = bench("", INACTIVE);
    let begun = Timestamp::from_second(1_000_000).unwrap();
    bench.service.start(UpdateKind::Install, begun).await.unwrap();
    let soon = Timestamp::from_second(1_000_010).unwrap();
    let later = Timestamp::from_second(1_000_100).unwrap();
    let state = async |now| bench.service.updates(now).await.unwrap().run.unwrap();
    assert_eq!(state(soon).await.state, UpdateState::Running);
    let vanished = state(later).await;
    assert_eq!(vanished.state, UpdateState::Failed);
    assert!(vanished.error.unwrap().contains("Install again"));
    bench.service.start(UpdateKind::Install, later).await.unwrap();
}

#[tokio::test]
async fn a_run_that_goes_on_is_left_alone_however_long_it_takes() {
    let bench = bench("", "exit 0");
    let file = bench.root.path().join("update.json");
    let begun = Timestamp::from_second(1_000_000).unwrap();
    write(&file, &Record { run: new_run(UpdateKind::Install, begun), checked_at: None }).unwrap();
    let updates = bench.service.updates(Timestamp::from_second(1_009_000).unwrap()).await.unwrap();
    assert_eq!(updates.run.unwrap().state, UpdateState::Running);
    assert_eq!(updates.available, []);
}

#[tokio::test]
async fn apt_is_asked_again_only_when_something_changed() {
    let bench = bench("echo 'Inst a [1] (2 Debian:12/stable [amd64])'", INACTIVE);
    let now = Timestamp::now();
    for _ in 0..3 {
        assert_eq!(bench.service.updates(now).await.unwrap().available.len(), 1);
    }
    assert_eq!(bench.calls().lines().count(), 1);
    std::fs::create_dir_all(bench.root.path().join("var/lib/apt/lists")).unwrap();
    bench.service.updates(now).await.unwrap();
    assert_eq!(bench.calls().lines().count(), 2);
}

#[tokio::test]
async fn the_time_of_the_last_check_outlives_an_installation() {
    let bench = bench("", INACTIVE);
    bench.run(UpdateKind::Check).await;
    bench.run(UpdateKind::Install).await;
    assert!(bench.service.updates(Timestamp::now()).await.unwrap().checked_at.is_some());
}
