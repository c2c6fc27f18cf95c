//! What every report needs and a file may leave out.

use wats::report::{Report, ReportType, Uut};

use crate::kit::{lengths, text, time};
use crate::{ConvertError, ErrorKind, Input};

/// Fills the header from the station's settings and the file's time, and cuts what is too long.
///
/// # Errors
/// When serial or part number is missing: no setting can replace them.
pub(crate) fn complete(
    report: &mut Report,
    input: &Input,
    warnings: &mut Vec<String>,
) -> Result<(), ConvertError> {
    for (value, what) in [(&report.sn, "serial number"), (&report.pn, "part number")] {
        if text::is_blank(value) {
            return Err(ConvertError::new(ErrorKind::Missing, format!("the file has no {what}"))
                .help("A report without it cannot be told from another unit's."));
        }
    }
    for (value, what) in [(&report.sn, "serial number"), (&report.pn, "part number")] {
        let disturbs = |byte| matches!(byte, b'*' | b'%' | b'?' | b'[' | b']' | b'^' | b'!' | b'/' | b'\\');
        if value.bytes().any(disturbs) {
            warnings
                .push(format!("the {what} \"{value}\" has characters that disturb searches on the server"));
        }
    }
    if let Some(start) = report.start.as_ref().filter(|start| start.as_str() < "1970") {
        warnings.push(format!("the start time {} is before 1970, which no server takes", start.as_str()));
        report.start = None;
    }
    if report.start.is_none() {
        report.start = Some(time::of_file(input));
        warnings.push("no start time that can be read: the time of the file is used".to_owned());
    }
    if report.report_type == ReportType::Test {
        let uut = report.uut.get_or_insert_with(Uut::default);
        uut.user.get_or_insert_default();
    }
    let station = &input.station;
    for (field, setting) in [
        (&mut report.machine_name, &station.name),
        (&mut report.location, &station.location),
        (&mut report.purpose, &station.purpose),
    ] {
        if text::is_blank(field) {
            *field = setting.as_str().into();
        }
    }
    lengths::cut(report, warnings);
    Ok(())
}
