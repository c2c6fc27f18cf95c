//! `wats-agent recognise` and the source converter `auto`, on made files.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use expect_test::expect;
use jiff::Timestamp;
use serde_json::Value;
use wats_agent::control::api::Station;
use wats_agent::convert::{Answer, Job, convert};

const SPEA: &str = "START;C:\\P;P;2;INV40;mario;11/28/2024;14:07:31\nLOT;L1\nSN;S1\n\
    ANL;1;R10;3;1;R10;;PASS;4.7e+03;4.4e+03;4.9e+03;Ohm;TP3;\nBOARDRESULT;PASS\nEND;PASS;11/28/2024;14:08:15\n";

fn recognise(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wats-agent"));
    command.current_dir(folder).arg("recognise").args(arguments);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("unit.dat", SPEA), ("odd.xml", "<nobody/>"), ("odd.bin", "nothing anyone knows\n")]
    {
        write(folder.path(), name, text);
    }
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let mut file = std::fs::File::create(folder.join(name)).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}

#[test]
fn a_known_file_is_named_with_the_reason() {
    let folder = folder();
    let (code, said, _) = recognise(folder.path(), &["unit.dat"]);
    assert_eq!(code, Some(0));
    expect![[r#"
        unit.dat: spea, SPEA in-circuit test (95 %)
            a START line with a date, and tests after it
    "#]]
    .assert_eq(&said);
    let (_, said, _) = recognise(folder.path(), &["--all", "unit.dat"]);
    assert!(said.contains("    wats-text (0 %): has no --Header-Start-- marker\n"), "{said}");
}

#[test]
fn what_nobody_knows_is_said_with_the_nearest_and_has_its_own_exit_code() {
    let folder = folder();
    let (code, said, errors) = recognise(folder.path(), &["odd.xml", "unit.dat", "odd.bin"]);
    assert_eq!(code, Some(10), "{errors}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "odd.xml: not recognised");
    assert!(
        lines[1].starts_with("    no format fits the file; by its name it could be wats-xml (0 %): "),
        "{said}"
    );
    assert_eq!(lines[4], "odd.bin: not recognised");
    assert_eq!(lines[5], "    no format fits the file, neither by its content nor by its name");
    assert!(errors.contains("2 of 3 files were not recognised"), "{errors}");
    let (code, said, _) = recognise(folder.path(), &["odd.bin", "missing", "unit.dat"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("missing: could not be read\n") && said.contains("unit.dat: spea"), "{said}");
}

#[test]
fn programs_get_the_same_as_json() {
    let folder = folder();
    let (code, said, _) = recognise(folder.path(), &["--json", "unit.dat", "odd.bin"]);
    assert_eq!(code, Some(10));
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&said[0]["converter"], &said[0]["candidates"][0]["confidence"]),
        (&"spea".into(), &0.95.into())
    );
    assert_eq!((&said[1]["converter"], &said[1]["file"]), (&Value::Null, &"odd.bin".into()));
    assert_eq!(said[1]["candidates"].as_array().unwrap().len(), wats_converters::catalogue().len());
}

#[tokio::test]
async fn a_source_set_to_auto_converts_what_is_known_and_says_why_it_does_not() {
    let job = |arguments: &[(&str, &str)]| Job {
        converter: "auto".to_owned(),
        arguments: arguments
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        file_name: "unit.dat".to_owned(),
        sha256: "00".to_owned(),
        modified: Timestamp::UNIX_EPOCH,
        station: Station {
            name: "st".to_owned(),
            location: "lab".to_owned(),
            purpose: "test".to_owned(),
            time_zone: "Europe/Oslo".to_owned(),
        },
        now: Timestamp::UNIX_EPOCH,
        folder: None,
        rival: None,
    };
    match convert(&job(&[]), SPEA.as_bytes().to_vec(), Vec::new()) {
        Answer::Reports { reports, warnings } => {
            let reports = reports.all().await.unwrap();
            assert_eq!((reports.len(), &*reports[0].serial_number, warnings), (1, "S1", Vec::new()));
        }
        other => panic!("{other:?}"),
    }
    for (arguments, file, expected) in [
        (
            &[("minConfidence", "96")][..],
            SPEA,
            "no format is sure enough of the file; the surest is spea (95 %)",
        ),
        (&[], "nothing anyone knows", "no format fits the file"),
        (&[("minConfidence", "10")], SPEA, "expected a whole number from 31 to 100"),
        (
            &[],
            "Cfg_SerialNumber=1\nCtrl_OverallVerdict=1\nCfg_DutStartTime=2020-05-14 10:01:37 UTC+0200\n",
            "Set intake.unit of this source to \"file-and-folder\"",
        ),
    ] {
        match convert(&job(arguments), file.as_bytes().to_vec(), Vec::new()) {
            Answer::Refused { words, .. } => assert!(words.contains(expected), "{words}"),
            other => panic!("{file}: {other:?}"),
        }
    }
}
