//! No capability, and none gained by executing.

use nix::errno::Errno;
use nix::sys::prctl;

const VERSION_3: u32 = 0x2008_0522;

pub(super) fn give_up() -> nix::Result<String> {
    prctl::set_no_new_privs()?;
    // struct __user_cap_header_struct, and twice effective, permitted, inheritable.
    let header: [u32; 2] = [VERSION_3, 0];
    let none = [0_u32; 6];
    #[expect(unsafe_code, reason = "there is no safe wrapper")]
    // SAFETY: both have the size that the version asks for.
    let done = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
    Errno::result(done)?;
    Ok("no new privileges, no capability".to_owned())
}
