use jiff::Timestamp;

use super::*;
use crate::control::api::FileState;

struct Bench {
    root: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("in")).unwrap();
        Self { root }
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("in")
    }

    fn drop_file(&self, name: &str, error: Option<&str>) -> Known {
        let path = self.folder().join(name);
        files::replace_file(&path, 0o644, b"content").unwrap();
        Known {
            id: 7,
            state: if error.is_some() { FileState::Failed } else { FileState::Converted },
            put_away: false,
            stamp: Stamp::of(&fs::symlink_metadata(&path).unwrap()),
            path,
            sha256: "ab".to_owned(),
            received_at: Timestamp::UNIX_EPOCH,
            error: error.map(str::to_owned),
            after: None,
            left_by: None,
        }
    }

    fn put_away(&self, file: &Known, after: After) -> Option<String> {
        let (folder, archive) = (self.folder(), self.root.path().join("archive"));
        let places =
            Places { source: "line", converter: "wats-json", folder: &folder, archive: &archive, after };
        let kept = put_away(places, file, &mut Folders::default()).unwrap()?;
        Some(kept.strip_prefix(self.root.path()).unwrap().display().to_string())
    }
}

#[test]
fn a_converted_file_goes_to_the_archive_and_doing_it_again_changes_nothing() {
    let bench = Bench::new();
    let file = bench.drop_file("a.json", None);
    for _ in 0..2 {
        assert_eq!(bench.put_away(&file, After::Archive).unwrap(), "archive/1970-01-01/7-a.json");
        assert!(!file.path.exists());
    }
}

#[test]
fn a_file_that_changed_after_it_was_claimed_stays() {
    let bench = Bench::new();
    for after in [After::Archive, After::Delete] {
        let file = bench.drop_file("a.json", None);
        files::replace_file(&file.path, 0o644, b"something else").unwrap();
        assert_eq!(bench.put_away(&file, after), None);
        assert!(file.path.exists());
    }
}

#[test]
fn a_failed_file_goes_to_the_error_folder_with_its_reason_and_overwrites_nothing() {
    let bench = Bench::new();
    let first = bench.drop_file("a.json", Some("line 3: no"));
    assert_eq!(bench.put_away(&first, After::Delete).unwrap(), "in/error/a.json");
    assert_eq!(bench.put_away(&first, After::Delete).unwrap(), "in/error/a.json", "after a crash");
    let second = bench.drop_file("a.json", Some("line 4: no"));
    assert_eq!(bench.put_away(&second, After::Delete).unwrap(), "in/error/7-a.json");

    let reason = |name: &str| fs::read_to_string(bench.folder().join("error").join(name)).unwrap();
    assert!(reason("a.json.error.txt").starts_with("line 3: no\n"));
    assert!(reason("7-a.json.error.txt").starts_with("line 4: no\n"));
}

#[test]
fn a_very_long_name_still_has_room_for_what_is_added() {
    let bench = Bench::new();
    let name = format!("{}.json", "x".repeat(250));
    let file = bench.drop_file(&name, Some("no"));
    let kept = bench.put_away(&file, After::Archive).unwrap();
    assert!(kept.ends_with(".json"));
}

#[test]
fn a_file_that_was_written_anew_just_before_it_was_moved_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("a"), folder.path().join("b"));
    fs::File::create(&from).unwrap();
    let before = Stamp::of(&fs::symlink_metadata(&from).unwrap());
    fs::File::options()
        .write(true)
        .open(&from)
        .and_then(|mut file| io::Write::write_all(&mut file, b"new"))
        .unwrap();
    let mut folders = Folders::default();
    let refused = moves::move_file(&from, before, &to, &mut folders).unwrap_err().to_string();
    assert!(refused.contains("written anew"), "{refused}");
    assert_eq!((fs::read(&from).unwrap(), to.exists()), (b"new".to_vec(), false));
    let now = Stamp::of(&fs::symlink_metadata(&from).unwrap());
    moves::move_file(&from, now, &to, &mut folders).unwrap();
    assert_eq!((fs::read(&to).unwrap(), from.exists()), (b"new".to_vec(), false));
}
