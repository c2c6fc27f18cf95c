//! The walk through the tree of a source.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, walk_body, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprCall, PythonVersion, Stmt};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextSize};

use super::rules::{self, Reach};
use super::{Finding, Reading, Severity, Unreadable};

/// The newest Python of a system that the agent runs on.
const NEWEST: PythonVersion = PythonVersion::PY313;

/// Deeper expressions and blocks are not followed.
const MAX_DEPTH: usize = 300;

/// Calls whose first argument names a file.
const TAKES_PATH: &[&str] = &[
    "open",
    "io.open",
    "os.open",
    "os.listdir",
    "os.scandir",
    "os.walk",
    "os.remove",
    "os.unlink",
    "os.mkdir",
    "os.makedirs",
    "os.rename",
    "os.replace",
    "os.chdir",
    "os.chmod",
    "os.link",
    "os.symlink",
    "os.stat",
    "os.path.join",
    "pathlib.Path",
    "pathlib.PurePath",
    "pathlib.PosixPath",
    "shutil.copy",
    "shutil.copy2",
    "shutil.copyfile",
    "shutil.copytree",
    "shutil.move",
    "shutil.rmtree",
    "glob.glob",
    "sqlite3.connect",
    "zipfile.ZipFile",
    "tarfile.open",
];

pub(super) fn read(text: &str) -> Reading {
    let options = ParseOptions::from(Mode::Module).with_target_version(NEWEST);
    let Some(parsed) = parse_unchecked(text, options).try_into_module() else {
        return unreadable(text, TextSize::default(), "it is no module");
    };
    // What only a newer Python knows is, in an old file, what Python 2 knew.
    let errors = parsed.errors().iter().map(|error| (error.location.start(), error.error.to_string()));
    let newer =
        parsed.unsupported_syntax_errors().iter().map(|error| (error.range.start(), error.to_string()));
    if let Some((at, words)) = errors.chain(newer).min_by_key(|(at, _)| *at) {
        return unreadable(text, at, &words);
    }
    let body = &parsed.syntax().body;
    let mut names = Names::default();
    walk_body(&mut names, body);
    let mut walk = Walk {
        lines: Lines::new(text),
        names: names.known,
        defined: names.defined,
        findings: Vec::new(),
        seen: HashSet::new(),
        depth: 0,
    };
    walk_body(&mut walk, body);
    let mut findings = walk.findings;
    findings.sort_by_key(|finding| (finding.line, finding.column));
    Reading { findings, unreadable: None }
}

/// The answer for a source that is no Python.
fn unreadable(text: &str, at: TextSize, words: &str) -> Reading {
    let lines = Lines::new(text);
    let (line, column) = lines.place(at);
    let excerpt = lines.text(line).trim().chars().take(120).collect();
    let words = match python_2(text) {
        Some(line) => format!(
            "the file is written for Python 2 (line {line}), and Python 3 cannot run it: convert it, for example with 2to3"
        ),
        None => format!("the file is no Python: {words}"),
    };
    Reading { findings: Vec::new(), unreadable: Some(Unreadable { line, column, words, excerpt }) }
}

/// The line of a statement that only Python 2 knows.
fn python_2(text: &str) -> Option<usize> {
    let old = |line: &str| {
        let line = line.trim_start();
        let prints = line
            .strip_prefix("print ")
            .is_some_and(|rest| !rest.trim_start().starts_with(['=', '(', '.', ':']));
        let catches =
            line.starts_with("except ") && line.contains(',') && !line.contains('(') && line.ends_with(':');
        let raises = line.starts_with("raise ") && line.contains(", \"");
        let runs = line.starts_with("exec \"") || line.starts_with("exec '");
        prints || catches || raises || runs
    };
    text.lines().position(|line| old(line.trim_end())).map(|index| index + 1)
}

/// Where the lines begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// Line and column, both from 1.
    fn place(&self, at: TextSize) -> (usize, usize) {
        let at = at.to_usize().min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index)).copied().unwrap_or_default();
        let column = self.text.get(start..at).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }

    fn text(&self, line: usize) -> &'a str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default()
    }
}

/// Which full names the names of a source stand for. Scopes are not told apart: a name that is imported anywhere counts
/// everywhere, which finds too much rather than too little.
#[derive(Default)]
struct Names {
    known: HashMap<String, String>,
    /// Functions and classes of the source itself, which hide built-in ones.
    defined: HashSet<String>,
    depth: usize,
}

impl<'a> SourceOrderVisitor<'a> for Names {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let full = alias.name.id.as_str();
                    match &alias.asname {
                        Some(name) => self.known.insert(name.id.to_string(), full.to_owned()),
                        None => {
                            let first = full.split('.').next().unwrap_or(full);
                            self.known.insert(first.to_owned(), first.to_owned())
                        }
                    };
                }
            }
            Stmt::ImportFrom(import) if import.level == 0 => {
                let module = import.module.as_ref().map(|module| module.id.as_str()).unwrap_or_default();
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).id.to_string();
                    self.known.insert(name, format!("{module}.{}", alias.name.id));
                }
            }
            Stmt::Assign(assign) => {
                // run = os.system
                if let (Some(full), [Expr::Name(name)]) =
                    (resolve(&assign.value, &self.known), assign.targets.as_slice())
                    && (rules::find(&full).is_some() || full != dotted(&assign.value).unwrap_or_default())
                {
                    self.known.insert(name.id.to_string(), full);
                }
            }
            Stmt::FunctionDef(function) => {
                self.defined.insert(function.name.id.to_string());
            }
            Stmt::ClassDef(class) => {
                self.defined.insert(class.name.id.to_string());
            }
            _ => {}
        }
        if self.depth < MAX_DEPTH {
            self.depth += 1;
            walk_stmt(self, stmt);
            self.depth -= 1;
        }
    }

    /// Names are bound by statements alone.
    fn visit_expr(&mut self, _expr: &'a Expr) {}
}

/// `a.b.c` as it is written.
fn dotted(expr: &Expr) -> Option<String> {
    let mut parts = Vec::new();
    let mut at = expr;
    loop {
        match at {
            Expr::Name(name) => {
                parts.push(name.id.as_str());
                parts.reverse();
                return Some(parts.join("."));
            }
            Expr::Attribute(attribute) if parts.len() < 20 => {
                parts.push(attribute.attr.id.as_str());
                at = &attribute.value;
            }
            _ => return None,
        }
    }
}

/// The full name of an expression, where its first name is known.
fn resolve(expr: &Expr, known: &HashMap<String, String>) -> Option<String> {
    let written = dotted(expr)?;
    let (first, rest) = match written.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (written.as_str(), None),
    };
    let first = match known.get(first) {
        Some(full) => full.as_str(),
        None if rules::BUILT_IN.contains(&first) => first,
        None => return None,
    };
    Some(rest.map_or_else(|| first.to_owned(), |rest| format!("{first}.{rest}")))
}

fn constant(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::StringLiteral(text) => Some(text.value.to_str()),
        _ => None,
    }
}

/// A text that names a place beyond the converter's own.
fn is_outside(path: &str) -> bool {
    let drive =
        path.as_bytes().get(1) == Some(&b':') && path.starts_with(|first: char| first.is_ascii_alphabetic());
    path.starts_with(['/', '\\', '~']) || drive || path.split(['/', '\\']).any(|part| part == "..")
}

struct Walk<'a> {
    lines: Lines<'a>,
    names: HashMap<String, String>,
    defined: HashSet<String>,
    findings: Vec<Finding>,
    /// Each thing once in a line.
    seen: HashSet<(usize, String)>,
    depth: usize,
}

impl Walk<'_> {
    fn add(
        &mut self,
        at: TextSize,
        reach: Reach,
        severity: Severity,
        what: String,
        meaning: &str,
        blocked: bool,
    ) {
        let (line, column) = self.lines.place(at);
        if self.seen.insert((line, what.clone())) {
            let meaning = meaning.to_owned();
            self.findings.push(Finding {
                line,
                column,
                severity,
                reach,
                what,
                meaning,
                blocked_by_client: blocked,
            });
        }
    }

    fn import(&mut self, at: TextSize, module: &str, what: String) {
        if let Some(rule) = rules::find(module) {
            let blocked = rules::client_blocks_import(module);
            self.add(at, rule.reach, rule.severity, what, rule.meaning, blocked);
        }
    }

    /// The full name of what is called or named; none for what the source defines itself.
    fn full(&self, expr: &Expr) -> Option<String> {
        let full = resolve(expr, &self.names)?;
        (!self.defined.contains(&full)).then_some(full)
    }

    fn call(&mut self, call: &ExprCall) {
        let at = call.func.start();
        let first = call.arguments.args.first();
        let written = dotted(&call.func).unwrap_or_default();
        if written == "getattr" {
            self.by_name(call);
            return;
        }
        let Some(full) = self.full(&call.func) else { return };
        if let Some(rule) = rules::find(&full) {
            let blocked = rules::client_blocks_call(&written);
            self.add(at, rule.reach, rule.severity, format!("{full}(…)"), rule.meaning, blocked);
        }
        match first.and_then(constant) {
            Some(module) if matches!(full.as_str(), "__import__" | "importlib.import_module") => {
                self.import(at, module, format!("import {module}, by {full}"));
            }
            Some(path) if TAKES_PATH.contains(&full.as_str()) && is_outside(path) => {
                let shown: String = path.chars().take(60).collect();
                let what = format!("{full}({shown:?})");
                self.add(at, Reach::Files, Severity::Warning, what, rules::OUTSIDE, false);
            }
            _ => {}
        }
    }

    /// `getattr(module, name)`: followed where the name stands there.
    fn by_name(&mut self, call: &ExprCall) {
        let [object, name, ..] = &*call.arguments.args else { return };
        let at = call.func.start();
        match (self.full(object), constant(name)) {
            (Some(object), Some(name)) => {
                let full = format!("{object}.{name}");
                if let Some(rule) = rules::find(&full) {
                    self.add(
                        at,
                        rule.reach,
                        rule.severity,
                        format!("{full}, by getattr"),
                        rule.meaning,
                        false,
                    );
                }
            }
            (Some(object), None) => {
                let what = format!("getattr({object}, …)");
                self.add(at, Reach::Hidden, Severity::Warning, what, rules::UNSEEN, false);
            }
            _ => {}
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Walk<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let module = alias.name.id.as_str();
                    self.import(alias.start(), module, format!("import {module}"));
                }
            }
            Stmt::ImportFrom(import) if import.level == 0 => {
                let module = import.module.as_ref().map(|module| module.id.to_string()).unwrap_or_default();
                for alias in &import.names {
                    let name = alias.name.id.as_str();
                    let what = format!("from {module} import {name}");
                    if name == "*" {
                        let known = rules::find(&module).is_some() || module == "os";
                        let severity = if known { Severity::Danger } else { Severity::Note };
                        self.add(alias.start(), Reach::Hidden, severity, what, rules::STAR, false);
                    } else {
                        self.import(alias.start(), &format!("{module}.{name}"), what);
                    }
                }
            }
            _ => {}
        }
        if self.depth < MAX_DEPTH {
            self.depth += 1;
            walk_stmt(self, stmt);
            self.depth -= 1;
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if self.depth >= MAX_DEPTH {
            let what = "a deep expression".to_owned();
            self.add(expr.start(), Reach::Hidden, Severity::Danger, what, rules::DEEP, false);
            return;
        }
        match expr {
            Expr::Call(call) => self.call(call),
            Expr::Attribute(attribute) if rules::INNER.contains(&attribute.attr.id.as_str()) => {
                let what = format!(".{}", attribute.attr.id);
                self.add(
                    attribute.attr.start(),
                    Reach::Hidden,
                    Severity::Danger,
                    what,
                    rules::INNER_MEANING,
                    false,
                );
            }
            Expr::Name(_) | Expr::Attribute(_) => self.named(expr),
            _ => {}
        }
        self.depth += 1;
        walk_expr(self, expr);
        self.depth -= 1;
    }
}

impl Walk<'_> {
    /// A function that is named without being called, to be called elsewhere. A module alone says nothing new.
    fn named(&mut self, expr: &Expr) {
        let Some(full) = self.full(expr) else { return };
        let Some(rule) = rules::find(&full) else { return };
        let called = format!("{full}(…)");
        let (line, _) = self.lines.place(expr.start());
        let is_function =
            full == rule.name && (full.contains('.') || rules::BUILT_IN.contains(&full.as_str()));
        if is_function && !self.seen.contains(&(line, called)) {
            self.add(expr.start(), rule.reach, rule.severity, full, rule.meaning, false);
        }
    }
}
