//! Which converter of ours stands for one of the client's.

/// The converters that the client brings, by their classes, and ours.
const STANDARD: [(&str, &str); 13] = [
    ("WATSStandardTextConverter", "wats-text"),
    ("WATSStandardJsonConverter", "wats-json"),
    ("WATSStandardXMLConverter", "wats-xml"),
    ("ATMLConverter", "atml"),
    ("SeicaXMLConverter", "seica-xml"),
    ("TeradyneICTConverter", "teradyne-ict"),
    ("TeradyneSpectrumICTConverter", "teradyne-spectrum"),
    ("KeysightTestExecSLConverter", "keysight-testexec-sl"),
    ("KlippelConverter", "klippel"),
    ("SPEAConverter", "spea"),
    ("XJTAGConverter", "xjtag"),
    ("AIConverter", "auto"),
    ("CSVTestConverter", "example-csv"),
];

/// What a module path of the client leads to.
pub(super) enum Found {
    Ours(&'static str),
    /// The client's own, which this version of ours lacks.
    Lacking,
    /// A Python file of the user.
    Own,
}

/// By the class at the end of the path; a path of a file is a file of the user.
pub(super) fn find(module: &str) -> Found {
    let is_file = module.contains(['/', '\\']) || module.to_lowercase().ends_with(".py");
    let class = module.rsplit(['.', ':']).next().unwrap_or_default();
    let of_the_client = module.starts_with("pywats_client.converters.") || !module.contains(['.', ':']);
    if is_file || class.is_empty() || !of_the_client {
        return Found::Own;
    }
    let plain = |text: &str| text.to_lowercase().replace('_', "");
    let wanted = plain(class);
    // A module is named after its class: seica_xml_converter.
    match STANDARD.iter().find(|(theirs, _)| plain(theirs) == wanted) {
        Some((_, ours)) if wats_converters::find(ours).is_some() => Found::Ours(ours),
        Some(_) => Found::Lacking,
        None if module.starts_with("pywats_client.") => Found::Lacking,
        None => Found::Own,
    }
}
