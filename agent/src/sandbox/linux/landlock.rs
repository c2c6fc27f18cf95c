//! Landlock: the kernel judges each file, connection and signal, whatever the file system looks like.

use std::path::PathBuf;

use ::landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use crate::sandbox::plan::seen;
use crate::sandbox::{Layer, Layers, Part, Profile};

/// The newest version whose rights were looked at; older kernels enforce the part that they know.
const KNOWN: ABI = ABI::V7;
/// Devices that can be written to, like a file.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What may be read, and what may be written.
#[derive(Debug, Default)]
pub(super) struct Places {
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    devices: Vec<PathBuf>,
    /// What may be listed, with all below it.
    list: Vec<PathBuf>,
}

pub(super) fn places(profile: &Profile, layers: &Layers) -> Places {
    let mut read: Vec<_> = profile.see.iter().map(|it| seen(profile, layers, &it.inside)).collect();
    if layers.holds(Layer::Mounts) && layers.holds(Layer::Processes) {
        read.push("/proc".into());
    }
    let write = profile.write.iter().chain([&profile.scratch]);
    let write = write.map(|it| seen(profile, layers, &it.inside)).collect();
    // A root that holds nothing else has nothing to hide.
    let list = layers.holds(Layer::Mounts).then(|| "/".into()).into_iter().collect();
    Places { read, write, devices: DEVICES.map(PathBuf::from).to_vec(), list }
}

pub(super) fn restrict(profile: &Profile, places: &Places) -> Result<String, String> {
    enforce(!profile.lifted.contains(&Part::Network), places)
}

/// No file and no connection at all.
pub(super) fn forbid_all() -> Result<String, String> {
    enforce(true, &Places::default())
}

fn enforce(no_network: bool, places: &Places) -> Result<String, String> {
    let restricted =
        rules(no_network, places).map_err(|error| format!("Landlock refused the rules: {error}"))?;
    match (restricted.ruleset, restricted.landlock) {
        (RulesetStatus::NotEnforced, LandlockStatus::NotEnabled) => {
            Err("Landlock is not enabled: add lsm=landlock,… to the kernel's command line".to_owned())
        }
        (RulesetStatus::NotEnforced, _) => Err("this kernel has no Landlock: it needs 5.13".to_owned()),
        (_, LandlockStatus::Available { effective_abi, kernel_abi }) => {
            let abi = kernel_abi.unwrap_or(effective_abi as i32);
            Ok(format!("ABI {abi}: {}", covers(abi, no_network)))
        }
        _ => Ok(String::new()),
    }
}

/// What a version judges.
fn covers(abi: i32, no_network: bool) -> String {
    let mut covered = vec!["files"];
    covered.extend((abi >= 4 && no_network).then_some("TCP"));
    covered.extend((abi >= 6).then_some("signals and abstract sockets"));
    covered.join(", ")
}

fn rules(no_network: bool, places: &Places) -> Result<::landlock::RestrictionStatus, RulesetError> {
    let all = AccessFs::from_all(KNOWN);
    let look: BitFlags<AccessFs> = AccessFs::from_read(KNOWN);
    let work = all
        & !(AccessFs::Execute
            | AccessFs::MakeChar
            | AccessFs::MakeBlock
            | AccessFs::MakeSock
            | AccessFs::IoctlDev);
    let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
    let mut rules = Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(all)?;
    if no_network {
        rules = rules.handle_access(AccessNet::from_all(KNOWN))?;
    }
    rules
        .scope(Scope::from_all(KNOWN))?
        .create()?
        .add_rules(path_beneath_rules(&places.read, look))?
        .add_rules(path_beneath_rules(&places.write, work))?
        .add_rules(path_beneath_rules(&places.devices, device))?
        .add_rules(path_beneath_rules(&places.list, AccessFs::ReadDir))?
        .restrict_self()
}
