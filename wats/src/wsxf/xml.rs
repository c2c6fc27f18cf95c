//! The writing of elements, with what the model kept without knowing it (see `element`).

use serde_json::{Map, Value};

use super::NAMESPACE;
use crate::report::{Extra, Text};

const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// An attribute, which is left out without a value.
pub(super) type Attribute<'a> = (&'a str, Option<Text>);

pub(super) struct Xml {
    pub(super) out: String,
}

impl Xml {
    /// An element with the attributes of the model, the kept ones, and what `inner` writes.
    pub(super) fn open(
        &mut self,
        name: &str,
        attributes: &[Attribute<'_>],
        kept: &Map<String, Value>,
        inner: impl FnOnce(&mut Self),
    ) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            if let Some(value) = value {
                self.attribute(name, value);
            }
        }
        let written = |name: &str| attributes.iter().any(|(own, value)| *own == name && value.is_some());
        self.kept_attributes(kept, written);
        self.out.push('>');
        let start = self.out.len();
        inner(self);
        if self.out.len() == start {
            self.out.pop();
            self.out.push_str(" />");
        } else {
            self.out.push_str(&format!("</{name}>"));
        }
    }

    /// An element as [`Self::open`] writes it, with the kept elements at its end.
    pub(super) fn element(
        &mut self,
        name: &str,
        attributes: &[Attribute<'_>],
        kept: &Map<String, Value>,
        inner: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes, kept, |xml| {
            inner(xml);
            xml.kept_elements(kept);
        });
    }

    pub(super) fn empty(&mut self, name: &str, attributes: &[Attribute<'_>], kept: &Map<String, Value>) {
        self.element(name, attributes, kept, |_| {});
    }

    /// A child element that is only a text; its rest is kept under its name.
    pub(super) fn text(&mut self, name: &str, text: Option<&Text>, kept: &Map<String, Value>) {
        let rest = rest_of(kept, name);
        if text.is_some() || rest.is_some() {
            self.element(name, &[], rest.unwrap_or(&Extra::new()), |xml| {
                xml.escaped(text.map_or("", Text::as_str), false);
            });
        }
    }

    /// The elements and texts that the model does not know.
    pub(super) fn kept_elements(&mut self, kept: &Map<String, Value>) {
        for item in kept.get("#").and_then(Value::as_array).into_iter().flatten() {
            self.foreign(item, None);
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push_str(&format!(" {name}=\""));
        self.escaped(value, true);
        self.out.push('"');
    }

    fn kept_attributes(&mut self, kept: &Map<String, Value>, written: impl Fn(&str) -> bool) {
        let named = kept.iter().filter_map(|(key, value)| Some((key.strip_prefix('@')?, value.as_str()?)));
        for (index, (key, value)) in named.enumerate() {
            let Some((namespace, local)) = split(key) else { continue };
            match namespace {
                None if !written(local) => self.attribute(local, value),
                None => {}
                Some(XML_NAMESPACE) => self.attribute(&format!("xml:{local}"), value),
                Some(namespace) => {
                    self.attribute(&format!("xmlns:n{index}"), namespace);
                    self.attribute(&format!("n{index}:{local}"), value);
                }
            }
        }
    }

    /// `parent`: the foreign namespace around it. Recursion is bounded by the readers of both formats.
    fn foreign(&mut self, item: &Value, parent: Option<&str>) {
        let kept = match item {
            Value::String(text) => return self.escaped(text, false),
            Value::Object(kept) => kept,
            _ => return,
        };
        let Some((namespace, local)) = kept.get("<").and_then(Value::as_str).and_then(split) else { return };
        let change = (namespace != parent).then(|| namespace.unwrap_or(NAMESPACE).into());
        self.open(local, &[("xmlns", change)], kept, |xml| {
            for inner in kept.get("#").and_then(Value::as_array).into_iter().flatten() {
                xml.foreign(inner, namespace);
            }
        });
    }

    pub(super) fn escaped(&mut self, text: &str, attribute: bool) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' if attribute => self.out.push_str("&quot;"),
                // Parsers turn raw line ends in attributes into spaces, and carriage returns everywhere into LF.
                '\n' | '\t' if attribute => self.out.push_str(&format!("&#{};", u32::from(c))),
                '\r' => self.out.push_str("&#13;"),
                '\n' | '\t' => self.out.push(c),
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
                c => self.out.push(c),
            }
        }
    }
}

/// What was kept of a child element that the model has no object for.
pub(super) fn rest_of<'a>(kept: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    kept.get(&format!("<{name}")).and_then(Value::as_object)
}

/// Namespace and local name; `None` for what is no name, because what was kept may come from anywhere.
fn split(key: &str) -> Option<(Option<&str>, &str)> {
    let (namespace, local) = match key.strip_prefix('{').and_then(|rest| rest.rsplit_once('}')) {
        Some((namespace, local)) => (Some(namespace).filter(|namespace| !namespace.is_empty()), local),
        None => (None, key),
    };
    let reserved = local == "xmlns" || namespace == Some("http://www.w3.org/2000/xmlns/");
    (is_name(local) && !reserved).then_some((namespace, local))
}

/// True for a name without prefix, by the letters that XML 1.0 (fifth edition, section 2.3) allows in one.
pub(super) fn is_name(name: &str) -> bool {
    let may_begin = |c: char| {
        matches!(c, 'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
            | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
            | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
            | '\u{10000}'..='\u{effff}')
    };
    let may_follow = |c: char| {
        may_begin(c)
            || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
    };
    name.chars().next().is_some_and(may_begin) && name.chars().all(may_follow)
}
