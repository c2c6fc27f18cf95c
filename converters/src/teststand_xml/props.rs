//! The property tree: `Prop` elements by name, with a `Value` or further `Prop` elements in them.

use std::borrow::Cow;

use roxmltree::Node;
use wats::report::{Property, Text};

use crate::kit::property::{self, MOST_DEEP};
use crate::kit::teststand;
use crate::kit::xml::{self, attribute, child, children};

/// The property of that path below an element: `TS.SequenceCall`.
pub(super) fn find<'a, 'd>(node: Node<'a, 'd>, path: &str) -> Option<Node<'a, 'd>> {
    path.split('.').try_fold(node, |node, name| {
        children(node, "Prop").find(|prop| attribute(*prop, "Name") == Some(name))
    })
}

/// The value of a property as it is written.
pub(super) fn raw<'a>(node: Node<'a, '_>, path: &str) -> Option<Cow<'a, str>> {
    find(node, path).and_then(|prop| child(prop, "Value")).map(xml::raw_text)
}

/// The value of a property that is not blank, trimmed.
pub(super) fn text(node: Node<'_, '_>, path: &str) -> Option<Text> {
    raw(node, path).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).map(Into::into)
}

/// The value of a property as a number.
pub(super) fn number(node: Node<'_, '_>, path: &str) -> Option<f64> {
    raw(node, path).and_then(|value| teststand::number(&value))
}

/// The value of a property as a whole number.
pub(super) fn whole(node: Node<'_, '_>, path: &str) -> Option<i32> {
    number(node, path).and_then(teststand::whole)
}

pub(super) fn is_true(node: Node<'_, '_>, path: &str) -> bool {
    raw(node, path).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
}

/// The elements of an array, with their indexes.
pub(super) fn elements<'a, 'd>(array: Node<'a, 'd>) -> impl Iterator<Item = (&'a str, Node<'a, 'd>)> {
    children(array, "Value").map(|value| (attribute(value, "ID").unwrap_or_default(), value))
}

/// The properties that are the elements of an array of objects.
pub(super) fn objects<'a, 'd>(array: Node<'a, 'd>) -> impl Iterator<Item = Node<'a, 'd>> {
    elements(array).filter_map(|(_, value)| child(value, "Prop"))
}

fn is_array(node: Node<'_, '_>) -> bool {
    attribute(node, "Type") == Some("Array")
}

/// True for a property that holds nothing: an empty text, or an object or array without elements.
pub(super) fn is_empty(prop: Node<'_, '_>) -> bool {
    let mut inner = prop.children().filter(|it| it.is_element());
    !inner.any(|it| match it.tag_name().name() {
        "Prop" => true,
        "Value" => it.children().any(|it| it.is_element()) || !xml::raw_text(it).trim().is_empty(),
        _ => false,
    })
}

/// A property with all that is in it.
pub(super) fn property(prop: Node<'_, '_>, depth: usize) -> Property {
    let name = attribute(prop, "Name").unwrap_or_default();
    if depth >= MOST_DEEP {
        return property::of_element(prop, depth);
    }
    let mut made = if is_array(prop) {
        let kind = attribute(prop, "ElementType").unwrap_or("Obj");
        let elements = elements(prop).map(|(index, value)| {
            let inner = match child(value, "Prop") {
                Some(inner) => property(inner, depth + 1),
                None => property::value("", kind_of(kind), &xml::raw_text(value)),
            };
            (index.to_owned(), inner)
        });
        property::array(name, kind_of(kind), elements.collect())
    } else {
        match child(prop, "Value") {
            Some(value) => {
                let kind = attribute(prop, "Type").unwrap_or("String");
                property::value(name, kind_of(kind), &xml::raw_text(value))
            }
            None => {
                property::object(name, children(prop, "Prop").map(|it| property(it, depth + 1)).collect())
            }
        }
    };
    let flags = attribute(prop, "Flags").and_then(teststand::number).and_then(teststand::whole);
    made.flags = flags.filter(|flags| *flags != 0);
    made.num_format = attribute(prop, "NumFmt").map(Into::into);
    made.comment = child(prop, "Comment").and_then(xml::text);
    made
}

fn kind_of(written: &str) -> &str {
    if written == "Boolean" { "Bool" } else { written }
}
