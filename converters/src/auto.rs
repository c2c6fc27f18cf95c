//! The format of each file is recognised by its content.

use wats::Report;

use crate::recognise::{Recognition, recognise};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification, Unit,
};

pub(crate) struct Auto;

const ABOUT: About = About {
    name: "auto",
    title: "Recognise the format",
    vendor: "any",
    description: "Files of any format in one folder: each is converted by the format that its content has.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*"],
    arguments: &[Argument {
        name: "minConfidence",
        description: "How sure a format must be of a file, in percent; a file of which none is goes to the error folder",
        default: "50",
        kind: ArgumentKind::Whole(31, 100),
    }],
    manual: Manual {
        setup: "Let one or several testers write into the watched folder. `wats-agent recognise FILE` says what a file would be taken for, and why.",
        mapping: &[(
            "the format's marks",
            "the converter that is surest; among equally sure ones that whose file patterns fit the name",
        )],
        limits: &[
            "Each format has its default arguments; a format that needs others gets a source of its own.",
            "A format whose units are several files, like Klippel, needs `intake.unit = \"file-and-folder\"`, or a source of its own.",
        ],
    },
};

impl Converter for Auto {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let recognition = recognise(input);
        match recognition.chosen() {
            Some(chosen) => Qualification::new(chosen.answer.confidence, chosen.to_string()),
            None => Qualification::none(recognition.refusal()),
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let recognition = recognise(input);
        let chosen = chosen(&recognition, input, arguments)?;
        let mut conversion = chosen.convert(input, &Arguments::defaults(chosen.about().arguments))?;
        conversion.warnings.extend(rivals(&recognition));
        Ok(conversion)
    }

    fn convert_each(
        &self,
        input: Input,
        arguments: &Arguments,
        each: &mut dyn FnMut(Report) -> Result<(), ConvertError>,
    ) -> Result<Vec<String>, ConvertError> {
        let recognition = recognise(&input);
        let chosen = chosen(&recognition, &input, arguments)?;
        let mut warnings =
            chosen.convert_each(input, &Arguments::defaults(chosen.about().arguments), each)?;
        warnings.extend(rivals(&recognition));
        Ok(warnings)
    }
}

/// The converter for the file.
fn chosen(
    recognition: &Recognition,
    input: &Input,
    arguments: &Arguments,
) -> Result<&'static dyn Converter, ConvertError> {
    let Some(chosen) = recognition.chosen() else {
        // An empty file, and one of which only the beginning is there, may become one that is known.
        let kind =
            if input.bytes.trim_ascii().is_empty() { ErrorKind::NotYet } else { ErrorKind::WrongFormat };
        return Err(ConvertError::new(kind, recognition.refusal())
            .help("If the file has a format of the list, set its converter for this folder; `wats-agent recognise --all` says what each misses."));
    };
    let least = arguments.whole("minConfidence").unwrap_or(50);
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    if chosen.answer.confidence * 100.0 + 0.01 < least as f64 {
        return Err(ConvertError::new(
            ErrorKind::WrongFormat,
            format!("no format is sure enough of the file; the surest is {chosen}"),
        )
        .expected(format!("at least {least} %"))
        .help("Set its converter for this folder, or lower minConfidence."));
    }
    if chosen.converter.unit() != Unit::File && input.companions.is_empty() {
        let title = chosen.converter.about().title;
        return Err(ConvertError::new(
            ErrorKind::Missing,
            format!("the file is recognised as {title}, whose units are a file and a folder"),
        )
        .help(
            "Set intake.unit of this source to \"file-and-folder\", or give this format a source of its own.",
        ));
    }
    Ok(chosen.converter)
}

/// A warning for each that might have been chosen as well.
fn rivals(recognition: &Recognition) -> impl Iterator<Item = String> {
    let chosen = recognition.chosen().map_or("", |it| it.name());
    recognition
        .rivals()
        .map(move |rival| format!("recognised as {chosen}, but it could be another format as well: {rival}"))
}
