//! The fields of a record, and how numbers and texts are written.

use encoding_rs::WINDOWS_1252;

/// How numbers are written; the first record says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
    /// Little-endian, with the floating-point numbers of a VAX.
    Dec,
}

/// A field that is longer than what is left of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short {
    pub(super) at: usize,
    pub(super) asked: usize,
    pub(super) left: usize,
}

/// Takes the fields off a record; one behind the record's end is missing, which is allowed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    order: Order,
    asked: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(record: &'a [u8], order: Order) -> Self {
        Self { rest: record, order, asked: 0 }
    }

    /// `None` when the record has ended.
    fn take(&mut self, length: usize) -> Result<Option<&'a [u8]>, Short> {
        if self.rest.is_empty() && length > 0 {
            return Ok(None);
        }
        let Some((field, rest)) = self.rest.split_at_checked(length) else {
            return Err(Short { at: self.asked, asked: length, left: self.rest.len() });
        };
        self.rest = rest;
        self.asked += length;
        Ok(Some(field))
    }

    fn array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Short> {
        Ok(self.take(N)?.and_then(|field| field.try_into().ok()))
    }

    pub(super) fn u1(&mut self) -> Result<Option<u8>, Short> {
        Ok(self.array()?.map(|[byte]| byte))
    }

    pub(super) fn u2(&mut self) -> Result<Option<u16>, Short> {
        let order = self.order;
        Ok(self.array()?.map(|bytes| match order {
            Order::Big => u16::from_be_bytes(bytes),
            _ => u16::from_le_bytes(bytes),
        }))
    }

    pub(super) fn u4(&mut self) -> Result<Option<u32>, Short> {
        let order = self.order;
        Ok(self.array()?.map(|bytes| match order {
            Order::Big => u32::from_be_bytes(bytes),
            _ => u32::from_le_bytes(bytes),
        }))
    }

    pub(super) fn i1(&mut self) -> Result<Option<i8>, Short> {
        Ok(self.u1()?.map(u8::cast_signed))
    }

    pub(super) fn i2(&mut self) -> Result<Option<i16>, Short> {
        Ok(self.u2()?.map(u16::cast_signed))
    }

    pub(super) fn i4(&mut self) -> Result<Option<i32>, Short> {
        Ok(self.u4()?.map(u32::cast_signed))
    }

    /// A number of four bytes as the decimal number that stands for it: 0.1 and not 0.100000001490116.
    pub(super) fn r4(&mut self) -> Result<Option<f64>, Short> {
        let order = self.order;
        Ok(self.array()?.map(|bytes| match order {
            Order::Big => shortest(f32::from_be_bytes(bytes)),
            Order::Little => shortest(f32::from_le_bytes(bytes)),
            Order::Dec => vax(bytes, 0),
        }))
    }

    fn r8(&mut self) -> Result<Option<f64>, Short> {
        let order = self.order;
        Ok(self.array::<8>()?.map(|bytes| match order {
            Order::Big => f64::from_be_bytes(bytes),
            Order::Little => f64::from_le_bytes(bytes),
            Order::Dec => {
                let [a, b, c, d, e, f, g, h] = bytes;
                let low = u32::from(u16::from_le_bytes([e, f])) << 16 | u32::from(u16::from_le_bytes([g, h]));
                vax([a, b, c, d], low)
            }
        }))
    }

    /// A character; blanks stand for none.
    pub(super) fn c1(&mut self) -> Result<Option<char>, Short> {
        Ok(self.u1()?.map(char::from).filter(char::is_ascii_graphic))
    }

    /// A text without blanks around it; empty when it is missing.
    pub(super) fn cn(&mut self) -> Result<String, Short> {
        Ok(text(self.bn()?))
    }

    /// Bytes behind their number.
    pub(super) fn bn(&mut self) -> Result<&'a [u8], Short> {
        match self.u1()? {
            Some(length @ 1..) => Ok(self.counted(usize::from(length))?.unwrap_or_default()),
            _ => Ok(&[]),
        }
    }

    /// Bits behind their number: the numbers of those that are set.
    pub(super) fn dn(&mut self) -> Result<Vec<u16>, Short> {
        let Some(bits @ 1..) = self.u2()? else { return Ok(Vec::new()) };
        let bytes = self.counted(usize::from(bits).div_ceil(8))?.unwrap_or_default();
        let is_set =
            |bit: &u16| bytes.get(usize::from(*bit / 8)).is_some_and(|byte| byte >> (bit % 8) & 1 == 1);
        Ok((0..bits).filter(is_set).collect())
    }

    /// Half bytes, the lower one first; none when the record ends before them.
    pub(super) fn nibbles(&mut self, count: u16) -> Result<Vec<u8>, Short> {
        let bytes = self.take(usize::from(count).div_ceil(2))?.unwrap_or_default();
        Ok(bytes.iter().flat_map(|byte| [byte & 15, byte >> 4]).take(usize::from(count)).collect())
    }

    /// As many numbers; none when the record ends before them.
    pub(super) fn u2s(&mut self, count: u16) -> Result<Vec<u16>, Short> {
        let bytes = self.take(usize::from(count) * 2)?.unwrap_or_default();
        let mut fields = Fields { rest: bytes, ..*self };
        std::iter::from_fn(|| fields.u2().transpose()).collect()
    }

    /// As many numbers; none when the record ends before them.
    pub(super) fn r4s(&mut self, count: u16) -> Result<Vec<f64>, Short> {
        let bytes = self.take(usize::from(count) * 4)?.unwrap_or_default();
        let mut fields = Fields { rest: bytes, ..*self };
        std::iter::from_fn(|| fields.r4().transpose()).collect()
    }

    /// As [`Self::take`], but the length stands in the field itself: the end of the record is no excuse.
    fn counted(&mut self, length: usize) -> Result<Option<&'a [u8]>, Short> {
        if self.rest.is_empty() && length > 0 {
            return Err(Short { at: self.asked, asked: length, left: 0 });
        }
        self.take(length)
    }

    /// A value of generic data as a text; `None` at the end, and where its type is none of the standard.
    pub(super) fn vn(&mut self) -> Result<Option<String>, Short> {
        let Some(kind) = self.u1()? else { return Ok(None) };
        Ok(match kind {
            // Padding.
            0 => Some(String::new()),
            1 => self.u1()?.map(|it| it.to_string()),
            2 => self.u2()?.map(|it| it.to_string()),
            3 => self.u4()?.map(|it| it.to_string()),
            4 => self.i1()?.map(|it| it.to_string()),
            5 => self.i2()?.map(|it| it.to_string()),
            6 => self.i4()?.map(|it| it.to_string()),
            7 => self.r4()?.map(|it| it.to_string()),
            8 => self.r8()?.map(|it| it.to_string()),
            10 => Some(self.cn()?),
            11 => Some(hexadecimal(self.bn()?)),
            12 => Some(self.dn()?.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
            13 => self.u1()?.map(|it| (it & 15).to_string()),
            _ => None,
        })
    }

    /// The same for other bytes.
    pub(super) fn of<'b>(&self, bytes: &'b [u8]) -> Fields<'b> {
        Fields::new(bytes, self.order)
    }

    /// Everything that is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// What the bytes of a text say, without blanks around it.
pub(super) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_matches(blank).to_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0.trim_matches(blank).to_owned(),
    }
}

fn blank(c: char) -> bool {
    c.is_whitespace() || c == '\0'
}

fn shortest(value: f32) -> f64 {
    let exact = f64::from(value);
    // Whole numbers of this size are the same in both.
    if !value.is_finite() || (value.fract() == 0.0 && value.abs() < 16_777_216.0) {
        return exact;
    }
    if let Some(short) = short(value, exact) {
        return short;
    }
    let mut buffer = Buffer::default();
    match std::fmt::Write::write_fmt(&mut buffer, format_args!("{value:e}")) {
        Ok(()) => buffer.as_str().parse().unwrap_or(exact),
        Err(_) => exact,
    }
}

/// The same for numbers with few decimals, as most are, without writing them.
///
/// Whole numbers and powers of ten of this size are exact, so that their quotient is what the decimal number would be
/// read as.
fn short(value: f32, exact: f64) -> Option<f64> {
    let mut power = 1.0;
    // Larger ones may be written with zeros at their end that are no digits of them.
    if exact.abs() >= 1e7 {
        return None;
    }
    for _ in 0..=22 {
        let digits = (exact * power).round();
        // More digits than any number of four bytes needs.
        if digits.abs() >= 1e9 {
            return None;
        }
        let decimal = digits / power;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounded to four bytes, as the number in the file was"
        )]
        if decimal as f32 == value {
            return Some(decimal);
        }
        power *= 10.0;
    }
    None
}

/// Room for a short number, without asking for memory.
#[derive(Default)]
struct Buffer {
    bytes: [u8; 24],
    length: usize,
}

impl Buffer {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl std::fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// A floating-point number of a VAX: pairs of bytes with the highest first, an exponent to 128, a hidden first bit.
fn vax(bytes: [u8; 4], low: u32) -> f64 {
    let [a, b, c, d] = bytes;
    let high = u32::from(u16::from_le_bytes([a, b])) << 16 | u32::from(u16::from_le_bytes([c, d]));
    let exponent = i32::try_from(high >> 23 & 0xff).unwrap_or_default();
    if exponent == 0 {
        return if high >> 31 == 1 { f64::NAN } else { 0.0 };
    }
    let fraction = f64::from((high & 0x7f_ffff) | 0x80_0000) + f64::from(low) / 2f64.powi(32);
    let value = fraction * 2f64.powi(exponent - 128 - 24);
    if high >> 31 == 1 { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_all_three_orders() {
        assert_eq!(Fields::new(&[1, 2], Order::Big).u2(), Ok(Some(258)));
        assert_eq!(Fields::new(&[1, 2], Order::Dec).u2(), Ok(Some(513)));
        for value in [0.1f32, -1234.5, 1e-20, 3.0, 0.0, 1.5e20] {
            let shown: f64 = value.to_string().parse().unwrap();
            assert_eq!(Fields::new(&value.to_be_bytes(), Order::Big).r4(), Ok(Some(shown)));
            assert_eq!(Fields::new(&value.to_le_bytes(), Order::Little).r4(), Ok(Some(shown)));
        }
        // 1.0, -2.5 and 0 as a VAX writes them.
        assert_eq!(Fields::new(&[0x80, 0x40, 0, 0], Order::Dec).r4(), Ok(Some(1.0)));
        assert_eq!(Fields::new(&[0x20, 0xc1, 0, 0], Order::Dec).r4(), Ok(Some(-2.5)));
        assert_eq!(Fields::new(&[0, 0, 0, 0], Order::Dec).r4(), Ok(Some(0.0)));
        assert_eq!(Fields::new(&[0x80, 0x40, 0, 0, 0, 0, 0, 0], Order::Dec).r8(), Ok(Some(1.0)));
    }

    proptest::proptest! {
        #[test]
        fn numbers_are_the_shortest_decimal_that_stands_for_them(bits in proptest::num::u32::ANY, decimal in -1e7f32..1e7) {
            for value in [f32::from_bits(bits), decimal, decimal / 1e4, decimal / 1e11, (decimal / 1e3).round() / 100.0] {
                if value.is_finite() {
                    proptest::prop_assert_eq!(shortest(value), value.to_string().parse::<f64>().unwrap());
                }
            }
        }
    }

    #[test]
    fn a_record_may_end_before_a_field_but_not_inside_one() {
        let mut short = Fields::new(&[], Order::Big);
        assert_eq!((short.u4(), short.cn(), short.dn()), (Ok(None), Ok(String::new()), Ok(Vec::new())));
        assert!(Fields::new(&[1, 2], Order::Big).u4().is_err());
        assert!(Fields::new(&[5, b'a'], Order::Big).cn().is_err());
        assert!(Fields::new(&[5], Order::Big).cn().is_err());
        assert_eq!(Fields::new(&[4, b' ', b'a', 0xb5, b' '], Order::Big).cn(), Ok("aµ".to_owned()));
        assert_eq!(Fields::new(&[0, 10, 0b101, 0b10], Order::Big).dn(), Ok(vec![0, 2, 9]));
        assert_eq!(Fields::new(&[0x21, 0x03], Order::Big).nibbles(3), Ok(vec![1, 2, 3]));
    }
}
