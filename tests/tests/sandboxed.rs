//! What works in the sandbox, what a lifted part allows, and how a box ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use wats_agent::sandbox::{self, Boxed, Kind, Layer, MissingLayers, Part, Profile, SandboxError, See};
use wats_tests::hostile::Arsenal;

/// A box for a Python program, and the folder that it has here.
struct Bench {
    arsenal: Arsenal,
    profile: Profile,
}

impl Bench {
    fn new() -> Self {
        let arsenal = Arsenal::empty().unwrap();
        let mut profile = Profile::new(Kind::Python, See::at(arsenal.scratch("one").unwrap(), "/scratch"));
        let system = ["/usr", "/bin", "/lib", "/lib64"].map(Path::new);
        profile.see = system.into_iter().filter(|it| it.exists()).map(See::same).collect();
        Self { arsenal, profile }
    }

    async fn start(&self, program: &str) -> Result<Boxed, SandboxError> {
        let arguments: Vec<OsString> = ["-I", "-B", "-c", program].map(Into::into).to_vec();
        let python = PathBuf::from("/usr/bin/python3");
        sandbox::start_with(&self.arsenal.helper, &self.profile, &python, &arguments).await
    }

    /// What a program prints, and how it ended.
    async fn run(&self, program: &str) -> (String, Option<i32>) {
        let mut boxed = self.start(program).await.unwrap();
        let mut text = String::new();
        drop(boxed.child.stdin.take());
        boxed.child.stdout.take().unwrap().read_to_string(&mut text).await.unwrap();
        boxed.child.stderr.take().unwrap().read_to_string(&mut text).await.unwrap();
        (text, boxed.child.wait().await.unwrap().code())
    }
}

async fn check(bench: &Bench, program: &str, expected: &str) {
    let (text, code) = bench.run(program).await;
    assert_eq!((text.trim(), code), (expected, Some(0)));
}

#[tokio::test]
async fn the_modules_that_converters_use_work_inside_with_and_without_namespaces() {
    let mut bench = Bench::new();
    for without in [BTreeSet::new(), BTreeSet::from([Layer::Users])] {
        bench.profile.without = without;
        check(&bench, include_str!("../inside/standard-library.py"), "all work").await;
    }
}

#[tokio::test]
async fn a_process_of_its_own_is_refused_in_words_until_a_person_trusts_the_converter_with_it() {
    let mut bench = Bench::new();
    let program = "import subprocess\n\
                   try: print(subprocess.run(['/bin/echo', 'started'], capture_output=True, text=True).stdout)\n\
                   except PermissionError as error: print(error)";
    check(&bench, program, "[Errno 1] Operation not permitted").await;
    bench.profile.lifted.insert(Part::Processes);
    check(&bench, program, "started").await;
}

#[tokio::test]
async fn the_network_is_there_only_for_a_trusted_converter() {
    let mut bench = Bench::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let program = format!(
        "import socket\n\
         try: socket.create_connection(('127.0.0.1', {port}), 5); print('connected')\n\
         except PermissionError as error: print(error)"
    );
    check(&bench, &program, "[Errno 1] Operation not permitted").await;
    bench.profile.lifted.insert(Part::Network);
    check(&bench, &program, "connected").await;
    // It is still the only thing that was lifted.
    let program = "import os\ntry: print(os.fork())\nexcept PermissionError: print('refused')";
    check(&bench, program, "refused").await;
}

#[tokio::test]
async fn system_calls_that_break_out_stay_refused_when_the_others_are_lifted() {
    let mut bench = Bench::new();
    bench.profile.lifted.insert(Part::SystemCalls);
    let program = "import ctypes, os\n\
                   libc = ctypes.CDLL(None, use_errno=True)\n\
                   print([os.strerror(ctypes.get_errno()) if call() < 0 else 'done' for call in \
                   (lambda: libc.unshare(0x10000000), lambda: libc.syscall(425, 4, 0), lambda: libc.syscall(0x40000000 + 39))])";
    check(
        &bench,
        program,
        "['Operation not permitted', 'Operation not permitted', 'Operation not permitted']",
    )
    .await;
}

#[tokio::test]
async fn more_memory_than_allowed_is_an_error_of_the_program_and_not_of_the_machine() {
    let mut bench = Bench::new();
    let program = "try: print(len(bytes(600 << 20)))\nexcept MemoryError: print('too much')";
    check(&bench, program, "too much").await;
    bench.profile.lifted.insert(Part::Memory);
    check(&bench, program, "629145600").await;
}

#[tokio::test]
async fn a_warm_program_loses_what_it_wrote_between_two_files() {
    let mut bench = Bench::new();
    let program = "import os, sys\n\
                   open('here', 'w'); open('/tmp/there', 'w'); os.mkdir('folder'); open('folder/x', 'w'); os.symlink('/usr', 'link')\n\
                   for _ in sys.stdin: print(sorted(os.listdir('.')), sorted(os.listdir('/tmp' if os.path.islink('/tmp') else '.')), flush=True)";
    for without in [BTreeSet::new(), BTreeSet::from([Layer::Processes]), BTreeSet::from([Layer::Users])] {
        bench.profile.without = without;
        let mut program = program.to_owned();
        if bench.profile.without.contains(&Layer::Users) {
            program = program.replace("/tmp/there", "there");
        }
        let mut boxed = bench.start(&program).await.unwrap();
        let mut input = boxed.child.stdin.take().unwrap();
        let mut lines = BufReader::new(boxed.child.stdout.take().unwrap()).lines();
        input.write_all(b"first\n").await.unwrap();
        let before = lines.next_line().await.unwrap().unwrap();
        assert!(before.contains("there") && before.contains("folder"), "{before}");
        boxed.empty_scratch().unwrap();
        input.write_all(b"second\n").await.unwrap();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "[] []");
        assert!(boxed.cpu_used().unwrap() < Duration::from_secs(20));
    }
    assert!(Path::new("/usr/bin").is_dir(), "a link was followed");
}

#[tokio::test]
async fn a_file_that_cannot_be_shown_and_a_layer_that_is_insisted_on_are_refused_in_words() {
    let mut bench = Bench::new();
    bench.profile.see.push(See::at("/nowhere", "/there"));
    let words = bench.start("").await.unwrap_err().to_string();
    assert!(words.starts_with("/nowhere cannot be shown to the program: No such file"), "{words}");
    bench.profile.see.pop();
    bench.profile.missing_layers = MissingLayers::Refuse;
    bench.profile.without.insert(Layer::Landlock);
    let words = bench.start("").await.unwrap_err().to_string();
    assert!(words.contains("sandbox.missing_layers insists on all"), "{words}");
    assert!(words.contains("landlock (left out"), "{words}");
}

#[tokio::test]
async fn a_signal_shows_as_such_and_a_code_as_such() {
    let bench = Bench::new();
    let (_, code) = bench.run("raise SystemExit(7)").await;
    assert_eq!(code, Some(7));
    let (_, code) = bench.run("import os; os.abort()").await;
    assert_eq!(code, None);
    let (text, code) = bench.run("import os; os.kill(os.getpid(), 15)").await;
    assert_eq!((text.as_str(), code), ("", None));
}

#[tokio::test]
async fn where_a_program_sees_something_can_be_asked() {
    let mut bench = Bench::new();
    bench.profile.see.push(See::at(bench.arsenal.scratch("two").unwrap(), "/opt/plug-in"));
    let boxed = bench.start("input()").await.unwrap();
    let inside = boxed.path(Path::new("/opt/plug-in/a.py"));
    bench.profile.without.insert(Layer::Mounts);
    let other = bench.start("input()").await.unwrap();
    assert!(other.path(Path::new("/opt/plug-in/a.py")).ends_with("two/a.py"));
    assert_eq!(inside == Path::new("/opt/plug-in/a.py"), boxed.layers.holds(Layer::Mounts));
}
