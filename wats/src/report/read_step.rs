//! Reads steps and numbers from JSON, each step member by member where it stays: there may be very many.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use thin_vec::thin_vec;

use super::{Double, Extra, Formats, List, NumericMeas, RareMembers, Status, Step, Text, depth};

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Member {
    Id,
    Group,
    StepType,
    Name,
    Status,
    Start,
    TotTime,
    TotTimeFormat,
    ErrorCode,
    ErrorCodeFormat,
    ErrorMessage,
    ReportText,
    TsGuid,
    CausedSeqFailure,
    #[serde(rename = "causedUUTFailure")]
    CausedUutFailure,
    InteractiveExeNum,
    InteractiveExeNumFormat,
    Loop,
    SeqCall,
    Steps,
    NumericMeas,
    StringMeas,
    BooleanMeas,
    CallExe,
    MessagePopup,
    Chart,
    Attachment,
    AdditionalResults,
    Unknown(String),
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut step = blank();
        Fill(&mut step).deserialize(from)?;
        Ok(step)
    }
}

fn blank() -> Step {
    Step::new(Text::default(), Text::default(), Status::Unknown)
}

/// Fills a blank step.
struct Fill<'a>(&'a mut Step);

impl<'de> DeserializeSeed<'de> for Fill<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct Step")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let step = self.0;
        let mut has_status = false;
        while let Some(member) = members.next_key()? {
            match member {
                Member::Id => step.id = members.next_value()?,
                Member::Group => step.group = members.next_value()?,
                Member::StepType => step.step_type = members.next_value()?,
                Member::Name => step.name = members.next_value()?,
                Member::Status => {
                    step.status = members.next_value()?;
                    has_status = true;
                }
                Member::Start => step.start = members.next_value()?,
                Member::TotTime => step.tot_time = members.next_value()?,
                Member::ErrorCode => step.error_code = members.next_value()?,
                Member::ReportText => step.report_text = members.next_value()?,
                Member::TsGuid => step.ts_guid = members.next_value()?,
                Member::CausedSeqFailure => step.caused_seq_failure = members.next_value()?,
                Member::CausedUutFailure => step.caused_uut_failure = members.next_value()?,
                Member::Loop => step.loop_ = members.next_value()?,
                Member::SeqCall => step.seq_call = members.next_value()?,
                Member::Steps => members.next_value_seed(Below(&mut step.steps))?,
                Member::NumericMeas => members.next_value_seed(Few(&mut step.numeric_meas))?,
                Member::StringMeas => members.next_value_seed(Few(&mut step.string_meas))?,
                Member::BooleanMeas => members.next_value_seed(Few(&mut step.boolean_meas))?,
                Member::TotTimeFormat => rare(step, &mut members, |it| &mut it.tot_time_format)?,
                Member::ErrorCodeFormat => rare(step, &mut members, |it| &mut it.error_code_format)?,
                Member::ErrorMessage => rare(step, &mut members, |it| &mut it.error_message)?,
                Member::InteractiveExeNum => rare(step, &mut members, |it| &mut it.interactive_exe_num)?,
                Member::InteractiveExeNumFormat => {
                    rare(step, &mut members, |it| &mut it.interactive_exe_num_format)?;
                }
                Member::CallExe => rare(step, &mut members, |it| &mut it.call_exe)?,
                Member::MessagePopup => rare(step, &mut members, |it| &mut it.message_popup)?,
                Member::Chart => rare(step, &mut members, |it| &mut it.chart)?,
                Member::Attachment => rare(step, &mut members, |it| &mut it.attachment)?,
                Member::AdditionalResults => step.rare.additional_results = members.next_value()?,
                Member::Unknown(name) => step.rare.extra.read(name, members.next_value()?),
            }
        }
        if has_status { Ok(()) } else { Err(A::Error::missing_field("status")) }
    }
}

/// Reads a member that most steps do not have.
fn rare<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    step: &mut Step,
    members: &mut A,
    member: fn(&mut RareMembers) -> &mut Option<T>,
) -> Result<(), A::Error> {
    step.rare.set(member, members.next_value()?);
    Ok(())
}

/// The steps below one.
struct Below<'a>(&'a mut Option<Vec<Step>>);

impl<'de> DeserializeSeed<'de> for Below<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Below<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        *self.0 = None;
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        depth::below(|| from.deserialize_seq(self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let steps = self.0.insert(Vec::new());
        while entries.next_element_seed(Next(steps))?.is_some() {}
        Ok(())
    }
}

/// One more step at the end of a list.
struct Next<'a>(&'a mut Vec<Step>);

impl<'de> DeserializeSeed<'de> for Next<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        Fill(self.0.push_mut(blank())).deserialize(from)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum NumberMember {
    CompOp,
    Name,
    Status,
    Unit,
    Value,
    ValueFormat,
    HighLimit,
    HighLimitFormat,
    LowLimit,
    LowLimitFormat,
    Unknown(String),
}

impl<'de> Deserialize<'de> for NumericMeas {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Number)
    }
}

struct Number;

impl<'de> Visitor<'de> for Number {
    type Value = NumericMeas;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct NumericMeas")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<NumericMeas, A::Error> {
        let (mut status, mut value) = (None, None);
        let mut formats = Formats::default();
        let mut meas = NumericMeas {
            comp_op: Text::default(),
            name: None,
            status: Status::Unknown,
            unit: None,
            value: Double::new(f64::NAN),
            high_limit: None,
            low_limit: None,
            formats: None,
            extra: Extra::new(),
        };
        while let Some(member) = members.next_key()? {
            match member {
                NumberMember::CompOp => meas.comp_op = members.next_value()?,
                NumberMember::Name => meas.name = members.next_value()?,
                NumberMember::Status => status = Some(members.next_value()?),
                NumberMember::Unit => meas.unit = members.next_value()?,
                NumberMember::Value => value = Some(members.next_value()?),
                NumberMember::HighLimit => meas.high_limit = members.next_value()?,
                NumberMember::LowLimit => meas.low_limit = members.next_value()?,
                NumberMember::ValueFormat => formats.value = members.next_value()?,
                NumberMember::HighLimitFormat => formats.high_limit = members.next_value()?,
                NumberMember::LowLimitFormat => formats.low_limit = members.next_value()?,
                NumberMember::Unknown(name) => meas.extra.read(name, members.next_value()?),
            }
        }
        meas.status = status.ok_or_else(|| A::Error::missing_field("status"))?;
        meas.value = value.ok_or_else(|| A::Error::missing_field("value"))?;
        meas.formats = formats.boxed();
        Ok(meas)
    }
}

/// A list that mostly has one entry: the usual one has room for four at once, in every step.
struct Few<'a, T>(&'a mut List<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Few<'_, T> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Few<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        *self.0 = match entries.next_element()? {
            Some(first) => thin_vec![first],
            None => List::new(),
        };
        while let Some(entry) = entries.next_element()? {
            self.0.push(entry);
        }
        Ok(())
    }
}
