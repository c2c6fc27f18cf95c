//! The three exported images boot on the hardware that they are made for, and the agent in them answers.
//!
//! Run by `./just image-test`, which needs the files of `./just image`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wats_tests::machine::{Hardware, Machine, unpack_disk};

/// Emulation on a busy machine is slow; a quiet one needs a tenth of this.
const BOOT: Duration = Duration::from_secs(480);

fn image(extension: &str) -> PathBuf {
    let name = format!("dist/wats-appliance-{}.{extension}", env!("CARGO_PKG_VERSION"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    assert!(path.is_file(), "{} is missing: run './just image' first", path.display());
    path
}

async fn boots_and_answers(disk: &Path, format: &str, hardware: Hardware) {
    let mut machine = Machine::boot(disk, format, hardware).unwrap();
    machine.wait_for("login:", BOOT).await.unwrap();
    let url = format!("{}/health/live", machine.health_url());
    let started = Instant::now();
    loop {
        let answer = reqwest::Client::new().get(&url).timeout(Duration::from_secs(10)).send().await;
        match answer {
            Ok(answer) if answer.status() == 200 => break,
            other if started.elapsed() > BOOT => {
                panic!("the agent in the image does not answer: {other:?}\n{}", machine.serial())
            }
            _ => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}

#[tokio::test]
async fn the_qcow2_boots_by_bios_on_virtio_and_the_agent_answers() {
    boots_and_answers(&image("qcow2"), "qcow2", Hardware::Virtio).await;
}

#[tokio::test]
async fn the_ova_boots_by_uefi_on_scsi_and_the_agent_answers() {
    let folder = tempfile::tempdir().unwrap();
    let disk = unpack_disk(&image("ova"), folder.path()).unwrap();
    boots_and_answers(&disk, "vmdk", Hardware::ScsiUefi).await;
}

#[tokio::test]
async fn the_vhd_boots_by_bios_on_ide_and_the_agent_answers() {
    boots_and_answers(&image("vhd"), "vpc", Hardware::Ide).await;
}
