//! Made STDF files, record by record, in either byte order.

/// Writes records.
#[derive(Clone)]
pub(crate) struct Stdf {
    pub(crate) bytes: Vec<u8>,
    big: bool,
}

/// A field of a record.
pub(crate) enum F<'a> {
    U1(u8),
    U2(u16),
    U4(u32),
    I1(i8),
    I2(i16),
    R4(f32),
    C1(char),
    Cn(&'a str),
    Raw(&'a [u8]),
}

impl Stdf {
    /// A file that begins with its FAR record.
    pub(crate) fn new(big: bool) -> Self {
        let mut file = Self { bytes: Vec::new(), big };
        file.record((0, 10), &[F::U1(if big { 1 } else { 2 }), F::U1(4)]);
        file
    }

    /// FAR and a MIR with the usual texts.
    pub(crate) fn lot(big: bool) -> Self {
        let mut file = Self::new(big);
        file.mir(&["LOT7", "CHIP-1", "tester-3", "A530", "job_final", "12"]);
        file
    }

    pub(crate) fn mir(&mut self, texts: &[&str]) {
        let mut fields = vec![
            F::U4(999_990_000),
            F::U4(1_000_000_000),
            F::U1(3),
            F::C1('P'),
            F::C1(' '),
            F::C1(' '),
            F::U2(65535),
            F::C1(' '),
        ];
        fields.extend(texts.iter().map(|text| F::Cn(text)));
        self.record((1, 10), &fields);
    }

    pub(crate) fn record(&mut self, kind: (u8, u8), fields: &[F<'_>]) {
        let mut body = Vec::new();
        for field in fields {
            match field {
                F::U1(it) => body.push(*it),
                F::I1(it) => body.push(it.cast_unsigned()),
                F::C1(it) => body.push(u8::try_from(*it).unwrap()),
                F::U2(it) => body.extend(self.two(*it)),
                F::I2(it) => body.extend(self.two(it.cast_unsigned())),
                F::U4(it) => body.extend(self.four(*it)),
                F::R4(it) => body.extend(self.four(it.to_bits())),
                F::Cn(it) => {
                    body.push(u8::try_from(it.len()).unwrap());
                    body.extend(it.as_bytes());
                }
                F::Raw(it) => body.extend(*it),
            }
        }
        let length = self.two(u16::try_from(body.len()).unwrap());
        self.bytes.extend(length);
        self.bytes.extend([kind.0, kind.1]);
        self.bytes.extend(body);
    }

    fn two(&self, it: u16) -> [u8; 2] {
        if self.big { it.to_be_bytes() } else { it.to_le_bytes() }
    }

    fn four(&self, it: u32) -> [u8; 4] {
        if self.big { it.to_be_bytes() } else { it.to_le_bytes() }
    }

    pub(crate) fn pir(&mut self, site: u8) {
        self.record((5, 10), &[F::U1(1), F::U1(site)]);
    }

    pub(crate) fn prr(&mut self, site: u8, flags: u8, id: &str) {
        let fields = [
            F::U1(1),
            F::U1(site),
            F::U1(flags),
            F::U2(2),
            F::U2(1),
            F::U2(5),
            F::I2(-3),
            F::I2(7),
            F::U4(1500),
            F::Cn(id),
        ];
        self.record((5, 20), &fields);
    }

    /// A PTR that ends behind its alarm.
    pub(crate) fn short_ptr(&mut self, site: u8, number: u32, flags: u8, value: f32, text: &str) {
        self.record(
            (15, 10),
            &[
                F::U4(number),
                F::U1(1),
                F::U1(site),
                F::U1(flags),
                F::U1(0),
                F::R4(value),
                F::Cn(text),
                F::Cn(""),
            ],
        );
    }

    /// A PTR with limits and unit.
    pub(crate) fn ptr(&mut self, site: u8, number: u32, value: f32, text: &str, opt: u8, limits: (f32, f32)) {
        self.record(
            (15, 10),
            &[
                F::U4(number),
                F::U1(1),
                F::U1(site),
                F::U1(0),
                F::U1(0),
                F::R4(value),
                F::Cn(text),
                F::Cn(""),
                F::U1(opt),
                F::I1(3),
                F::I1(3),
                F::I1(3),
                F::R4(limits.0),
                F::R4(limits.1),
                F::Cn("V"),
                F::Cn("%5.2f"),
                F::Cn("%5.2f"),
                F::Cn("%5.2f"),
            ],
        );
    }

    pub(crate) fn mrr(&mut self) {
        self.record((1, 20), &[F::U4(1_000_003_600), F::C1('R'), F::Cn("well done")]);
    }
}
