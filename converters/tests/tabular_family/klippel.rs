use wats::report::Status;
use wats_converters::{ErrorKind, Input, find};

use super::support::check;
use super::{
    convert, convert_with, failed, fails, file, leaves, real_files, recognised, step, warns, with_companions,
};

#[test]
fn samples() {
    check("klippel", "klippel", "");
}

#[test]
fn a_real_unit() {
    let mut files = real_files("klippel", "klippel");
    assert_eq!(files.len(), 1);
    let (conversion, units) = files.remove(0);
    let report = &conversion.reports[0];
    assert_eq!(report.sn, units[0].serial);
    let steps = leaves(report);
    let judged: Vec<_> = steps.iter().copied().filter(|step| step.name != "OutOfBounds").collect();
    assert_eq!(Some(failed(&judged)), units[0].failed_rows);
    // Two of the tester's results, pol and fs, have no row.
    assert_eq!(Some(judged.iter().filter(|step| step.step_type != "ET_PFT").count()), units[0].rows);
    assert_eq!(conversion.warnings, Vec::<String>::new());
    let shown = |name: &str| {
        let step = step(report, name);
        let values: Vec<f64> =
            step.numeric_meas.iter().map(|it| (it.value.get() * 1000.0).round() / 1000.0).collect();
        format!("{} {values:?}", step.status.letter())
    };
    assert_eq!(shown("re"), "F [NaN]");
    assert_eq!(shown("qts"), "S []");
    assert_eq!(shown("level"), "P [95.203]");
    assert_eq!(shown("fs"), "F []");
    // Curves with gaps have statistics of the points that there are.
    assert!(step(report, "thd").numeric_meas.iter().all(|it| it.value.get().is_finite()));
    let chart = step(report, "thd").rare.chart.clone().unwrap();
    assert!(chart.series.iter().all(|it| !it.ydata.as_ref().unwrap().contains("NaN")));
}

const HEADER: &str = "//comment=1\nCfg_SerialNumber=S1\nCfg_DutStartTime=2025-9-36-247-4-4-13-2-7-380-120\nCtrl_OverallVerdict=1\n";

fn unit(header: &str, files: &[(&str, &str)]) -> Input {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    with_companions(file("unit 1.txt", header.as_bytes()), &files)
}

#[test]
fn a_unit_without_its_folder_waits() {
    let input = unit(HEADER, &[]);
    let error = convert("klippel", &input).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotYet);
    assert!(error.to_string().contains("a folder \"unit 1\" beside the file"), "{error}");
    assert!(find("klippel").unwrap().qualify(&input).confidence >= 0.9);
    // A test that was not done has none.
    let conversion = convert("klippel", &unit(&HEADER.replace("Verdict=1", "Verdict=-1"), &[])).unwrap();
    assert_eq!(conversion.reports[0].result, Status::Terminated);
    warns(&conversion, "there are no data files");
    fails(
        "klippel",
        &unit(HEADER.split("Ctrl").next().unwrap(), &[("A.txt", "name\tvalue")]),
        "there is no Ctrl_OverallVerdict",
    );
    fails(
        "klippel",
        &unit(&HEADER.replace("Verdict=1\n", "Verdict="), &[("A.txt", "name\tvalue")]),
        "there is no Ctrl_OverallVerdict",
    );
    fails(
        "klippel",
        &unit(&HEADER.replace("Verdict=1", "Verdict=good"), &[]),
        "Ctrl_OverallVerdict is \"good\"; expected -1, 0, 1",
    );
    let later = unit(&HEADER.replace("Verdict=1", "Verdict=7"), &[("A.txt", "name\tvalue\nx\t1")]);
    let conversion = convert("klippel", &later).unwrap();
    assert_eq!(conversion.reports[0].result, Status::Failed);
    warns(&conversion, "Ctrl_OverallVerdict is 7, not -1, 0, 1");
}

#[test]
fn decimal_commas_are_read_with_one_warning() {
    let input = unit(HEADER, &[("A-v.txt", "name\tvalue\tmax\tmin\nx\t1,5\t2,0\t1,0\ny\t3,5\t2,0\t1,0\n")]);
    recognised(&input, "klippel");
    let conversion = convert("klippel", &input).unwrap();
    assert_eq!(step(&conversion.reports[0], "y").status, Status::Failed);
    assert_eq!(conversion.warnings, ["6 numbers with a decimal comma were read as with a point"]);
}

#[test]
fn a_column_of_units_is_read_and_others_are_named() {
    let many: String = (0..10_001).map(|point| format!("{point}\t1\t2\n")).collect();
    let files = [
        ("A.txt", "name\tvalue\tunit\tmin\tmax\tsigma\nRe\t5\tOhm\t4\t6\t0.1\n"),
        ("B.txt", &format!("frq\tSPL\tmax\n{many}")),
    ];
    let conversion = convert("klippel", &unit(HEADER, &files)).unwrap();
    let re = &step(&conversion.reports[0], "Re").numeric_meas[0];
    assert_eq!((re.unit.as_deref(), re.high_limit.unwrap().get()), (Some("Ohm"), 6.0));
    assert_eq!(
        conversion.warnings,
        [
            "A.txt: columns that are not known are left out: sigma",
            "B: the chart shows the first 10000 of 10001 points"
        ]
    );
}

#[test]
fn what_is_not_read_is_named() {
    let header = format!("{HEADER}Cfg_New=5\nCfg_PCName=PC\n");
    let files = [
        ("A.txt", "name\tvalue\n\t5\nx\tabc\n"),
        ("A.csv", "1"),
        ("sub/B.txt", "name\tvalue\n"),
        ("C.txt", "\0\0\u{1}"),
        ("D-c.txt", "frq\tSPL\nx\t1\n10\t5\n20\n"),
        ("E-c.txt", "name\tvalue\tmax\tmin\ny\t1\t2\t0\nz\t1\t2"),
    ];
    let conversion = convert("klippel", &unit(&header, &files)).unwrap();
    for warning in [
        "keys that are not known are left out: Cfg_New",
        "A.csv is no data file",
        "sub/B.txt is no data file",
        "A.txt, line 2: a value without a name",
        "A.txt, line 3: x \"abc\" is no number",
        "C.txt: the file is binary",
        "E-c.txt: the last line has 3 of 4 columns and no line end",
        "D-c.txt, line 2: the frequency \"x\" is no number",
    ] {
        warns(&conversion, warning);
    }
    let kept = convert_with("klippel", &unit(&header, &files), &[("keepOtherKeys", "true")]).unwrap();
    let infos: Vec<_> =
        kept.reports[0].misc_infos.iter().filter_map(|info| info.description.as_deref()).collect();
    assert_eq!(infos, ["FileName", "Cfg_New", "Cfg_PCName"]);
}

#[test]
fn texts_are_decoded_and_long_names_are_cut() {
    let long = "n".repeat(300);
    let values = format!("name\tvalue\tmax\tmin\n{long}\t1\t2\t0\nµ\t1\t2\t0\n");
    let (windows, _, _) = encoding_rs::WINDOWS_1252.encode(&values);
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(HEADER.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let input = with_companions(file("u.txt", &utf16), &[("A.txt", &windows)]);
    recognised(&input, "klippel");
    let conversion = convert("klippel", &input).unwrap();
    let names: Vec<usize> =
        leaves(&conversion.reports[0]).iter().map(|step| step.name.chars().count()).collect();
    assert_eq!(names, [100, 1]);
    warns(&conversion, "cut to 100 characters");
}
