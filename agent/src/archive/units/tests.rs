use std::io::Write;

use jiff::Timestamp;

use super::*;
use crate::control::api::FileState;
use crate::files::Stamp;

/// A unit `u.txt` with `u/a.txt` and `u/b/c.txt`, and an archive.
struct Bench {
    folder: tempfile::TempDir,
    file: Known,
}

impl Bench {
    fn new(error: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("in/u/b")).unwrap();
        let file = Known {
            id: 7,
            state: FileState::Converted,
            put_away: false,
            path: folder.path().join("in/u.txt"),
            stamp: Stamp { device: 0, inode: 0, size: 0, modified_ns: 0 },
            sha256: String::new(),
            received_at: Timestamp::UNIX_EPOCH,
            error: error.map(str::to_owned),
            after: None,
            left_by: None,
        };
        let bench = Self { folder, file };
        for member in bench.members() {
            File::create(&member).unwrap().write_all(member.as_os_str().as_encoded_bytes()).unwrap();
        }
        bench
    }

    fn base(&self) -> PathBuf {
        self.folder.path().join("in")
    }

    fn members(&self) -> Vec<PathBuf> {
        ["u.txt", "u/a.txt", "u/b/c.txt"].map(|name| self.base().join(name)).to_vec()
    }

    fn put_away(&self, after: After, members: &[PathBuf]) -> io::Result<Option<PathBuf>> {
        let archive = self.folder.path().join("archive");
        let base = self.base();
        let places = Places { source: "s", converter: "c", folder: &base, archive: &archive, after };
        put_away(places, &self.file, &base, members)
    }

    /// All files, below the folder of the test.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(self.folder.path(), &mut found).unwrap();
        let below = |path: &PathBuf| path.strip_prefix(self.folder.path()).unwrap().display().to_string();
        let mut files: Vec<_> = found.iter().map(below).collect();
        files.sort();
        files
    }
}

const KEPT: [&str; 3] =
    ["archive/1970-01-01/7-u/u.txt", "archive/1970-01-01/7-u/u/a.txt", "archive/1970-01-01/7-u/u/b/c.txt"];

#[test]
fn a_crash_at_any_step_leaves_a_unit_that_is_put_away_whole_by_the_next_try() {
    // What is left of the originals after the crash; the first is the head.
    for left in [3, 2, 1, 0] {
        let bench = Bench::new(None);
        let members = bench.members();
        let saved: Vec<_> =
            members.iter().map(|it| (it, fs::read(it).unwrap(), fs::metadata(it).unwrap())).collect();
        bench.put_away(After::Archive, &members).unwrap();
        for (path, content, metadata) in saved.iter().skip(3 - left) {
            let mut file = File::create(path).unwrap();
            file.write_all(content).unwrap();
            file.set_times(FileTimes::new().set_modified(metadata.modified().unwrap())).unwrap();
        }
        let known = if left == 3 { members.clone() } else { Vec::new() };
        let kept_at = bench.put_away(After::Archive, &known).unwrap();
        assert_eq!(kept_at, Some(bench.folder.path().join(KEPT[0])), "{left} left");
        assert_eq!(bench.files(), KEPT, "{left} left");
    }
}

#[test]
fn a_file_that_is_another_one_by_now_stays() {
    let bench = Bench::new(None);
    bench.put_away(After::Archive, &bench.members()).unwrap();
    fs::create_dir_all(bench.base().join("u")).unwrap();
    File::create(bench.base().join("u/a.txt")).unwrap().write_all(b"another").unwrap();
    bench.put_away(After::Archive, &[]).unwrap();
    assert_eq!(bench.files(), [&KEPT[..], &["in/u/a.txt"]].concat());
    // One that changed before anything was moved is not touched at all.
    let changed = Bench::new(None);
    assert_eq!(changed.put_away(After::Archive, &[]).unwrap(), None);
    assert_eq!(changed.files(), ["in/u.txt", "in/u/a.txt", "in/u/b/c.txt"]);
}

#[test]
fn a_failed_unit_lies_beside_its_reason_and_comes_back_over_nothing() {
    let bench = Bench::new(Some("the voltage is missing"));
    let head = bench.put_away(After::Keep, &bench.members()).unwrap().unwrap();
    assert_eq!(head, bench.base().join("error/7-u/u.txt"));
    let words = fs::read_to_string(bench.base().join("error/7-u.error.txt")).unwrap();
    assert!(words.starts_with("the voltage is missing"), "{words}");
    File::create(bench.base().join("u.txt")).unwrap();
    assert_eq!(put_back(&head, &bench.base()).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    fs::remove_file(bench.base().join("u.txt")).unwrap();
    // The empty folders that are left of it are in nobody's way.
    fs::remove_dir_all(bench.base().join("u")).unwrap();
    assert_eq!(put_back(&head, &bench.base()).unwrap(), bench.base().join("u.txt"));
    assert_eq!(bench.files(), ["in/u.txt", "in/u/a.txt", "in/u/b/c.txt"]);
    assert!(put_back(Path::new("/elsewhere/u.txt"), &bench.base()).is_err());
}

#[test]
fn a_unit_is_deleted_or_kept_as_the_source_says() {
    let bench = Bench::new(None);
    assert_eq!(bench.put_away(After::Keep, &bench.members()).unwrap(), None);
    assert_eq!(bench.files().len(), 3);
    assert_eq!(bench.put_away(After::Delete, &bench.members()).unwrap(), None);
    assert!(bench.files().is_empty());
}
