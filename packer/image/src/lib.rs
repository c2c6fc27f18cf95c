//! From one baked disk to the files that hypervisors import: QCOW2, OVA and VHD.
//!
//! `qemu-img` converts; this crate describes the machine ([`ovf`]), packs the OVA ([`ova`]), and looks
//! at the results as an importer would ([`ova::check`], [`vhd::check`]).

pub mod ova;
pub mod ovf;
pub mod vhd;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};

/// The three files and their checksums, by name.
fn names(version: &str) -> [String; 3] {
    ["qcow2", "ova", "vhd"].map(|extension| format!("wats-appliance-{version}.{extension}"))
}

/// Makes the three files and `SHA256SUMS`.
///
/// # Errors
/// When `qemu-img` fails or the folder cannot be written; nothing half-made keeps its final name.
pub fn export(from: &Path, into: &Path, version: &str) -> anyhow::Result<()> {
    fs::create_dir_all(into).with_context(|| format!("making {}", into.display()))?;
    let [qcow2, ova, vhd] = names(version).map(|name| into.join(name));
    let capacity = virtual_size(from)?;
    ensure!(capacity % (1 << 20) == 0, "the disk's size, {capacity} bytes, is no whole number of MiB");
    let name = format!("wats-appliance-{version}");
    let vmdk = into.join(format!("{name}-disk1.vmdk"));

    // Two single-threaded compressors at once fill two cores; the VHD is a plain copy.
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let stream = scope.spawn(|| {
            timed("stream-optimised VMDK", || {
                convert(from, &vmdk, &["-O", "vmdk", "-o", "subformat=streamOptimized,adapter_type=lsilogic"])
            })
        });
        timed("QCOW2, compressed", || convert(from, &qcow2, &["-c", "-O", "qcow2"]))?;
        timed("VHD, fixed", || convert(from, &vhd, &["-O", "vpc", "-o", "subformat=fixed,force_size=on"]))?;
        stream.join().map_err(|_| anyhow::anyhow!("the VMDK's thread panicked"))?
    })?;
    timed("OVA", || ova::pack(&name, &vmdk, capacity, &ova))?;
    fs::remove_file(&vmdk)?;

    let mut sums = String::new();
    for path in [&qcow2, &ova, &vhd] {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        sums.push_str(&format!("{}  {name}\n", sha256(path)?));
    }
    write_whole(&into.join("SHA256SUMS"), sums.as_bytes())
}

/// Looks at what an export made: checksums, the OVA as an importer reads it, the VHD's footer, the QCOW2's structure.
///
/// # Errors
/// With the first thing that is wrong.
pub fn verify(into: &Path, version: &str) -> anyhow::Result<()> {
    let sums = fs::read_to_string(into.join("SHA256SUMS"))
        .context("reading SHA256SUMS; run './just image' first")?;
    for name in names(version) {
        let line = format!("{}  {name}", sha256(&into.join(&name))?);
        ensure!(sums.lines().any(|l| l == line), "{name} is not the file of SHA256SUMS");
    }
    let [qcow2, ova, vhd] = names(version).map(|name| into.join(name));
    qemu_img(&["check".as_ref(), "-q".as_ref(), qcow2.as_os_str()])?;
    let capacity = virtual_size(&qcow2)?;
    ova::check(&ova, capacity)?;
    vhd::check(&vhd, capacity)?;
    say(&format!("checked: {} in {}", names(version).join(", "), into.display()));
    Ok(())
}

fn convert(from: &Path, to: &Path, options: &[&str]) -> anyhow::Result<()> {
    let draft = to.with_extension("part");
    let mut arguments: Vec<&OsStr> = vec!["convert".as_ref(), "-m".as_ref(), "8".as_ref(), "-W".as_ref()];
    arguments.extend(options.iter().map(OsStr::new));
    arguments.extend([from.as_os_str(), draft.as_os_str()]);
    qemu_img(&arguments)?;
    fs::rename(&draft, to).with_context(|| format!("naming {}", to.display()))
}

fn qemu_img(arguments: &[&OsStr]) -> anyhow::Result<Vec<u8>> {
    let output = Command::new("qemu-img").args(arguments).output().context("starting qemu-img")?;
    if !output.status.success() {
        bail!("qemu-img {arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

/// Bytes of the disk that the guest sees.
fn virtual_size(disk: &Path) -> anyhow::Result<u64> {
    let shown = qemu_img(&["info".as_ref(), "--output=json".as_ref(), disk.as_os_str()])?;
    let shown: serde_json::Value =
        serde_json::from_slice(&shown).context("reading the answer of qemu-img")?;
    shown.get("virtual-size").and_then(serde_json::Value::as_u64).context("qemu-img says no size")
}

pub(crate) fn sha256(path: &Path) -> anyhow::Result<String> {
    let mut file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            break;
        }
        hash.update(block.get(..read).unwrap_or_default());
    }
    Ok(hex(&hash.finalize()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let draft: PathBuf = path.with_extension("part");
    let mut file = File::create(&draft).with_context(|| format!("writing {}", draft.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(fs::rename(&draft, path)?)
}

fn timed<T>(what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let started = Instant::now();
    let done = work().with_context(|| format!("making the {what}"))?;
    say(&format!("{what}: {} s", started.elapsed().as_secs()));
    Ok(done)
}

#[expect(clippy::print_stderr, reason = "progress of a command-line tool")]
fn say(line: &str) {
    eprintln!("  {line}");
}
