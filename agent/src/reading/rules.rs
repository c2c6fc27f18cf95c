//! Which names matter, and what they mean.

use serde::{Deserialize, Serialize};

use super::Severity::{self, Danger, Note, Warning};

/// What a name reaches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    Network,
    Processes,
    /// Code that is not Python's, past all checks of the interpreter.
    NativeCode,
    /// Code that is made or loaded while the program runs.
    DynamicCode,
    Files,
    Environment,
    /// What cannot be seen from the source.
    Hidden,
}

/// A name with what it means. A module counts with everything below it.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) reach: Reach,
    pub(super) severity: Severity,
    pub(super) meaning: &'static str,
}

const fn rule(name: &'static str, reach: Reach, severity: Severity, meaning: &'static str) -> Rule {
    Rule { name, reach, severity, meaning }
}

const NETWORK: &str =
    "talks over the network, which the sandbox does not have unless the part \"network\" is lifted";
const PROCESS: &str =
    "starts or controls other programs, which the sandbox refuses unless the part \"processes\" is lifted";
const NATIVE: &str =
    "calls code outside of Python, where the interpreter checks nothing; the sandbox still holds";
const CODE: &str = "makes or loads code while it runs: what that code does cannot be read here";
const UNPACK: &str = "can run code that is hidden in the data it reads: use it on trusted data only";
const REMOVE: &str = "changes or removes files; in the sandbox only those of its own working folder";
const OPEN: &str = "opens a file: the input can be read, and only the working folder can be written to";
const ENVIRONMENT: &str = "looks at the environment, of which the sandbox passes only a few variables";
const TERMINAL: &str = "takes over a terminal, which a converter does not have";
const INSIDE: &str = "reaches into the interpreter, past the names that can be read here";

pub(super) const OUTSIDE: &str = "names a place in the file system: the sandbox shows the input, the working folder and Python's own files only";
pub(super) const UNSEEN: &str =
    "takes a name that is made while the program runs: what it reaches cannot be read here";
pub(super) const STAR: &str = "brings in every name of the module, which hides where a name comes from";
pub(super) const DEEP: &str = "is nested so deep that it was not read to its end";

/// Modules and functions, the more exact name before the less exact one.
pub(super) const RULES: &[Rule] = &[
    rule("urllib.parse", Reach::Network, Note, "takes addresses apart, without talking to anybody"),
    rule("urllib.error", Reach::Network, Note, "names errors of the network"),
    rule("http.HTTPStatus", Reach::Network, Note, "names numbers of HTTP"),
    rule("socket", Reach::Network, Warning, NETWORK),
    rule("socketserver", Reach::Network, Warning, NETWORK),
    rule("ssl", Reach::Network, Warning, NETWORK),
    rule("http", Reach::Network, Warning, NETWORK),
    rule("urllib", Reach::Network, Warning, NETWORK),
    rule("urllib2", Reach::Network, Warning, NETWORK),
    rule("urllib3", Reach::Network, Warning, NETWORK),
    rule("ftplib", Reach::Network, Warning, NETWORK),
    rule("smtplib", Reach::Network, Warning, NETWORK),
    rule("poplib", Reach::Network, Warning, NETWORK),
    rule("imaplib", Reach::Network, Warning, NETWORK),
    rule("nntplib", Reach::Network, Warning, NETWORK),
    rule("telnetlib", Reach::Network, Warning, NETWORK),
    rule("xmlrpc", Reach::Network, Warning, NETWORK),
    rule("requests", Reach::Network, Warning, NETWORK),
    rule("httpx", Reach::Network, Warning, NETWORK),
    rule("aiohttp", Reach::Network, Warning, NETWORK),
    rule("websocket", Reach::Network, Warning, NETWORK),
    rule("websockets", Reach::Network, Warning, NETWORK),
    rule("paramiko", Reach::Network, Warning, NETWORK),
    rule("pymongo", Reach::Network, Warning, NETWORK),
    rule("psycopg", Reach::Network, Warning, NETWORK),
    rule("psycopg2", Reach::Network, Warning, NETWORK),
    rule("pyodbc", Reach::Network, Warning, NETWORK),
    rule("pymysql", Reach::Network, Warning, NETWORK),
    rule("mysql", Reach::Network, Warning, NETWORK),
    rule("redis", Reach::Network, Warning, NETWORK),
    rule("boto3", Reach::Network, Warning, NETWORK),
    rule("serial", Reach::Network, Warning, "talks to a serial port, which the sandbox does not have"),
    rule("pyvisa", Reach::Network, Warning, "talks to instruments, which the sandbox does not have"),
    rule("asyncio.open_connection", Reach::Network, Warning, NETWORK),
    rule("asyncio.start_server", Reach::Network, Warning, NETWORK),
    rule("asyncio.create_subprocess_exec", Reach::Processes, Danger, PROCESS),
    rule("asyncio.create_subprocess_shell", Reach::Processes, Danger, PROCESS),
    rule("subprocess", Reach::Processes, Danger, PROCESS),
    rule("multiprocessing", Reach::Processes, Danger, PROCESS),
    rule("concurrent.futures.ProcessPoolExecutor", Reach::Processes, Danger, PROCESS),
    rule("concurrent.futures.process", Reach::Processes, Danger, PROCESS),
    rule("os.system", Reach::Processes, Danger, PROCESS),
    rule("os.popen", Reach::Processes, Danger, PROCESS),
    rule("os.startfile", Reach::Processes, Danger, PROCESS),
    rule("os.fork", Reach::Processes, Danger, PROCESS),
    rule("os.forkpty", Reach::Processes, Danger, PROCESS),
    rule("os.posix_spawn", Reach::Processes, Danger, PROCESS),
    rule("os.posix_spawnp", Reach::Processes, Danger, PROCESS),
    rule("os.kill", Reach::Processes, Danger, PROCESS),
    rule("os.killpg", Reach::Processes, Danger, PROCESS),
    rule("os._exit", Reach::Processes, Warning, "ends the program at once: the file fails"),
    rule(
        "signal",
        Reach::Processes,
        Note,
        "changes how the program answers signals; that is taken back after each file",
    ),
    rule("pty", Reach::Processes, Danger, TERMINAL),
    rule("tty", Reach::Processes, Warning, TERMINAL),
    rule("ctypes", Reach::NativeCode, Danger, NATIVE),
    rule("_ctypes", Reach::NativeCode, Danger, NATIVE),
    rule("cffi", Reach::NativeCode, Danger, NATIVE),
    rule("_posixsubprocess", Reach::Processes, Danger, PROCESS),
    rule("_socket", Reach::Network, Danger, NETWORK),
    rule("mmap", Reach::NativeCode, Note, "maps a file into memory"),
    rule("eval", Reach::DynamicCode, Danger, CODE),
    rule("exec", Reach::DynamicCode, Danger, CODE),
    rule("compile", Reach::DynamicCode, Danger, CODE),
    rule("__import__", Reach::DynamicCode, Danger, CODE),
    rule("importlib.metadata", Reach::DynamicCode, Note, "looks at which packages are installed"),
    rule("importlib.resources", Reach::DynamicCode, Note, "reads files of a package"),
    rule("importlib", Reach::DynamicCode, Danger, CODE),
    rule("imp", Reach::DynamicCode, Danger, CODE),
    rule("zipimport", Reach::DynamicCode, Danger, CODE),
    rule("runpy", Reach::DynamicCode, Danger, CODE),
    rule("code", Reach::DynamicCode, Danger, CODE),
    rule("codeop", Reach::DynamicCode, Danger, CODE),
    rule("types.CodeType", Reach::DynamicCode, Danger, CODE),
    rule("types.FunctionType", Reach::DynamicCode, Danger, CODE),
    rule("builtins", Reach::Hidden, Warning, INSIDE),
    rule("__builtins__", Reach::Hidden, Danger, INSIDE),
    rule("gc.get_objects", Reach::Hidden, Danger, INSIDE),
    rule("sys.modules", Reach::Hidden, Warning, INSIDE),
    rule("sys._getframe", Reach::Hidden, Warning, INSIDE),
    rule("pickle", Reach::DynamicCode, Warning, UNPACK),
    rule("dill", Reach::DynamicCode, Warning, UNPACK),
    rule("marshal", Reach::DynamicCode, Warning, UNPACK),
    rule("shelve", Reach::DynamicCode, Warning, UNPACK),
    rule("os.remove", Reach::Files, Note, REMOVE),
    rule("os.unlink", Reach::Files, Note, REMOVE),
    rule("os.rename", Reach::Files, Note, REMOVE),
    rule("os.replace", Reach::Files, Note, REMOVE),
    rule("os.rmdir", Reach::Files, Note, REMOVE),
    rule("os.removedirs", Reach::Files, Note, REMOVE),
    rule("os.link", Reach::Files, Warning, REMOVE),
    rule("os.symlink", Reach::Files, Warning, REMOVE),
    rule("os.chmod", Reach::Files, Warning, REMOVE),
    rule("os.chown", Reach::Files, Warning, REMOVE),
    rule("os.environ", Reach::Environment, Note, ENVIRONMENT),
    rule("os.getenv", Reach::Environment, Note, ENVIRONMENT),
    rule("os.putenv", Reach::Environment, Note, ENVIRONMENT),
    rule("shutil.rmtree", Reach::Files, Note, REMOVE),
    rule("shutil.move", Reach::Files, Note, REMOVE),
    rule("open", Reach::Files, Note, OPEN),
    rule("io.open", Reach::Files, Note, OPEN),
    rule("os.open", Reach::Files, Note, OPEN),
];

/// Functions of `os` of which there are many, by how their names begin.
const FAMILIES: &[&str] = &["os.spawn", "os.exec"];

/// Attributes by which a program gets at what it does not name.
pub(super) const INNER: &[&str] = &[
    "__subclasses__",
    "__globals__",
    "__builtins__",
    "__code__",
    "__bases__",
    "__mro__",
    "f_globals",
    "f_back",
    "gi_frame",
    "__loader__",
    "__reduce_ex__",
];

pub(super) const INNER_MEANING: &str = INSIDE;

/// Names of the language itself that a rule is about; only these count without an import.
pub(super) const BUILT_IN: &[&str] = &["eval", "exec", "compile", "__import__", "open", "__builtins__"];

/// What the client's static check refuses to import, by its exact name.
const CLIENT_IMPORTS: &[&str] = &[
    "os.system",
    "os.popen",
    "os.spawn",
    "os.exec",
    "subprocess",
    "multiprocessing",
    "ctypes",
    "cffi",
    "socket",
    "importlib",
    "code",
    "codeop",
    "pty",
    "tty",
];

/// What it refuses to call, by the name as it is written.
const CLIENT_CALLS: &[&str] = &[
    "eval",
    "exec",
    "compile",
    "open",
    "__import__",
    "importlib.import_module",
    "os.system",
    "os.popen",
    "os.spawn",
    "subprocess.call",
    "subprocess.run",
    "subprocess.Popen",
    "socket.socket",
    "ctypes.CDLL",
    "ctypes.cdll",
];

pub(super) fn client_blocks_import(module: &str) -> bool {
    CLIENT_IMPORTS.contains(&module)
}

pub(super) fn client_blocks_call(written: &str) -> bool {
    CLIENT_CALLS.contains(&written)
}

/// The rule for a full name: its own, or that of the module that it is in.
pub(super) fn find(name: &str) -> Option<&'static Rule> {
    let within = |rule: &&Rule| {
        name.strip_prefix(rule.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let family = || {
        let one = RULES.iter().find(|rule| rule.name == "os.system");
        one.filter(|_| FAMILIES.iter().any(|family| name.starts_with(family)))
    };
    RULES.iter().find(within).or_else(family)
}
