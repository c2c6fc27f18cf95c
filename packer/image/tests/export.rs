//! A small disk goes through the whole export; what an importer would refuse is found.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::process::Command;

#[test]
fn a_disk_becomes_three_images_that_pass_the_checks_and_damage_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk.raw");
    let mut file = fs::File::create(&disk).unwrap();
    file.set_len(8 << 20).unwrap();
    file.write_all(&[7; 100_000]).unwrap();
    let into = folder.path().join("dist");
    wats_image::export(&disk, &into, "1.2.3").unwrap();
    wats_image::verify(&into, "1.2.3").unwrap();
    for (extension, format) in [("qcow2", "qcow2"), ("vhd", "vpc")] {
        let image = into.join(format!("wats-appliance-1.2.3.{extension}"));
        let same = Command::new("qemu-img")
            .args(["compare", "-f", "raw", "-F", format])
            .arg(&disk)
            .arg(&image)
            .status()
            .unwrap();
        assert!(same.success(), "{extension}");
    }
    let mut kept: Vec<String> =
        fs::read_dir(&into).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    kept.sort();
    assert_eq!(
        kept,
        ["SHA256SUMS", "wats-appliance-1.2.3.ova", "wats-appliance-1.2.3.qcow2", "wats-appliance-1.2.3.vhd"]
    );

    let ova = into.join("wats-appliance-1.2.3.ova");
    wats_image::ova::check(&ova, 8 << 20).unwrap();
    let mut damaged = OpenOptions::new().write(true).open(&ova).unwrap();
    damaged.seek(SeekFrom::Start(20_000)).unwrap();
    damaged.write_all(b"x").unwrap();
    assert!(wats_image::ova::check(&ova, 8 << 20).unwrap_err().to_string().contains("manifest"));
    assert!(wats_image::verify(&into, "1.2.3").is_err());
}
