//! All converters, by name and by what a file looks like.

use crate::example_csv::ExampleCsv;
use crate::keysight_testexec_sl::KeysightTestExecSl;
use crate::klippel::Klippel;
use crate::listen_soundcheck::ListenSoundCheck;
use crate::seica_xml::SeicaXml;
use crate::spea::Spea;
use crate::stdf::Stdf;
use crate::takaya::{TakayaApt94xx, TakayaAtd, TakayaAtdx};
use crate::teradyne_spectrum::TeradyneSpectrum;
use crate::wats_json::WatsJson;
use crate::wats_text::WatsText;
use crate::wats_xml::WatsXml;
use crate::xjtag::Xjtag;
use crate::{Converter, Input};

/// Every converter, in the order in which a person sees them.
pub fn catalogue() -> &'static [&'static dyn Converter] {
    &[
        &WatsJson,
        &WatsText,
        &WatsXml,
        &KeysightTestExecSl,
        &SeicaXml,
        &Xjtag,
        &Klippel,
        &Spea,
        &TakayaAtd,
        &TakayaApt94xx,
        &TakayaAtdx,
        &ListenSoundCheck,
        &TeradyneSpectrum,
        &Stdf,
        &ExampleCsv,
    ]
}

/// The converter of that name.
pub fn find(name: &str) -> Option<&'static dyn Converter> {
    catalogue().iter().copied().find(|converter| converter.about().name == name)
}

/// The converter that is surest that the file is its own.
///
/// Among equally sure ones the one whose file patterns fit the name wins, then the first of the
/// catalogue. `None` when nobody does better than a guess.
pub fn choose(input: &Input) -> Option<&'static dyn Converter> {
    let mut best: Option<(&'static dyn Converter, f64, bool)> = None;
    for converter in catalogue() {
        let qualification = converter.qualify(input);
        if !qualification.is_yes() {
            continue;
        }
        let confidence = qualification.confidence;
        let fits = converter.about().fits_name(&input.file_name);
        let better = best.is_none_or(|(_, surest, fitted)| {
            confidence > surest || (confidence == surest && fits && !fitted)
        });
        if better {
            best = Some((*converter, confidence, fits));
        }
    }
    best.map(|(converter, ..)| converter)
}
