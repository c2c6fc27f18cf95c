//! The records of an STDF file, one after the other.

use std::io::{self, BufReader, Read};

use super::fields::{Fields, Order, Short};
use crate::kit::archive::{self, Gunzip};
use crate::{ConvertError, ErrorKind};

/// Type and sub-type of a record.
pub(super) type Kind = (u8, u8);

pub(super) const FAR: Kind = (0, 10);
pub(super) const ATR: Kind = (0, 20);
pub(super) const VUR: Kind = (0, 30);
pub(super) const MIR: Kind = (1, 10);
pub(super) const MRR: Kind = (1, 20);
pub(super) const PCR: Kind = (1, 30);
pub(super) const HBR: Kind = (1, 40);
pub(super) const SBR: Kind = (1, 50);
pub(super) const PMR: Kind = (1, 60);
pub(super) const PGR: Kind = (1, 62);
pub(super) const PLR: Kind = (1, 63);
pub(super) const RDR: Kind = (1, 70);
pub(super) const SDR: Kind = (1, 80);
pub(super) const PSR: Kind = (1, 90);
pub(super) const NMR: Kind = (1, 91);
pub(super) const CNR: Kind = (1, 92);
pub(super) const SSR: Kind = (1, 93);
pub(super) const CDR: Kind = (1, 94);
pub(super) const WIR: Kind = (2, 10);
pub(super) const WRR: Kind = (2, 20);
pub(super) const WCR: Kind = (2, 30);
pub(super) const PIR: Kind = (5, 10);
pub(super) const PRR: Kind = (5, 20);
pub(super) const TSR: Kind = (10, 30);
pub(super) const PTR: Kind = (15, 10);
pub(super) const MPR: Kind = (15, 15);
pub(super) const FTR: Kind = (15, 20);
pub(super) const STR: Kind = (15, 30);
pub(super) const BPS: Kind = (20, 10);
pub(super) const EPS: Kind = (20, 20);
pub(super) const GDR: Kind = (50, 10);
pub(super) const DTR: Kind = (50, 30);

/// The name by which the standard knows a record.
pub(super) fn name(kind: Kind) -> &'static str {
    const NAMES: &[(Kind, &str)] = &[
        (FAR, "FAR"),
        (ATR, "ATR"),
        (VUR, "VUR"),
        (MIR, "MIR"),
        (MRR, "MRR"),
        (PCR, "PCR"),
        (HBR, "HBR"),
        (SBR, "SBR"),
        (PMR, "PMR"),
        (PGR, "PGR"),
        (PLR, "PLR"),
        (RDR, "RDR"),
        (SDR, "SDR"),
        (PSR, "PSR"),
        (NMR, "NMR"),
        (CNR, "CNR"),
        (SSR, "SSR"),
        (CDR, "CDR"),
        (WIR, "WIR"),
        (WRR, "WRR"),
        (WCR, "WCR"),
        (PIR, "PIR"),
        (PRR, "PRR"),
        (TSR, "TSR"),
        (PTR, "PTR"),
        (MPR, "MPR"),
        (FTR, "FTR"),
        (STR, "STR"),
        (BPS, "BPS"),
        (EPS, "EPS"),
        (GDR, "GDR"),
        (DTR, "DTR"),
    ];
    NAMES.iter().find(|(it, _)| *it == kind).map_or("unknown", |(_, name)| *name)
}

/// True for the first bytes of an STDF V4 file, not packed.
pub(super) fn is_stdf(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 2, 0, 10, _, 4, ..] | [2, 0, 0, 10, _, 4, ..])
}

/// Where the records end before the file has said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The file breaks off inside a record.
    Cut,
    /// It cannot be unpacked any further, or to too much.
    Unusable(ConvertError),
}

/// Goes through a file record by record, with one of them in memory.
pub(super) struct Records<'a> {
    from: Box<dyn Read + 'a>,
    order: Order,
    /// Of the record that was read last.
    number: usize,
    offset: u64,
    length: usize,
    /// Room for the largest record so far, and how much of it the last one takes.
    room: Vec<u8>,
    filled: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self::from(Box::new(bytes))
    }

    /// Unpacks while it reads.
    pub(super) fn packed(bytes: &'a [u8]) -> Self {
        Self::from(Box::new(BufReader::with_capacity(1 << 16, Gunzip::new(bytes))))
    }

    fn from(from: Box<dyn Read + 'a>) -> Self {
        // The first record's length says the order before it is known: it is 2 in any.
        Self { from, order: Order::Little, number: 0, offset: 0, length: 0, room: Vec::new(), filled: 0 }
    }

    /// Reads the next record; `None` at the end of the file.
    pub(super) fn advance(&mut self) -> Result<Option<Kind>, Stop> {
        let mut head = [0; 4];
        match self.fill(&mut head) {
            Ok(0) => return Ok(None),
            Ok(4) => {}
            Ok(_) => return Err(self.cut()),
            Err(error) => return Err(self.unusable(&error)),
        }
        let [first, second, kind, sub] = head;
        if (kind, sub) == FAR {
            // Files that were joined may change the order in the middle.
            self.order = if first == 0 { Order::Big } else { Order::Little };
        }
        let length = match self.order {
            Order::Big => u16::from_be_bytes([first, second]),
            Order::Little | Order::Dec => u16::from_le_bytes([first, second]),
        };
        self.next_place();
        self.length = usize::from(length) + head.len();
        let length = usize::from(length);
        let mut room = std::mem::take(&mut self.room);
        if room.len() < length {
            room.resize(length, 0);
        }
        let filled = self.fill(room.get_mut(..length).unwrap_or_default());
        (self.room, self.filled) = (room, length);
        match filled {
            Ok(read) if read == length => {}
            Ok(_) => return Err(Stop::Cut),
            Err(error) => return Err(self.unusable(&error)),
        }
        if (kind, sub) == FAR && self.body().first() == Some(&0) && self.order == Order::Little {
            self.order = Order::Dec;
        }
        Ok(Some((kind, sub)))
    }

    fn next_place(&mut self) {
        self.number += 1;
        self.offset += u64::try_from(self.length).unwrap_or_default();
        self.length = 0;
    }

    fn cut(&mut self) -> Stop {
        self.next_place();
        Stop::Cut
    }

    fn unusable(&mut self, error: &io::Error) -> Stop {
        let problem = match error.kind() {
            io::ErrorKind::UnexpectedEof => return Stop::Cut,
            io::ErrorKind::FileTooLarge => {
                ConvertError::new(ErrorKind::TooLarge, "the file unpacks to far more than a genuine one")
                    .expected(archive::most())
            }
            _ => ConvertError::new(ErrorKind::Malformed, format!("the file cannot be unpacked: {error}"))
                .expected("a file packed by gzip")
                .help("Perhaps it was damaged on its way; copy it again, in binary mode."),
        };
        Stop::Unusable(problem.at_record(self.number.max(1), self.offset))
    }

    /// Like `read_exact`, but says how much there was.
    fn fill(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = to.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.from.read(rest) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// The fields of the record that was read last.
    pub(super) fn fields(&self) -> Fields<'_> {
        Fields::new(self.body(), self.order)
    }

    fn body(&self) -> &[u8] {
        self.room.get(..self.filled).unwrap_or_default()
    }

    pub(super) fn order(&self) -> Order {
        self.order
    }

    /// How many bytes it holds.
    pub(super) fn len(&self) -> usize {
        self.filled
    }

    /// Where the record begins that was read last, as a person reads it.
    pub(super) fn place(&self) -> String {
        format!("record {} at byte {}", self.number, self.offset)
    }

    /// An error in the record that was read last.
    pub(super) fn error(&self, kind: Kind, short: Short) -> ConvertError {
        let problem = format!(
            "the {} record says that its field at byte {} has {} bytes, and {} are left",
            name(kind),
            short.at,
            short.asked,
            short.left
        );
        ConvertError::new(ErrorKind::Malformed, problem)
            .at_record(self.number, self.offset)
            .expected("a record that ends with a whole field")
    }
}
