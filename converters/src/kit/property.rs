//! Trees of named values: additional data of a report, and additional results of a step.

use roxmltree::Node;
use wats::report::{AdditionalData, Extra, IndexedProperty, Property, PropertyArray};

use super::xml;

/// Deeper trees are kept as text: readers of JSON have a limit of their own.
pub(crate) const MOST_DEEP: usize = 20;

/// A single value.
pub(crate) fn value(name: &str, kind: &str, value: &str) -> Property {
    Property {
        name: Some(name.into()),
        property_type: Some(kind.into()),
        value: Some(value.into()),
        ..Property::default()
    }
}

/// A value that holds others.
pub(crate) fn object(name: &str, props: Vec<Property>) -> Property {
    Property {
        name: Some(name.into()),
        property_type: Some("Obj".into()),
        props: Some(props),
        ..Property::default()
    }
}

/// A list of values; each has its index as `[0]`, or `[0][1]` in a list of more dimensions.
pub(crate) fn array(name: &str, element_type: &str, elements: Vec<(String, Property)>) -> Property {
    let indexes: Vec<IndexedProperty> = elements
        .into_iter()
        .map(|(text, value)| IndexedProperty {
            indexes: numbers(&text),
            text: Some(text.into()),
            value: Some(Box::new(value)),
            extra: Extra::new(),
        })
        .collect();
    let dimension = indexes.first().map_or(1, |first| first.indexes.len().max(1));
    Property {
        name: Some(name.into()),
        property_type: Some("Array".into()),
        array: Some(PropertyArray {
            dimension: i32::try_from(dimension).ok(),
            element_type: Some(element_type.into()),
            indexes,
            extra: Extra::new(),
        }),
        ..Property::default()
    }
}

/// The numbers of `[0][1]`.
fn numbers(index: &str) -> Vec<i32> {
    index.split(['[', ']', ',']).filter_map(|piece| piece.trim().parse().ok()).collect()
}

/// Values under a common name; the name is cut to what a server takes for certain.
pub(crate) fn named(name: &str, props: Vec<Property>) -> AdditionalData {
    let name = if name.trim().is_empty() { "Data" } else { name };
    AdditionalData { name: Some(name.chars().take(100).collect()), props, extra: Extra::new() }
}

/// An element that no format describes, with all that is in it.
pub(crate) fn of_element(node: Node<'_, '_>, depth: usize) -> Property {
    let name = node.tag_name().name();
    let own = xml::raw_text(node);
    let own = own.trim();
    let attributes = node.attributes().map(|it| value(it.name(), "String", it.value()));
    let elements: Vec<Node<'_, '_>> = node.children().filter(Node::is_element).collect();
    if elements.is_empty() && node.attributes().len() == 0 {
        return value(name, "String", own);
    }
    if depth >= MOST_DEEP {
        let texts = node.descendants().filter(Node::is_text).filter_map(|text| text.text());
        return value(
            name,
            "String",
            &texts.map(str::trim).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" "),
        );
    }
    let mut props: Vec<Property> = attributes.collect();
    if !own.is_empty() {
        props.push(value("Text", "String", own));
    }
    props.extend(elements.into_iter().map(|inner| of_element(inner, depth + 1)));
    object(name, props)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_kept_with_its_attributes_texts_and_elements() {
        let document = xml::parse("<a x='1'>t<b>u</b></a>").unwrap();
        let kept = of_element(document.root_element(), 0);
        let shown: Vec<_> =
            kept.props.iter().flatten().map(|it| (it.name.as_deref(), it.value.as_deref())).collect();
        assert_eq!(shown, [(Some("x"), Some("1")), (Some("Text"), Some("t")), (Some("b"), Some("u"))]);
    }

    #[test]
    fn a_list_knows_its_dimensions() {
        let list = array("M", "Number", vec![("[0][1]".to_owned(), value("", "Number", "5"))]);
        let list = list.array.unwrap();
        assert_eq!((list.dimension, list.indexes[0].indexes.as_slice()), (Some(2), &[0, 1][..]));
    }

    #[test]
    fn deep_trees_end_in_text() {
        let depth = 100;
        let text = format!("{}x{}", "<a b='1'>".repeat(depth), "</a>".repeat(depth));
        let document = xml::parse(&text).unwrap();
        let mut at = &of_element(document.root_element(), 0);
        let mut levels = 0;
        while let Some(inner) = at.props.as_ref().and_then(|props| props.last()) {
            at = inner;
            levels += 1;
        }
        assert_eq!((levels, at.value.as_deref()), (MOST_DEEP, Some("x")));
    }
}
