//! The way into the control API from this machine: a Unix socket, or a named pipe where there is none.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::*;
#[cfg(windows)]
pub(super) use windows::*;

/// What a user at the door is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// An administrator and the agent's own user: people with the command line.
    Person,
    /// A user that the configuration names: a program that asks for many people, like the console.
    #[cfg_attr(windows, expect(dead_code, reason = "the configuration names nobody there"))]
    Service,
    Refused,
}
