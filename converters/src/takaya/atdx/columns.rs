//! The columns of a step line of ATDX files.

use wats::report::Status;

use super::super::{Function, Quantity, Row, is_designator, say};
use crate::kit::decimal::Decimals;
use crate::kit::text;

/// The columns as the tester writes them.
pub(super) const TITLES: &str = "Order;Aux;M.Aux;Parts;Value;Unit;Comment;Loc.;EL;Reference;Unit;Func;+%;Unit;-%;Unit;Test.Base(Test1);Unit;\
     Test.Base(Test2);Unit;Judge;H-pin;Netname-H-pin;L-pin;Netname-L-pin";

/// Where the columns stand: by their titles, else in the order of the format.
pub(super) struct Columns {
    /// What the text of a step says of each column.
    kinds: Vec<Kind>,
    parts: usize,
    comment: usize,
    reference: usize,
    function: usize,
    plus: usize,
    minus: usize,
    tests: [usize; 2],
    pub(super) judge: usize,
    high_net: usize,
    low_net: usize,
    order: usize,
}

/// How a column is said.
enum Kind {
    /// Behind the value before it.
    Unit,
    /// A guard pin, of which 0 is none.
    Guard(String),
    Named(String),
}

/// What is said of a cell without a title.
const FURTHER: &str = "Further: ";

impl Columns {
    pub(super) fn new(titles: &[&str]) -> Self {
        let usual: Vec<&str> = TITLES.split(';').collect();
        let of = |title: &str| {
            let place = |titles: &[&str]| titles.iter().position(|it| *it == title);
            place(titles).or_else(|| place(&usual)).unwrap_or(0)
        };
        let kind = |title: &&str| match *title {
            "Unit" => Kind::Unit,
            "" => Kind::Named(FURTHER.to_owned()),
            title if title.starts_with("G-P") => Kind::Guard(format!("{title}: ")),
            title => Kind::Named(format!("{title}: ")),
        };
        Self {
            kinds: titles.iter().map(kind).collect(),
            parts: of("Parts"),
            comment: of("Comment"),
            reference: of("Reference"),
            function: of("Func"),
            plus: of("+%"),
            minus: of("-%"),
            tests: [of("Test.Base(Test1)"), of("Test.Base(Test2)")],
            judge: of("Judge"),
            high_net: of("Netname-H-pin"),
            low_net: of("Netname-L-pin"),
            order: of("Order"),
        }
    }

    pub(super) fn row<'c>(&self, cells: &[&'c str], decimals: &mut Decimals) -> Row<'c> {
        let at = |column: usize| cells.get(column).copied().unwrap_or_default();
        let mut quantity = |column: usize| quantity(at(column), at(column + 1), decimals);
        let reference = quantity(self.reference);
        let values = [quantity(self.tests[0]), quantity(self.tests[1])];
        let function = match at(self.function) {
            "EQ" => Function::Within,
            "SH" => Function::Short(None),
            "OP" => Function::Open(None),
            "LE" => Function::AtMost,
            "GE" => Function::AtLeast,
            "JP" => Function::Jump,
            _ => Function::Other,
        };
        let parts = at(self.parts);
        let what = if is_designator(parts) { parts } else { at(self.comment) };
        let what = [what, parts, at(self.order)].into_iter().find(|it| !it.is_empty()).unwrap_or("Step");
        // Both tolerances are written without a sign.
        let percent = |column: usize| text::number(at(column).trim_end_matches('%')).map(f64::abs);
        Row {
            parts,
            name: text::joined(&[what, "_", at(self.high_net), "_", at(self.low_net)]),
            text: self.said(cells),
            function,
            status: match at(self.judge) {
                _ if function == Function::Jump => Status::Skipped,
                "PASS" => Status::Passed,
                word if word.eq_ignore_ascii_case("skip") || word.eq_ignore_ascii_case("untested") => {
                    Status::Skipped
                }
                _ => Status::Failed,
            },
            reference,
            tolerances: (percent(self.plus), percent(self.minus).map(|minus| -minus)),
            values,
            seconds: None,
        }
    }

    /// Every column that says something, a unit after its value.
    fn said(&self, cells: &[&str]) -> String {
        let mut text = String::with_capacity(300);
        for (column, cell) in cells.iter().enumerate() {
            if cell.bytes().all(|byte| byte == b'-') {
                continue;
            }
            match self.kinds.get(column) {
                Some(Kind::Unit) => {
                    text.push(' ');
                    text.push_str(cell);
                }
                Some(Kind::Guard(_)) if *cell == "0" => {}
                Some(Kind::Guard(title) | Kind::Named(title)) => say(&mut text, title, [cell, ""]),
                None => say(&mut text, FURTHER, [cell, ""]),
            }
        }
        text
    }
}

/// A number with the unit of the next column, or an impedance: magnitude, unit in brackets, bar, phase.
fn quantity<'a>(written: &'a str, unit: &'a str, decimals: &mut Decimals) -> Option<Quantity<'a>> {
    let (number, unit) = match text::split_once(written, b'[') {
        Some((number, rest)) => (number, rest.split(']').next().unwrap_or_default()),
        None => (written, unit),
    };
    Some(Quantity::new(decimals.read(number)?, unit))
}
