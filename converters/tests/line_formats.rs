//! What the formats of text lines have in common: encodings, line ends, the server's documented rules, recognition.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::select;
use support::convert::*;
use wats::validate::{Strictness, problems};
use wats_converters::{Conversion, Input, find};

/// A converter, its folders of samples, and a real file.
const FORMATS: &[(&str, &[&str], &str)] = &[
    ("spea", &["converters/spea", "real/spea-3030"], "spea-3030/testdata_SN9871234012.excerpt.csv"),
    ("takaya-atd", &["real/takaya-atd"], "takaya-atd/PB2939800_E_BOT-20230420130239.ATD"),
    ("takaya-apt94xx", &["real/takaya-apt94xx"], "takaya-apt94xx/11111-BV0001 (AT33).ATD"),
    ("takaya-atdx", &["real/takaya-atdx"], "takaya-atdx/WO250319-0162__20250525_122655.excerpt.atdx"),
    ("listen-soundcheck", &["real/listen-soundcheck"], "listen-soundcheck/Complete test 7-22-2020 (002).txt"),
    (
        "teradyne-spectrum",
        &["converters/teradyne-spectrum-ict", "real/teradyne-spectrum"],
        "teradyne-spectrum/sample_ict_data.excerpt.txt",
    ),
    ("teradyne-ict", &["converters/teradyne-ict", "real/teradyne-gr228x"], "teradyne-gr228x/43420_BIO2.LOG"),
];

/// Converters of which there is no sample.
const UNSEEN: &[&str] = &["keysight-i3070", "teradyne-nano-51e"];

/// The reports as they are sent, and the warnings.
fn written(conversion: &Conversion) -> String {
    format!("{}{:?}", serde_json::to_string(&conversion.reports).unwrap(), conversion.warnings)
}

#[test]
fn encodings_and_line_ends_change_nothing() {
    for (converter, _, path) in FORMATS {
        let plain = support::input(&real(path));
        let expected = written(&convert(converter, &plain).unwrap());
        let text = String::from_utf8(plain.bytes.clone()).unwrap();
        let text = text.trim_start_matches('\u{feff}');
        let windows = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for (what, bytes) in [
            ("byte-order mark", format!("\u{feff}{text}").into_bytes()),
            ("Windows line ends", windows.clone().into_bytes()),
            ("old Macintosh line ends", text.replace("\r\n", "\n").replace('\n', "\r").into_bytes()),
            ("UTF-16", [&b"\xff\xfe"[..], &utf16(&windows)].concat()),
            ("UTF-16 without a mark", utf16(&windows)),
            ("zeros at the end", format!("{windows}\0\0\0\0").into_bytes()),
            ("no last line end", text.trim_end().as_bytes().to_vec()),
            ("blank lines at the end", format!("{text}\n\n  \n").into_bytes()),
        ] {
            let input = Input { bytes, ..plain.clone() };
            recognised(&input, converter);
            let conversion = convert(converter, &input).unwrap();
            assert!(written(&conversion) == expected, "{converter} reads something else with {what}");
        }
    }
}

#[test]
fn reports_of_real_files_follow_the_documented_rules_as_well() {
    for (converter, _, path) in FORMATS {
        for mut report in convert(converter, &support::input(&real(path))).unwrap().reports {
            report.id = Some(Default::default());
            // Names of steps are the tester's, and they repeat.
            let found = problems(&report, Strictness::Documented);
            let found: Vec<_> =
                found.iter().filter(|it| !it.text.ends_with("required to be unique")).collect();
            assert!(found.is_empty(), "{path}: {found:?}");
        }
    }
}

/// All files below a folder of samples.
fn all(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { found.extend(all(&entry)) } else { found.push(entry) }
    }
    found
}

#[test]
fn files_of_other_formats_are_not_claimed() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples");
    let mut checked = 0;
    for path in all(&samples) {
        let name = path.strip_prefix(&samples).unwrap().to_string_lossy().replace('\\', "/");
        // The samples of automatic selection have files of all formats.
        let beside = [".json", ".md", ".tsv"].iter().any(|ending| name.ends_with(ending));
        if beside || name.starts_with("converters/ai/") {
            continue;
        }
        let input = Input { bytes: std::fs::read(&path).unwrap(), ..file(&name, b"") };
        for converter in UNSEEN {
            let answer = find(converter).unwrap().qualify(&input);
            assert!(answer.confidence == 0.0, "{converter} is {} sure of {name}", answer.confidence);
        }
        for (converter, folders, _) in FORMATS {
            let own = folders.iter().any(|folder| name.starts_with(&format!("{folder}/")));
            let confidence = find(converter).unwrap().qualify(&input).confidence;
            let right = if own { confidence >= 0.9 } else { confidence == 0.0 };
            assert!(right, "{converter} is {confidence} sure of {name}");
            checked += 1;
        }
    }
    assert!(checked > 300, "only {checked} answers were looked at");
}

/// Files made to be slow: many lines of every kind, each with a name of its own.
#[test]
fn files_that_are_large_and_odd_are_read_to_their_end() {
    let many = |line: &dyn Fn(usize) -> String| (0..50_000).map(line).collect::<String>();
    let odd = many(&|number| format!("odd{number};x:y\t1\n"));
    let atd = |tail: &str| {
        format!(
            "@\n{odd}Model:M\nDATE 1/2/2024 1:2:3\n@\n* GROUP No.1 *\n* PASS *\nSerial No.:S\n{tail}{odd}@\n"
        )
    };
    for (converter, text) in [
        ("spea", format!("START;a;b;1;P;o;01/02/2025;10:00:00\nSN;S\n{odd}END;PASS;01/02/2025;10:00:01\n")),
        ("takaya-atd", atd("Group_No.\tStep_number\n")),
        ("takaya-apt94xx", atd("")),
        (
            "takaya-atdx",
            format!(
                "#\"Main header\"#\nModel: M\nSerial number : S\n{odd}{}",
                many(&|number| format!("Group No.: {number} Side: A PASS\nOrder;Parts\n1;R1\n"))
            ),
        ),
        (
            "listen-soundcheck",
            format!(
                "Serial #:\tTime:\tLot #:\tName\n{}{odd}",
                many(&|number| format!("S\t1\tL\tN{number}\t1\tdB\tPASS\n"))
            ),
        ),
        (
            "teradyne-spectrum",
            format!(
                "(PROGRAM_NAME: P)\n{}(TYPE: a) (TIME: 01/02/2025 10:00:00)\n(PAGE_NAME: a) (STAT: PASS)\n{}",
                many(&|number| format!("(USER: K{number}: v)(ODD{number}: 1)\n")),
                many(&|number| format!("(A: (B: (C: {number})))(GROUP_NAME: g) (STAT: PASS)\n")),
            ),
        ),
        (
            "keysight-i3070",
            format!(
                "{{@BATCH|P\n{{@BTEST|S|0\n{}{}}}{}",
                many(&|number| format!("{{ODD{number}|x}}{{@A-RES|0|1|t}}~\n")),
                many(&|number| format!("{{@RPT|{number}}}{{@NEW{number}\u{4}")),
                "}".repeat(50_000),
            ),
        ),
        (
            "teradyne-ict",
            format!(
                "C:p_1.obc[\n{odd}@31-JUL-24 10:00:00 SN S\nTOP_OF_LOOP-A\n{odd}{}\"31-JUL-24 10:00:01\n",
                many(&|number| format!(
                    "WATS_k{number}=v\n{}\n",
                    if number % 2 == 0 { "A=" } else { "(S n" }
                ))
            ),
        ),
    ] {
        let conversion = convert(converter, &file("a.txt", text.as_bytes())).unwrap();
        assert_eq!(conversion.reports.len(), 1, "{converter}");
        assert!(conversion.warnings.len() < 200, "{converter}: {} warnings", conversion.warnings.len());
    }
}

/// Lines of every kind that a format has, whole and broken.
const PIECES: &[(&str, &[&str])] = &[
    (
        "spea",
        &[
            "START;a;b;1;P;o;01/02/2025;10:00:00\n",
            "FORMAT;ddmm\n",
            "START;a;P;1.0;P;;13/02/2025\n",
            "SN;S\n",
            "SN;\n",
            "LOT;L\n",
            "ANL;1;R1;1;1;n;;PASS;1,5;1e10;-1e10;V\n",
            "ANL;70000;Close;1;1;;;FAIL(+);x;0;0\n",
            "FUNC;;;;;;;TERMINATED;1;0;-1;Ohm\n",
            "ANL;1\n",
            "BOARDRESULT;NONE\n",
            "END;PASS;01/02/2025;10:00:01\n",
            "END;;\n",
            ";;;\n",
        ],
    ),
    (
        "takaya-atd",
        &[
            "@\n",
            "* FAIL *\n",
            "* GROUP No.99999 *\n",
            "Model:M\n",
            "DATE 1/13/2024 25:00:00\n",
            "Serial No.:S\n",
            "Group_No.\tStep_number\tParts\tJudgement\n",
            "1\t2\tR1\tV\tKO\tC\t*\t1\ta\t2\tb\t0\t*\t0\t*\tPASS\tR\t1e400\t1\tKO\tR\t1\t1\tMO\tR\t1\t-1\tO\n",
            "1\t\t\t\t\t\t\t\t\t\t\t\t\t\t\tX-NG\t\t\t\t\t\t\n",
            "odd: line\n",
        ],
    ),
    (
        "takaya-apt94xx",
        &[
            "@\n",
            "* PASS *\n",
            "* GROUP No.1 *\n",
            "Model:A1T_V.\n",
            "Serial No.:B - S (a - b)\n",
            "000001 \"R1\" \"v\" \"c\" 1 2 \"1 KO\" \"1 O\" \"2 KO\" +5% -5% \"PASS\" \"m\" \"r\" \"1 ms\" \"p\" 0 0 \"**\"\n",
            "000001 \"R1\" \"v\" \"c\" 1 2 \"....\" \"1 V\" \"2 nF\" +5% \"OPEN\" \"m\" \"r\" \"-1 ms\" \"p\" \"OP\" 0 0\n",
            "000001 \"R1\" \"v\" \"c\" \"5\" \"7 O\" \"8 O\" \"......\" \"m\" \"r\" \"JP\"\n",
            "000002 \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\"\n",
            "000002 \"\n",
        ],
    ),
    (
        "takaya-atdx",
        &[
            "###\"Main header\"###\n",
            "Model: M x\n",
            "Serial number : S\n",
            "Test Date: 31/12/9999 23:59:59\n",
            "Group No.: 1 Side: A PASS\n",
            "Group No.: 2 FAIL\n",
            "Order;Parts;Judge;Func;Reference;Unit;+%\n",
            "Order;Aux\n",
            "1;;;R1;V;;C;L;R;1;KO;EQ;5;;5;;2;O;3[MO]|x;;UPPER;1;a;2;b;;;;;;;;;;;\n",
            "1;R1;PASS;OP;1;O;5\n",
            "1;R1;SKIP;SH\n",
            "-----\n",
        ],
    ),
    (
        "listen-soundcheck",
        &[
            "Serial #:\tTime:\tLot #:\tName\tMargin\tUnit\tResult\tTolerance\tLimits\n",
            "Serial #:\tTime:\tC\t\tx data lin\ty data lin\tz\t\tx axis log\ty axis log\n",
            "S\t1/2/2025 1:2:3\tL\tN\t1\tdB\tPASS\t\t2/1\n",
            "S\t1.2.2025 1:2:3\tL\tN\t1,5\tdB\twhat\n",
            "\t\t\tN\t\t\tSkipped\n",
            "S\tnow\tL\t1\t2\tNaN\n",
            "T\tnow\t\t1\n",
            "T\n",
        ],
    ),
    (
        "teradyne-spectrum",
        &[
            "(PROGRAM_NAME: \"P 1\")\n",
            "(SECTION_NAME: \"S\")\n",
            "(TYPE: a) (TIME: 01/02/2025 10:00:00)\n",
            "(STEP: (TIME: x) (SNAME: \"n\") (PAGE: (PAGE_NAME: \"p\") (STAT: FAIL) (INTC: (LOLIM: (VAL: 1) (SCALE: k)) ",
            "(INTC_RESULT: (STAT: FAIL) (MEASVAL: (VAL: 2) (UNIT: O)))",
            ")) (STAT: PASS))\n",
            "(PAGE_NAME: \"q\") (COMMENT: \"c\") (STAT: pass)\n",
            "(MEASVAL: (VAL: 2,5) (SCALE: m) (UNIT: V) )\n",
            "(HILIM: (VAL: 2) (SCALE: meg) (UNIT: V) )\n",
            "(GROUP_NAME: g) (STAT: FAIL) (MEASVAL: (VAL: 3))\n",
            "(FSCAN_PIN: (STAT: E) (TPNAME: t))\n",
            "(USER: STATUS: FAILED)\n",
            "(USER: note)\n",
            ")",
        ],
    ),
    (
        "teradyne-ict",
        &[
            "C:\\p\\P_1.obc[01-JAN-24  00:00:00\n",
            "@31-JUL-24  10:00:00 SN S\n",
            "R1=4.7K(4,5MEG)R\n",
            "@99-XXX-24  10:00:00\n",
            "R2#1(,)V == why\n",
            "\"31-JUL-24  10:00:09\n",
            "/31-JUL-24  09:00:00\n",
            "]31-jul-24  10:00:09\n",
            "C1%(1,2)CP\n",
            "C1=\n",
            "(S A B +\n",
            "WATS_partNumber=\n",
            "TOP_OF_LOOP-H\n",
            "odd = line\n",
        ],
    ),
    (
        "keysight-i3070",
        &[
            "{@BATCH|P|B|12|1||ict||anna|c|t|4|||V\n",
            "{@BTEST|S|6|240731081502|43|0|all||n|n|240731081545||1|\n",
            "{@BTEST||81|x\n",
            "{@BLOCK|1%r101|1\n",
            "{@A-RES|0|1E3{@LIM3|1E3|2E3|x}}",
            "{@A-RES|2||s{@LIM2|1|2}}",
            "{@A-MEA|11|7|s}{@A-MEA|0|7|s}",
            "{@TS|1|1|0|0|shorts{@TS-S|1|0|n{@TS-D\\2|a|b}}}",
            "{@D-PLD|f|a|1|t~3|a}b}",
            "{@RPT~5|a\nb}c}",
            "{@RETEST|1}",
            "}\n",
            "\u{4}",
            "{OWN|x}",
        ],
    ),
    (
        "teradyne-ict",
        &[
            "{@BLOCK|b|P}\n",
            "{@BTEST|R1|R|M:1K|L:2|H:|F}\n",
            "{@BTEST|R1|R|M:x|P|\n",
            "{@BTEST|\n",
            "{@BATCH|P\n",
            "}",
            "{@BTEST~5|a}|b|P}\n",
            "\u{4}",
            "text\n",
        ],
    ),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever follows whatever, there is no panic, and no report that a server refuses.
    #[test]
    fn pieces_in_any_order(of in 0..PIECES.len(), order in proptest::collection::vec(select((0..14_usize).collect::<Vec<_>>()), 1..40)) {
        let (converter, pieces) = PIECES[of];
        let text: String = order.iter().map(|index| pieces[index % pieces.len()]).collect();
        // Many orders begin with what makes the file one of its kind.
        for text in [text.clone(), pieces[0].to_owned() + &text, pieces[..pieces.len().min(7)].concat() + &text + pieces[0]] {
            match convert(converter, &file("a.txt", text.as_bytes())) {
                Ok(conversion) => prop_assert!(!conversion.reports.is_empty()),
                Err(error) => prop_assert!(!error.problem.is_empty()),
            }
        }
    }
}
