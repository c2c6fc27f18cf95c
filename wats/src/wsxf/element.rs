//! An element of a document that remembers what was read of it, so that the rest can be kept.
//!
//! The rest goes into `extra` of the model's object, in a form of its own: `@name` is an attribute, `#` the list of
//! elements and texts, and `<name` the rest of a child element that the model has no object for. An element in
//! that list is an object with its name under `<`. Names of other namespaces are written `{namespace}name`.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use roxmltree::{Node, NodeId};
use serde_json::Value;
use uuid::Uuid;

use super::WsxfError;
use crate::report::{Double, Extra, Status, Text, Time};

pub(super) struct Element<'a, 'd> {
    node: Node<'a, 'd>,
    attributes: RefCell<Vec<&'static str>>,
    nodes: RefCell<HashSet<NodeId>>,
    text: Cell<bool>,
}

impl<'a, 'd> Element<'a, 'd> {
    pub(super) fn new(node: Node<'a, 'd>) -> Self {
        let (attributes, nodes) = (RefCell::default(), RefCell::default());
        Self { node, attributes, nodes, text: Cell::new(false) }
    }

    /// The local name.
    pub(super) fn name(&self) -> &'a str {
        self.node.tag_name().name()
    }

    /// An attribute that is not empty. An empty one is the same as none, and belongs to the rest.
    pub(super) fn attribute(&self, name: &'static str) -> Option<&'a str> {
        let value = self.node.attribute(name).filter(|value| !value.is_empty())?;
        self.attributes.borrow_mut().push(name);
        Some(value)
    }

    /// Like [`Self::attribute`], owned.
    pub(super) fn owned(&self, name: &'static str) -> Option<Text> {
        self.attribute(name).map(Text::from)
    }

    /// An attribute that every report has; without it the text is empty.
    pub(super) fn required(&self, name: &'static str) -> Text {
        self.attributes.borrow_mut().push(name);
        self.node.attribute(name).unwrap_or_default().into()
    }

    /// An attribute through a parser; present and unreadable is an error that names it.
    pub(super) fn parsed<T>(
        &self,
        name: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, WsxfError> {
        let Some(value) = self.attribute(name) else { return Ok(None) };
        let bad = || self.wrong(name, format!("\"{value}\" is no {expected}"));
        parse(value.trim()).map(Some).ok_or_else(bad)
    }

    pub(super) fn wrong(&self, attribute: &str, reason: String) -> WsxfError {
        WsxfError::Content { path: format!("{}/@{attribute}", path(self.node)), reason }
    }

    pub(super) fn int(&self, name: &'static str) -> Result<Option<i32>, WsxfError> {
        self.parsed(name, "whole number", |text| text.parse().ok())
    }

    pub(super) fn double(&self, name: &'static str) -> Result<Option<Double>, WsxfError> {
        self.parsed(name, "number", Double::parse)
    }

    pub(super) fn uuid(&self, name: &'static str) -> Result<Option<Uuid>, WsxfError> {
        self.parsed(name, "uuid", |text| Uuid::parse_str(text).ok())
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<Option<bool>, WsxfError> {
        self.parsed(name, "true or false", |text| match text {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        })
    }

    pub(super) fn status(&self, name: &'static str) -> Result<Status, WsxfError> {
        let status = self.parsed(name, "status", Status::from_word)?;
        status.ok_or_else(|| self.wrong(name, "a value is required".to_owned()))
    }

    pub(super) fn time(&self, name: &'static str) -> Option<Time> {
        self.attribute(name).map(Time::from_text)
    }

    /// The element's own text, if it has any.
    pub(super) fn text(&self) -> Option<Text> {
        self.text.set(true);
        let parts = self.node.children().filter(Node::is_text).filter_map(|part| part.text());
        Some(parts.collect::<Text>()).filter(|text| !text.is_empty())
    }

    /// All child elements of these names, in document order.
    pub(super) fn children(&self, names: &[&str]) -> Vec<Element<'a, 'd>> {
        let all = self.node.children().filter(|child| is(*child, names));
        all.map(|child| self.take(child)).collect()
    }

    /// The first child element of that name; others of the name belong to the rest.
    pub(super) fn child(&self, name: &str) -> Option<Element<'a, 'd>> {
        self.node.children().find(|child| is(*child, &[name])).map(|child| self.take(child))
    }

    /// All child elements that were not taken yet.
    pub(super) fn others(&self) -> Vec<Element<'a, 'd>> {
        let taken = self.nodes.borrow().clone();
        let all = self.node.children().filter(|child| child.is_element() && !taken.contains(&child.id()));
        all.map(|child| self.take(child)).collect()
    }

    fn take(&self, child: Node<'a, 'd>) -> Element<'a, 'd> {
        self.nodes.borrow_mut().insert(child.id());
        Element::new(child)
    }

    /// Makes an attribute part of the rest again: it was read, but the model cannot hold it.
    pub(super) fn keep(&self, name: &str) {
        self.attributes.borrow_mut().retain(|taken| *taken != name);
    }

    /// Everything that was not read.
    pub(super) fn rest(&self) -> Extra {
        let attributes = self.attributes.borrow();
        let nodes = self.nodes.borrow();
        let own = own_namespace(self.node);
        let mut rest = Extra::new();
        for attribute in self.node.attributes() {
            if attribute.namespace().is_none() && attributes.iter().any(|taken| *taken == attribute.name()) {
                continue;
            }
            let name = format!("@{}", qualified(attribute.namespace(), attribute.name()));
            rest.insert(name, attribute.value().into());
        }
        let inner: Vec<Value> = self
            .node
            .children()
            .filter(|child| !(nodes.contains(&child.id()) || child.is_text() && self.text.get()))
            .filter_map(|child| foreign(child, own))
            .collect();
        if !inner.is_empty() {
            rest.insert("#".to_owned(), inner.into());
        }
        rest
    }
}

/// The text of a child element, whose own rest is kept under its name.
pub(super) fn text_child(parent: &Element<'_, '_>, name: &str, kept: &mut Extra) -> Option<Text> {
    let child = parent.child(name)?;
    let text = child.text();
    keep(kept, name, child.rest());
    text
}

/// Keeps the rest of a child element, if there is one, under the child's name.
pub(super) fn keep(kept: &mut Extra, name: &str, rest: Extra) {
    if !rest.is_empty() {
        kept.insert(format!("<{name}"), rest.into());
    }
}

pub(super) fn is(node: Node<'_, '_>, names: &[&str]) -> bool {
    node.is_element() && names.contains(&node.tag_name().name())
}

/// The namespace of the document itself, whose names are written without it.
fn own_namespace<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.document().root_element().tag_name().namespace()
}

fn qualified(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| name.to_owned(), |namespace| format!("{{{namespace}}}{name}"))
}

/// A node that the model does not know. White space between elements is not kept.
///
/// Recursion is bounded by the limit on nesting.
fn foreign(node: Node<'_, '_>, own: Option<&str>) -> Option<Value> {
    if node.is_text() {
        let blank = node.text().is_none_or(|text| text.trim().is_empty());
        let alone = node.next_sibling().is_none() && node.prev_sibling().is_none();
        return (!blank || alone).then(|| node.text().unwrap_or_default().into());
    }
    if !node.is_element() {
        return None;
    }
    let namespace = node.tag_name().namespace().filter(|namespace| Some(*namespace) != own);
    let mut kept = Extra::new();
    kept.insert("<".to_owned(), qualified(namespace, node.tag_name().name()).into());
    for attribute in node.attributes() {
        let name = format!("@{}", qualified(attribute.namespace(), attribute.name()));
        kept.insert(name, attribute.value().into());
    }
    let inner: Vec<Value> = node.children().filter_map(|child| foreign(child, own)).collect();
    if !inner.is_empty() {
        kept.insert("#".to_owned(), inner.into());
    }
    Some(kept.into())
}

fn path(node: Node<'_, '_>) -> String {
    let mut parts: Vec<String> = node.ancestors().filter(Node::is_element).map(part).collect();
    parts.reverse();
    format!("/{}", parts.join("/"))
}

/// A step with its name, one of several reports with its number from 1.
fn part(element: Node<'_, '_>) -> String {
    let name = element.tag_name().name();
    let before = element.prev_siblings().filter(|sibling| is(*sibling, &["Report"])).count();
    let alone = before == 1 && !element.next_siblings().skip(1).any(|sibling| is(sibling, &["Report"]));
    match element.attribute("Name") {
        Some(own) if name == "Step" => format!("{name}[{own}]"),
        _ if name == "Report" && !alone => format!("{name}[{before}]"),
        _ => name.to_owned(),
    }
}
