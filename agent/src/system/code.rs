//! The program's own code in memory.

use std::fs;

/// Takes the program's code out of this process: what the start alone needed does not come back, and the system can do
/// without it. What is used again is found in the system's cache, at once.
///
/// What cannot be let go of stays.
pub(crate) fn let_go_of_code() {
    let Ok(program) = fs::read_link("/proc/self/exe") else { return };
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for line in maps.lines().filter(|line| program.to_str().is_some_and(|program| line.ends_with(program))) {
        if let Some((start, length)) = code(line) {
            #[expect(unsafe_code, reason = "there is no safe wrapper")]
            // SAFETY: the pages of a private mapping that cannot be written are those of its file, and are read from there
            // again.
            let done = unsafe {
                libc::madvise(std::ptr::without_provenance_mut(start), length, libc::MADV_DONTNEED)
            };
            if done != 0 {
                tracing::debug!("the program's code stays in memory: {}", std::io::Error::last_os_error());
            }
        }
    }
}

/// Where a mapping begins and how long it is, if it is code that cannot be written.
fn code(line: &str) -> Option<(usize, usize)> {
    let (place, rest) = line.split_once(' ')?;
    let (start, end) = place.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    let (start, end) = (number(start)?, number(end)?);
    if rest.starts_with("r-xp ") { Some((start, end.checked_sub(start)?)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of the program's code that this process has in memory.
    fn resident() -> u64 {
        let program = fs::read_link("/proc/self/exe").unwrap();
        let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
        let mut lines = smaps
            .lines()
            .skip_while(|line| code(line).is_none() || !line.ends_with(program.to_str().unwrap()));
        let line = lines.find(|line| line.starts_with("Rss:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
    }

    #[test]
    fn code_is_let_go_of_and_found_again() {
        let before = resident();
        let_go_of_code();
        let after = resident();
        assert!(after < before, "{before} bytes, then {after}");
    }

    #[test]
    fn only_code_is_let_go_of() {
        assert_eq!(
            code("7f0000001000-7f0000003000 r-xp 00001000 fe:00 12 /usr/bin/a"),
            Some((0x7f00_0000_1000, 0x2000))
        );
        assert_eq!(code("7f0000001000-7f0000003000 r--p 00001000 fe:00 12 /usr/bin/a"), None);
        assert_eq!(code("7f0000001000-7f0000003000 rwxp 00001000 fe:00 12 /usr/bin/a"), None);
        assert_eq!(code(""), None);
    }
}
