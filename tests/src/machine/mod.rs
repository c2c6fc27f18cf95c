//! A virtual machine in QEMU, started from a copy-on-write overlay so that the image stays as it was exported.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// Which hardware the machine has: that of the hypervisor for which the image is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hardware {
    /// KVM, Proxmox, OpenStack: virtio.
    Virtio,
    /// vSphere and VirtualBox, as the OVA describes them: SCSI controller and e1000.
    Scsi,
    /// Hyper-V of generation 1, Azure: IDE.
    Ide,
}

/// How the machine starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firmware {
    Bios,
    Uefi,
}

/// A machine with a disk of its own; dropping it cuts its power.
#[derive(Debug)]
pub struct Machine {
    hardware: Hardware,
    qemu: Option<Child>,
    folder: tempfile::TempDir,
    ports: Ports,
}

/// Where the guest's ports are on this machine.
#[derive(Debug, Clone, Copy)]
struct Ports {
    https: u16,
    http: u16,
    health: u16,
}

impl Machine {
    /// Boots a copy of `disk`, which `qemu-img` calls `format`, by BIOS.
    ///
    /// # Errors
    /// When QEMU is missing or refuses to start.
    pub fn boot(disk: &Path, format: &str, hardware: Hardware) -> anyhow::Result<Self> {
        let disk = disk
            .canonicalize()
            .with_context(|| format!("no image {}: run './just image'", disk.display()))?;
        let folder = tempfile::tempdir()?;
        let made = Command::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2", "-F", format, "-b"])
            .args([&disk, &folder.path().join("overlay.qcow2")])
            .status()
            .context("starting qemu-img")?;
        ensure!(made.success(), "qemu-img cannot make an overlay of {}", disk.display());
        let ports = Ports { https: free_port()?, http: free_port()?, health: free_port()? };
        let mut machine = Self { hardware, qemu: None, folder, ports };
        machine.switch_on(Firmware::Bios)?;
        Ok(machine)
    }

    /// Starts it, with the disk as it was left; the serial console begins anew.
    ///
    /// # Errors
    /// When QEMU refuses to start.
    pub fn switch_on(&mut self, firmware: Firmware) -> anyhow::Result<()> {
        let mut qemu = Command::new("qemu-system-x86_64");
        qemu.args(["-m", "1536", "-smp", "2", "-display", "none", "-monitor", "none", "-no-reboot"]);
        if has_kvm() {
            qemu.args(["-accel", "kvm", "-cpu", "host"]);
        } else {
            qemu.args(["-accel", "tcg,thread=multi", "-cpu", "Nehalem"]);
        }
        if firmware == Firmware::Uefi {
            qemu.args(["-bios", "/usr/share/ovmf/OVMF.fd"]);
        }
        let folder = self.folder.path();
        qemu.arg("-serial").arg(format!("file:{}", folder.join("serial").display()));
        // What the guest flushed is in the file; what it only wrote may be, too: the power that is cut is the
        // guest's, not that of its disk.
        let drive =
            format!("file={},format=qcow2,cache=writeback,id=disk", folder.join("overlay.qcow2").display());
        let Ports { https, http, health } = self.ports;
        let forward = |outside: u16, inside: u16| format!(",hostfwd=tcp:127.0.0.1:{outside}-:{inside}");
        let network =
            format!("user,id=net{}{}{}", forward(https, 443), forward(http, 80), forward(health, 8080));
        qemu.args(["-netdev", &network, "-device", "virtio-rng-pci"]);
        match self.hardware {
            Hardware::Virtio => {
                qemu.arg("-drive").arg(format!("{drive},if=none"));
                qemu.args(["-device", "virtio-blk-pci,drive=disk", "-device", "virtio-net-pci,netdev=net"]);
            }
            Hardware::Scsi => {
                qemu.arg("-drive").arg(format!("{drive},if=none"));
                // QEMU's LSI Logic is another one than that of the OVA; this is VMware's own.
                qemu.args([
                    "-device",
                    "pvscsi",
                    "-device",
                    "scsi-hd,drive=disk",
                    "-device",
                    "e1000,netdev=net",
                ]);
            }
            Hardware::Ide => {
                qemu.arg("-drive").arg(format!("{drive},if=ide"));
                qemu.args(["-device", "e1000,netdev=net"]);
            }
        }
        let qemu = qemu
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting qemu-system-x86_64")?;
        self.qemu = Some(qemu);
        Ok(())
    }

    /// Ends it without a warning to the guest.
    ///
    /// # Errors
    /// When it does not run.
    pub fn cut_power(&mut self) -> anyhow::Result<()> {
        let mut qemu = self.qemu.take().context("the machine is off")?;
        qemu.kill()?;
        qemu.wait()?;
        Ok(())
    }

    /// The address of the console, as the certificate names it.
    pub fn console_url(&self) -> String {
        format!("https://localhost:{}", self.ports.https)
    }

    /// Where plain HTTP is answered.
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.http)
    }

    /// Where the guest's port 8080 is on this machine.
    pub fn health_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.health)
    }

    /// All that the serial console showed so far.
    pub fn serial(&self) -> String {
        let bytes = std::fs::read(self.folder.path().join("serial")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until the serial console shows a line that begins with `name`, and gives the rest of it.
    ///
    /// # Errors
    /// As [`wait_for`](Self::wait_for).
    pub async fn line(&mut self, name: &str, limit: Duration) -> anyhow::Result<String> {
        let started = Instant::now();
        loop {
            let rest = limit.saturating_sub(started.elapsed());
            self.wait_for(name, rest).await?;
            let serial = self.serial();
            let (_, after) = serial.rsplit_once(name).context("it was there a moment ago")?;
            if let Some((value, _)) = after.split_once(['\r', '\n']) {
                return Ok(value.trim().to_owned());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the serial console shows `text`.
    ///
    /// # Errors
    /// When it does not within `limit`, or the machine ended; with the end of the console.
    pub async fn wait_for(&mut self, text: &str, limit: Duration) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            if self.serial().contains(text) {
                return Ok(());
            }
            let ended = self.qemu.as_mut().context("the machine is off")?.try_wait()?;
            if ended.is_some() || started.elapsed() > limit {
                let serial = self.serial();
                let lines: Vec<&str> = serial.lines().rev().take(25).collect();
                let end: Vec<&str> = lines.into_iter().rev().collect();
                bail!("the console did not show {text:?} ({ended:?}); it ends with:\n{}", end.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(qemu) = &mut self.qemu {
            // It may have ended by itself; both calls then say so, and there is nothing left to do.
            let _killed = qemu.kill();
            let _ended = qemu.wait();
        }
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A `/dev/kvm` on a processor without virtualisation belongs to a nested hypervisor that runs no stock guest.
fn has_kvm() -> bool {
    let opens = std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok();
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    opens && cpu.split_whitespace().any(|flag| flag == "vmx" || flag == "svm")
}

/// Takes the disk out of an OVA.
///
/// # Errors
/// When the OVA cannot be read or holds no disk.
pub fn unpack_disk(ova: &Path, into: &Path) -> anyhow::Result<PathBuf> {
    let file = std::fs::File::open(ova)
        .with_context(|| format!("no image {}: run './just image'", ova.display()))?;
    let mut archive = tar::Archive::new(file);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()?.extension().is_some_and(|e| e == "vmdk") {
            let disk = into.join("disk.vmdk");
            let mut out = std::fs::File::create(&disk)?;
            std::io::copy(&mut entry, &mut out)?;
            out.flush()?;
            return Ok(disk);
        }
    }
    bail!("{} holds no disk", ova.display())
}
