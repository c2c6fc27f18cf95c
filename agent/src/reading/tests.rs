use super::*;

/// Line, column, and what.
fn found(source: &str) -> Vec<(usize, usize, String)> {
    let reading = read(source.as_bytes());
    assert_eq!(reading.unreadable, None);
    reading.findings.into_iter().map(|finding| (finding.line, finding.column, finding.what)).collect()
}

fn one(source: &str) -> Finding {
    let mut reading = read(source.as_bytes());
    assert_eq!(reading.findings.len(), 1, "{reading:?}");
    reading.findings.remove(0)
}

fn line(at: usize, column: usize, what: &str) -> (usize, usize, String) {
    (at, column, what.to_owned())
}

#[test]
fn imports_are_found_under_every_name() {
    let source = "import os as o\nfrom os import system as run\nimport multiprocessing.pool\nfrom socket import socket\n\
        o.popen('x')\nrun('x')\nimport csv, ctypes\n";
    assert_eq!(
        found(source),
        [
            line(2, 16, "from os import system"),
            line(3, 8, "import multiprocessing.pool"),
            line(4, 20, "from socket import socket"),
            line(5, 1, "os.popen(…)"),
            line(6, 1, "os.system(…)"),
            line(7, 13, "import ctypes"),
        ]
    );
}

#[test]
fn what_the_client_would_refuse_is_marked() {
    let blocked = |source: &str| one(source).blocked_by_client;
    assert!(blocked("import subprocess"));
    // By its exact names: these two pass there.
    assert!(!blocked("import multiprocessing.pool"));
    assert!(!blocked("from socket import socket"));
    let open = one("def f(path):\n    with open(path) as file:\n        return file.read()\n");
    assert_eq!((open.severity, open.reach, open.blocked_by_client), (Severity::Note, Reach::Files, true));
}

#[test]
fn a_usual_converter_has_nothing_to_fear() {
    let source = "import csv, json, re, sqlite3, zipfile\nimport xml.etree.ElementTree as ET\n\
        from pathlib import Path\nfrom pywats_client.converters import FileConverter\n\n\
        class A(FileConverter):\n    def convert(self, source, context):\n        rows = list(csv.reader(open(source.path)))\n\
        \x20       return re.compile('a').match(rows[0][0])\n";
    let reading = read(source.as_bytes());
    assert_eq!(reading.worst(), Some(Severity::Note));
    assert_eq!(reading.findings.len(), 1);
}

#[test]
fn code_that_is_made_at_run_time_is_dangerous() {
    for source in
        ["eval('1')", "exec(text)", "f = eval", "__import__('os')", "import importlib", "map(exec, lines)"]
    {
        assert_eq!(one(source).severity, Severity::Danger, "{source}");
    }
    assert_eq!(
        found("import importlib\nimportlib.import_module('subprocess')\n"),
        [
            line(1, 8, "import importlib"),
            line(2, 1, "importlib.import_module(…)"),
            line(2, 1, "import subprocess, by importlib.import_module"),
        ]
    );
    // Its own function of that name is no danger.
    assert_eq!(found("def compile(rows):\n    return rows\n\ncompile([])\n"), []);
    assert_eq!(found("self.compile()\nmodel.eval()\n"), []);
}

#[test]
fn what_cannot_be_seen_is_said() {
    assert_eq!(one("import os\ngetattr(os, 'system')('x')\n").what, "os.system, by getattr");
    let hidden = one("import os\ngetattr(os, 'sys' + 'tem')('x')\n");
    assert_eq!((hidden.reach, hidden.what.as_str()), (Reach::Hidden, "getattr(os, …)"));
    assert_eq!(one("from os import *\n").severity, Severity::Danger);
    assert_eq!(one("().__class__.__subclasses__()\n").what, ".__subclasses__");
    assert_eq!(one("import os\nrun = os.system\n").what, "os.system");
    assert_eq!(found("import os\nrun = os.system\nrun('x')\n")[1], line(3, 1, "os.system(…)"));
}

#[test]
fn files_outside_are_named() {
    let source = "from pathlib import Path\nPath('/etc/shadow').read_text()\nopen('C:\\\\data\\\\a.txt')\nPath('a/../../b')\n\
        Path('work.csv')\n";
    let outside: Vec<_> = read(source.as_bytes())
        .findings
        .into_iter()
        .filter(|finding| finding.severity == Severity::Warning)
        .map(|finding| finding.what)
        .collect();
    assert_eq!(
        outside,
        ["pathlib.Path(\"/etc/shadow\")", "open(\"C:\\\\data\\\\a.txt\")", "pathlib.Path(\"a/../../b\")"]
    );
}

#[test]
fn a_column_counts_characters() {
    assert_eq!(found("grün = 'ü'; eval(grün)\n"), [line(1, 13, "eval(…)")]);
}

#[test]
fn what_is_no_python_says_where() {
    let wrong = read(b"import os\n\ndef f(:\n    pass\n").unreadable.unwrap();
    assert_eq!((wrong.line, wrong.excerpt.as_str()), (3, "def f(:"));
    assert!(wrong.words.starts_with("the file is no Python: "), "{}", wrong.words);
    for source in ["import os\nprint \"hello\", x\n", "try:\n    pass\nexcept IOError, error:\n    pass\n"] {
        let old = read(source.as_bytes()).unreadable.unwrap();
        assert!(old.words.contains("Python 2"), "{}", old.words);
    }
}

#[test]
fn other_encodings_are_read_or_refused() {
    assert_eq!(found("\u{feff}import ctypes\n"), [line(1, 8, "import ctypes")]);
    let latin = b"# -*- coding: latin-1 -*-\nname = 'gr\xfcn'\nimport ctypes\n";
    assert_eq!(read(latin).findings.len(), 1);
    let wrong = read(b"a = 1\nname = 'gr\xfcn'\n").unreadable.unwrap();
    assert_eq!(wrong.line, 2);
    assert!(read(b"a\0b").unreadable.is_some());
    assert!(read(&vec![b'\n'; MAX_SOURCE + 1]).unreadable.is_some());
}

#[test]
fn a_hostile_depth_does_not_break_the_reader() {
    let much = MAX_SOURCE - 1000;
    for (piece, end) in
        [("-", "1"), (".a", ""), ("(", ""), ("[", ""), ("not ", "a"), ("lambda:", "1"), ("a if b else ", "c")]
    {
        let mut source = "import ctypes\nx".to_owned();
        source.push_str(if piece == ".a" { "" } else { " = " });
        source.push_str(&piece.repeat(much / piece.len()));
        source.push_str(end);
        let reading = read(source.as_bytes());
        // Either is an answer; what counts is that there is one.
        assert!(reading.unreadable.is_some() || !reading.findings.is_empty(), "{piece}");
    }
}

#[test]
fn every_rule_has_a_name_of_its_own() {
    let names: std::collections::HashSet<_> = rules::RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), rules::RULES.len());
    for (at, rule) in rules::RULES.iter().enumerate() {
        let hidden =
            rules::RULES[..at].iter().find(|other| rule.name.starts_with(&format!("{}.", other.name)));
        assert!(hidden.is_none(), "{} is never reached", rule.name);
    }
}
