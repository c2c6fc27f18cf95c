use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("machine.key")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("secrets").join(format!("wats-agent.{name}.sealed"))
    }

    fn secrets(&self) -> Secrets {
        self.secrets_with(KeySource::File(self.key()))
    }

    fn secrets_with(&self, key: KeySource) -> Secrets {
        Secrets::new(SealedStore::new(self.folder.path().join("secrets"), key))
    }

    /// What reading the token gives: the token, `none`, or the words of the error.
    fn token(&self) -> String {
        shown(&self.secrets())
    }
}

fn shown(secrets: &Secrets) -> String {
    match secrets.server_token() {
        Ok(Some(token)) => token.expose().expose_secret().to_owned(),
        Ok(None) => "none".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn token(secret: &str) -> Token {
    Token::from_user("user", &SecretString::from(secret)).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn put(path: &Path, bytes: &[u8]) {
    crate::files::replace_file(path, 0o600, bytes).unwrap();
}

#[test]
fn a_token_survives_and_is_nowhere_in_clear() {
    let bench = Bench::new();
    assert_eq!(bench.token(), "none");
    bench.secrets().set_server_token(&token("hunter2")).unwrap();
    assert_eq!(bench.token(), token("hunter2").expose().expose_secret());

    let file = fs::read(bench.file("server-token")).unwrap();
    let clear = token("hunter2").expose().expose_secret().as_bytes().to_vec();
    assert!(!file.windows(clear.len()).any(|part| part == clear), "the token is readable in the file");
    assert_eq!(mode(&bench.file("server-token")), 0o600);
    assert_eq!(mode(&bench.folder.path().join("secrets")), 0o700);
    assert_eq!(mode(&bench.key()), 0o600);

    bench.secrets().set_server_token(&token("other")).unwrap();
    assert_eq!(bench.token(), token("other").expose().expose_secret());
    bench.secrets().forget_server_token().unwrap();
    bench.secrets().forget_server_token().unwrap();
    assert_eq!(bench.token(), "none");
}

#[test]
fn a_proxy_credential_keeps_colons_and_quotes() {
    let bench = Bench::new();
    assert!(bench.secrets().proxy_credential().unwrap().is_none());
    let credential = UserPassword { user: "DOM\\me".into(), password: "a:\"b\" ü".into() };
    bench.secrets().set_proxy_credential(&credential).unwrap();
    let read = bench.secrets().proxy_credential().unwrap().unwrap();
    assert_eq!((read.user.as_str(), read.password.expose_secret()), ("DOM\\me", "a:\"b\" ü"));
    bench.secrets().forget_proxy_credential().unwrap();
    assert!(bench.secrets().proxy_credential().unwrap().is_none());
}

#[test]
fn the_same_secret_is_sealed_differently_each_time() {
    let bench = Bench::new();
    bench.secrets().set_server_token(&token("x")).unwrap();
    let first = fs::read(bench.file("server-token")).unwrap();
    bench.secrets().set_server_token(&token("x")).unwrap();
    assert_ne!(first, fs::read(bench.file("server-token")).unwrap());
}

#[test]
fn sealed_files_cannot_take_each_others_place() {
    let bench = Bench::new();
    let credential = UserPassword { user: "a".into(), password: "b".into() };
    bench.secrets().set_proxy_credential(&credential).unwrap();
    fs::rename(bench.file("proxy-credential"), bench.file("server-token")).unwrap();
    assert_eq!(
        bench.token(),
        "the stored server-token is damaged or was changed by someone: enter the credential again"
    );
}

#[test]
fn every_flipped_bit_is_noticed() {
    let bench = Bench::new();
    bench.secrets().set_server_token(&token("x")).unwrap();
    let good = fs::read(bench.file("server-token")).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        put(&bench.file("server-token"), &bad);
        assert!(bench.secrets().server_token().is_err(), "byte {at}");
    }
    for length in [0, 1, 20, good.len() - 1] {
        put(&bench.file("server-token"), &good[..length]);
        assert!(bench.secrets().server_token().is_err(), "{length} bytes");
    }
    put(&bench.file("server-token"), &vec![1; 100_000]);
    assert!(bench.secrets().server_token().is_err());
    put(&bench.file("server-token"), &[&[2], &good[1..]].concat());
    assert_eq!(bench.token(), "the stored server-token was written by a newer version of the agent");
}

#[test]
fn another_key_is_told_from_damage() {
    let bench = Bench::new();
    bench.secrets().set_server_token(&token("x")).unwrap();
    fs::remove_file(bench.key()).unwrap();
    assert!(matches!(
        bench.secrets().server_token(),
        Err(SecretError::Key(KeyError::Missing { path })) if path == bench.key()
    ));
    make_key(&bench.key()).unwrap();
    assert!(matches!(bench.secrets().server_token(), Err(SecretError::Seal(SealError::WrongKey { .. }))));
    // Entering the credential again repairs it.
    bench.secrets().set_server_token(&token("y")).unwrap();
    assert_eq!(bench.token(), token("y").expose().expose_secret());
}

#[test]
fn without_a_key_nothing_is_sealed_and_the_words_say_what_to_do() {
    let bench = Bench::new();
    let secrets = bench.secrets_with(KeySource::Nowhere);
    assert_eq!(shown(&secrets), "none");
    let error = secrets.set_server_token(&token("x")).unwrap_err();
    assert!(matches!(error, SecretError::Key(KeyError::NotGiven)));
    assert!(error.to_string().contains("--machine-key"), "{error}");
}

#[test]
fn a_key_of_systemd_is_used_and_never_made() {
    let bench = Bench::new();
    let source = KeySource::find(None, Some(bench.folder.path()));
    assert_eq!(source, KeySource::Credential(bench.folder.path().join("machine-key")));
    let secrets = bench.secrets_with(source);
    assert!(matches!(secrets.set_server_token(&token("x")), Err(SecretError::Key(KeyError::Missing { .. }))));
    make_key(&bench.folder.path().join("machine-key")).unwrap();
    secrets.set_server_token(&token("x")).unwrap();
    assert_eq!(shown(&secrets), token("x").expose().expose_secret());
}

#[test]
fn a_named_key_file_counts_before_that_of_systemd() {
    let (named, folder) = (Path::new("/a/key"), Path::new("/run/credentials/x"));
    assert_eq!(KeySource::find(Some(named), Some(folder)), KeySource::File(named.to_owned()));
    assert_eq!(KeySource::find(None, None), KeySource::Nowhere);
}

#[test]
fn a_key_is_made_once_and_kept() {
    let bench = Bench::new();
    assert_eq!(make_key(&bench.key()).unwrap(), Made::New);
    let first = fs::read_to_string(bench.key()).unwrap();
    assert_eq!(make_key(&bench.key()).unwrap(), Made::WasThere);
    assert_eq!(fs::read_to_string(bench.key()).unwrap(), first);
    assert_eq!(first.len(), 65);
    assert!(first.trim_end().bytes().all(|b| b.is_ascii_hexdigit()));
    assert!(matches!(make_key(&bench.folder.path().join("no/such/key")), Err(KeyError::Make { .. })));
}

#[test]
fn a_damaged_or_open_key_is_refused_and_stays() {
    let bench = Bench::new();
    for text in ["", "\n", "abc", &"0".repeat(63), &"g".repeat(64), &"0".repeat(65), "\u{fc}"] {
        put(&bench.key(), text.as_bytes());
        assert!(matches!(make_key(&bench.key()), Err(KeyError::Damaged { .. })), "{text}");
        assert_eq!(fs::read(bench.key()).unwrap(), text.as_bytes());
    }
    put(&bench.key(), &[0xff; 64]);
    assert!(matches!(make_key(&bench.key()), Err(KeyError::Damaged { .. })));
    crate::files::replace_file(&bench.key(), 0o644, "0".repeat(64).as_bytes()).unwrap();
    assert!(matches!(
        bench.secrets().set_server_token(&token("x")),
        Err(SecretError::Key(KeyError::TooOpen { .. }))
    ));
}

#[test]
fn nothing_secret_shows_in_debug_output() {
    let bench = Bench::new();
    bench.secrets().set_server_token(&token("hunter2")).unwrap();
    let digits = fs::read_to_string(bench.key()).unwrap();
    let key = KeySource::File(bench.key()).load().unwrap();
    let text = format!("{:?} {key:?}", bench.secrets());
    assert!(!text.contains(digits.trim()) && text.contains("REDACTED"), "{text}");
}
