//! All converters, by name.

use crate::Converter;
use crate::atml::Atml;
use crate::auto::Auto;
use crate::example_csv::ExampleCsv;
use crate::keysight_i3070::KeysightI3070;
use crate::keysight_testexec_sl::KeysightTestExecSl;
use crate::klippel::Klippel;
use crate::listen_soundcheck::ListenSoundCheck;
use crate::saki_xml::SakiXml;
use crate::seica_xml::SeicaXml;
use crate::sigmaquest_xml::SigmaQuestXml;
use crate::spea::Spea;
use crate::stdf::Stdf;
use crate::stepwize::StepWize;
use crate::takaya::{TakayaApt94xx, TakayaAtd, TakayaAtdx};
use crate::teradyne_ict::TeradyneIct;
use crate::teradyne_nano51e::TeradyneNano51e;
use crate::teradyne_spectrum::TeradyneSpectrum;
use crate::teststand_xml::TestStandXml;
use crate::wats_json::WatsJson;
use crate::wats_text::WatsText;
use crate::wats_xml::WatsXml;
use crate::xjtag::Xjtag;

/// Every format, in the order in which a person sees them.
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
        &TeradyneIct,
        &KeysightI3070,
        &TeradyneNano51e,
        &Atml,
        &TestStandXml,
        &StepWize,
        &SigmaQuestXml,
        &SakiXml,
        &Stdf,
        &ExampleCsv,
    ]
}

/// What a source can be set to: each format, and before them the choice by content.
pub fn selectable() -> impl Iterator<Item = &'static dyn Converter> {
    std::iter::once(&Auto as &dyn Converter).chain(catalogue().iter().copied())
}

/// The converter of that name.
pub fn find(name: &str) -> Option<&'static dyn Converter> {
    selectable().find(|converter| converter.about().name == name)
}
