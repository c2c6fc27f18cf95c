//! The strictest box, for our own converters: no file, no connection, no process, and few system calls.
//!
//! What they need comes through a pipe. Time zones come from the data in this program: nothing may have asked for one
//! before, or the library would go on looking for files that are not there any more.

use std::io;
use std::path::PathBuf;

use super::{landlock, limits, namespaces, privileges, system_calls};
use crate::sandbox::noted::note;
use crate::sandbox::{Kind, Layer, Layers, Profile, See};

/// Puts this process, which has one thread as yet, into the box.
///
/// # Errors
/// When a limit cannot be set. Every other layer may be missing: it is noted.
pub fn enter(memory_bytes: u64) -> io::Result<Layers> {
    let mut layers = Layers::default();
    // Only says which layers are left out: none.
    let profile = Profile::new(Kind::Program, See::same(PathBuf::new()));
    limits::set_memory(memory_bytes)?;
    note(&profile, &mut layers, Layer::Users, namespaces::users);
    note(&profile, &mut layers, Layer::Network, namespaces::network);
    note(&profile, &mut layers, Layer::Privileges, || privileges::give_up().map(|detail| ((), detail)));
    note(&profile, &mut layers, Layer::Landlock, || landlock::forbid_all().map(|detail| ((), detail)));
    note(&profile, &mut layers, Layer::SystemCalls, || system_calls::native().map(|detail| ((), detail)));
    Ok(layers)
}
