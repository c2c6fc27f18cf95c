//! Only the system calls that the runtime needs.
//!
//! Two filters. The first lets through what is listed and answers "not implemented" to all else, so that a library
//! falls back to older calls (`clone3` to `clone`, for one). The second answers "not permitted" to what would break out,
//! or do so with these arguments: a person who reads the error then knows that it was forbidden.

mod lists;

use std::collections::BTreeMap;

use nix::unistd::getpid;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter, sock_filter,
};

use crate::sandbox::{Kind, Part, Profile};
use lists::{FORBIDDEN, NATIVE, NETWORK, PROCESSES, PROGRAM, PYTHON};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Flags of clone(2) that make namespaces.
const NAMESPACES: [u64; 7] =
    [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];
const ALL_NAMESPACES: u64 = 0x7e02_0000;
/// The flag of clone(2) that makes a thread.
const THREAD: u64 = 0x0001_0000;
/// What asks a descriptor about itself. Nothing that reaches a terminal or a device.
const REQUESTS: [u64; 7] = [0x5401, 0x802c_542a, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451];

pub(super) fn restrict(profile: &Profile) -> Result<String, String> {
    let lifted = |part| profile.lifted.contains(&part);
    let (network, processes) = (lifted(Part::Network), lifted(Part::Processes));
    if lifted(Part::SystemCalls) {
        apply(&foreign_numbers())?;
    } else {
        let more = match profile.kind {
            Kind::Python => &[][..],
            Kind::Program => PROGRAM,
        };
        let mut allowed: Vec<i64> = [NATIVE, PYTHON, more, FORBIDDEN, NETWORK, PROCESSES].concat();
        allowed.sort_unstable();
        allowed.dedup();
        apply(&allow(allowed.into_iter().map(|it| (it, Vec::new())).collect())?)?;
    }
    let forbidden = forbidden(network, processes).map_err(|error| error.to_string())?;
    apply(&filter(forbidden, SeccompAction::Allow, SeccompAction::Errno(errno(libc::EPERM)))?)?;
    Ok(match (lifted(Part::SystemCalls), profile.kind) {
        (true, _) => "only what would break out is refused".to_owned(),
        (false, Kind::Python) => "those of Python".to_owned(),
        (false, Kind::Program) => "those of a program".to_owned(),
    })
}

/// Reading, writing, memory, time.
pub(super) fn native() -> Result<String, String> {
    let built = || -> Result<Rules, BackendError> {
        let mut rules: Rules = NATIVE.iter().map(|it| (*it, Vec::new())).collect();
        let without_execution = is(2, SeccompCmpOp::MaskedEq(0x4), 0)?;
        rules.insert(libc::SYS_mmap, vec![without_execution.clone()]);
        rules.insert(libc::SYS_mprotect, vec![without_execution]);
        // A thread, which watches whether the agent is still there.
        let thread =
            condition(0, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(THREAD | ALL_NAMESPACES), THREAD)?;
        rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![thread])?]);
        rules.insert(libc::SYS_tgkill, vec![is(0, SeccompCmpOp::Eq, own_number())?]);
        Ok(rules)
    };
    apply(&allow(built().map_err(|error| error.to_string())?)?)?;
    Ok("those of a native converter".to_owned())
}

/// What is refused, and with which arguments.
fn forbidden(network: bool, processes: bool) -> Result<Rules, BackendError> {
    let mut rules: Rules = FORBIDDEN.iter().map(|it| (*it, Vec::new())).collect();
    // A limit may be asked for, never set; no process outlives its parent by its own wish.
    rules.insert(libc::SYS_prlimit64, vec![long(2, SeccompCmpOp::Ne, 0)?]);
    rules.insert(libc::SYS_prctl, vec![is(0, SeccompCmpOp::Eq, 1)?]);
    rules.insert(
        libc::SYS_ioctl,
        vec![SeccompRule::new(REQUESTS.iter().map(|it| is_not(1, *it)).collect::<Result<_, _>>()?)?],
    );
    let mut clone = NAMESPACES
        .iter()
        .map(|flag| is(0, SeccompCmpOp::MaskedEq(*flag), *flag))
        .collect::<Result<Vec<_>, _>>()?;
    if processes {
        rules.insert(libc::SYS_clone, clone);
    } else {
        // A thread is no process.
        clone.push(is(0, SeccompCmpOp::MaskedEq(THREAD), 0)?);
        rules.insert(libc::SYS_clone, clone);
        rules.extend(PROCESSES.iter().map(|it| (*it, Vec::new())));
        for signal in [libc::SYS_kill, libc::SYS_tgkill] {
            rules.insert(signal, vec![is(0, SeccompCmpOp::Ne, own_number())?]);
        }
    }
    if network {
        // Of the Internet and of files; nothing that reaches the kernel, a radio or another machine's hypervisor.
        let families = [1, 2, 10].map(|it| is_not(0, it)).into_iter().collect::<Result<_, _>>()?;
        rules.insert(libc::SYS_socket, vec![SeccompRule::new(families)?]);
    } else {
        rules.extend(NETWORK.iter().map(|it| (*it, Vec::new())));
    }
    // A pair of streams reaches nobody else; with datagrams one could write to any socket's name.
    let streams = vec![
        is(0, SeccompCmpOp::Ne, 1)?,
        is(1, SeccompCmpOp::MaskedEq(0xf), 2)?,
        is(1, SeccompCmpOp::MaskedEq(0xf), 3)?,
        is(1, SeccompCmpOp::MaskedEq(0xf), 5)?,
    ];
    rules.insert(libc::SYS_socketpair, streams);
    Ok(rules)
}

/// This process's number as it sees it itself; executing keeps it.
fn own_number() -> u64 {
    u64::from(getpid().as_raw().unsigned_abs())
}

fn condition(
    argument: u8,
    length: SeccompCmpArgLen,
    how: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, length, how, value)
}

fn is(argument: u8, how: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![condition(argument, SeccompCmpArgLen::Dword, how, value)?])
}

fn long(argument: u8, how: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![condition(argument, SeccompCmpArgLen::Qword, how, value)?])
}

fn is_not(argument: u8, value: u64) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

/// Lets through what the rules list.
fn allow(rules: Rules) -> Result<BpfProgram, String> {
    filter(rules, SeccompAction::Errno(errno(libc::ENOSYS)), SeccompAction::Allow)
}

fn filter(rules: Rules, otherwise: SeccompAction, listed: SeccompAction) -> Result<BpfProgram, String> {
    let here = std::env::consts::ARCH.try_into();
    let built =
        here.and_then(|here| SeccompFilter::new(rules, otherwise, listed, here)).and_then(TryInto::try_into);
    built.map_err(|error: BackendError| format!("no filter of system calls could be made: {error}"))
}

fn apply(program: &BpfProgram) -> Result<(), String> {
    apply_filter(program).map_err(|error| format!("the kernel took no filter of system calls: {error}"))
}

fn errno(number: i32) -> u32 {
    number.unsigned_abs()
}

/// Refuses the second set of numbers that some kernels for x86-64 have for the same calls. A list of what is allowed
/// does not hold them anyway.
fn foreign_numbers() -> BpfProgram {
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    // Load the number; at least 0x40000000: not permitted; else allowed.
    vec![
        step(0x20, 0, 0, 0),
        step(0x35, 0, 1, 0x4000_0000),
        step(0x06, 0, 0, 0x0005_0000 | errno(libc::EPERM)),
        step(0x06, 0, 0, 0x7fff_0000),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_can_be_built_and_is_short_enough_for_the_kernel() {
        for (network, processes) in [(false, false), (true, false), (false, true), (true, true)] {
            let rules = forbidden(network, processes).unwrap();
            assert_eq!(rules.contains_key(&libc::SYS_connect), !network);
            let filter = filter(rules, SeccompAction::Allow, SeccompAction::Errno(1)).unwrap();
            assert!(filter.len() < 4096, "{}", filter.len());
        }
    }

    #[test]
    fn nothing_that_breaks_out_is_on_a_list_of_what_is_needed() {
        for call in FORBIDDEN {
            assert!(![NATIVE, PYTHON, PROGRAM, NETWORK, PROCESSES].concat().contains(call), "{call}");
        }
        // These are not even known: a library falls back.
        let known = [NATIVE, PYTHON, PROGRAM, FORBIDDEN, NETWORK, PROCESSES].concat();
        assert!(!known.contains(&libc::SYS_clone3));
    }
}
