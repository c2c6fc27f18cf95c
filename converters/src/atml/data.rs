//! Values as ATML writes them: `Datum`, `Collection` and `IndexedArray`.

use std::borrow::Cow;

use roxmltree::Node;
use wats::report::{Property, Text};

use crate::kit::property::{self, MOST_DEEP};
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{teststand, xml};

const VALUES: [&str; 3] = ["Datum", "Collection", "IndexedArray"];

/// The value in an element such as `TestData`, `Data` or `Item`.
pub(super) fn value<'a, 'd>(node: Node<'a, 'd>) -> Option<Node<'a, 'd>> {
    node.children().find(|inner| VALUES.iter().any(|name| is(*inner, name)))
}

/// The items of a collection, with their names.
pub(super) fn items<'a, 'd>(collection: Node<'a, 'd>) -> impl Iterator<Item = (&'a str, Node<'a, 'd>)> {
    children(collection, "Item").map(|item| (attribute(item, "name").unwrap_or_default(), item))
}

/// The value of the item of that name.
pub(super) fn item<'a, 'd>(collection: Node<'a, 'd>, name: &str) -> Option<Node<'a, 'd>> {
    let mut items = items(collection);
    items.find(|(found, _)| found.eq_ignore_ascii_case(name)).and_then(|(_, item)| value(item))
}

/// The kind in `xsi:type`, in lower case and without prefix: `double`, `ts_string`.
fn kind(datum: Node<'_, '_>) -> String {
    let written = attribute(datum, "type").unwrap_or_default();
    written.rsplit(':').next().unwrap_or_default().to_ascii_lowercase()
}

/// True for a text, or what is read as one: dates and such.
pub(super) fn is_text(datum: Node<'_, '_>) -> bool {
    let kind = kind(datum);
    kind.ends_with("string")
        || kind.ends_with("datetime")
        || (kind.is_empty() && child(datum, "Value").is_some())
}

pub(super) fn is_flag(datum: Node<'_, '_>) -> bool {
    kind(datum).ends_with("boolean")
}

/// The value as it is written.
pub(super) fn written<'a>(datum: Node<'a, '_>) -> Cow<'a, str> {
    let inner = child(datum, "Value");
    let raw = match (inner, datum.attribute("value")) {
        (Some(inner), _) => xml::raw_text(inner),
        (None, Some(value)) => Cow::Borrowed(value),
        (None, None) => xml::raw_text(datum),
    };
    if attribute(datum, "isEscaped") == Some("true") { Cow::Owned(teststand::unescape(&raw)) } else { raw }
}

/// The number that a datum has, if it has one.
pub(super) fn number(datum: Node<'_, '_>) -> Option<f64> {
    let written = written(datum);
    let kind = kind(datum);
    let bases = [("octal", 8, "0o"), ("binary", 2, "0b"), ("hexadecimal", 16, "0x")];
    match bases.into_iter().find(|(name, ..)| kind.ends_with(name)) {
        Some((_, base, mark)) => {
            let digits = written.trim().to_ascii_lowercase();
            let number = teststand::radix(digits.strip_prefix(mark).unwrap_or(&digits), base);
            number.or_else(|| teststand::number(&written))
        }
        None => teststand::number(&written),
    }
}

/// True for a number of two parts, for which a server has no place but beside the measurements.
pub(super) fn is_complex(datum: Node<'_, '_>) -> bool {
    attribute(datum, "real").is_some()
}

/// True for a number, even one that cannot be read.
pub(super) fn is_number(datum: Node<'_, '_>) -> bool {
    is(datum, "Datum") && !is_text(datum) && !is_flag(datum) && !is_complex(datum)
}

pub(super) fn unit<'a>(datum: Node<'a, '_>) -> &'a str {
    attribute(datum, "nonStandardUnit")
        .or_else(|| attribute(datum, "standardUnit"))
        .or_else(|| attribute(datum, "unit"))
        .unwrap_or_default()
}

/// A flag or a number that is not zero.
pub(super) fn truth(written: &str) -> bool {
    let written = written.trim();
    written.eq_ignore_ascii_case("true") || written.parse::<f64>().is_ok_and(|number| number != 0.0)
}

/// What stands in a property of TestStand, as attribute or as text: `<ts:TotalTime value='1'/>`.
pub(super) fn setting(node: Node<'_, '_>, name: &'static str) -> Option<Text> {
    let inner = child(node, name)?;
    attribute(inner, "value").map(Text::from).or_else(|| xml::text(inner))
}

/// A value with all that is in it.
pub(super) fn property(name: &str, value: Node<'_, '_>, depth: usize) -> Property {
    if depth >= MOST_DEEP {
        return property::of_element(value, depth);
    }
    if is(value, "Collection") {
        let inner = items(value).map(|(name, item)| of_item(name, item, depth + 1));
        return property::object(name, inner.collect());
    }
    if is(value, "IndexedArray") {
        let elements = value.children().filter(|inner| is(*inner, "Element"));
        let elements = elements.map(|element| {
            let index = attribute(element, "position").unwrap_or_default().to_owned();
            let inner = match self::value(element) {
                Some(inner) => property("", inner, depth + 1),
                None => property::value("", "String", written(element).trim()),
            };
            (index, inner)
        });
        return property::array(name, &kind(value), elements.collect());
    }
    if is_complex(value) {
        return property::of_element(value, depth);
    }
    let kind = if is_text(value) {
        "String"
    } else if is_flag(value) {
        "Bool"
    } else {
        "Number"
    };
    property::value(name, kind, &written(value))
}

/// An item, or an element that should have been one.
pub(super) fn of_item(name: &str, item: Node<'_, '_>, depth: usize) -> Property {
    match value(item) {
        Some(value) => property(name, value, depth),
        None => property::of_element(item, depth),
    }
}
