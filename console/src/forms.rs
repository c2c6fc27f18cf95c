//! Forms: reading them, and what is wrong in them.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use wats_agent::control::client::ControlError;

use crate::error::{PageError, agent_words, sentence};

/// A urlencoded form. A body that is none of our pages' gets a plain refusal, which never repeats it: it
/// may hold a password.
#[derive(Debug, Clone, Copy)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let foreign = || {
            PageError::BadRequest(
                "This form is not understood. Go back, reload the page, and try again.".to_owned(),
            )
        };
        if !is_form(request.headers()) {
            return Err(foreign());
        }
        let body = Bytes::from_request(request, state).await.map_err(|_| {
            PageError::BadRequest("The form is too large, or its transmission broke off.".to_owned())
        })?;
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
        from_pairs(pairs).map(Self).ok_or_else(foreign)
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

/// A repeated name becomes a list, which only a list takes.
fn from_pairs<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Option<T> {
    let mut object = serde_json::Map::new();
    for (name, value) in pairs {
        let value = serde_json::Value::String(value);
        if let Some(list_name) = name.strip_suffix("[]") {
            let list = object.entry(list_name).or_insert_with(|| serde_json::Value::Array(Vec::new()));
            list.as_array_mut()?.push(value);
        } else if object.insert(name, value).is_some() {
            return None;
        }
    }
    serde_json::from_value(object.into()).ok()
}

/// What is wrong: sentences at fields, and sentences about the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormErrors {
    fields: BTreeMap<String, String>,
    general: Option<String>,
}

impl FormErrors {
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.fields.entry(field.into()).or_insert_with(|| message.into());
    }

    pub fn set_general(&mut self, message: impl Into<String>) {
        self.general = Some(message.into());
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.general.is_none()
    }

    /// The message at a field; empty when nothing is wrong there.
    pub fn at(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    /// What is wrong with the whole; empty when nothing is.
    pub fn general(&self) -> &str {
        self.general.as_deref().unwrap_or_default()
    }

    /// All messages at fields, for where the fields are not shown.
    pub fn messages(&self) -> impl Iterator<Item = &String> {
        self.fields.values()
    }

    /// Puts the agent's words where they belong: at the field, if `field_of` knows it, or above the form.
    pub fn add_agent_error(&mut self, error: &ControlError, field_of: impl Fn(&str) -> Option<String>) {
        match error.field().and_then(field_of) {
            Some(field) => self.add(field, sentence(&error.to_string())),
            None => self.set_general(agent_words(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wish {
        name: String,
        #[serde(default)]
        kind: Vec<String>,
    }

    fn read(pairs: &[(&str, &str)]) -> Option<Wish> {
        from_pairs(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn a_name_with_brackets_is_a_list_and_a_repeated_name_is_refused() {
        let wish = read(&[("name", "a"), ("kind[]", "x"), ("kind[]", "y")]).unwrap();
        assert_eq!(wish, Wish { name: "a".to_owned(), kind: vec!["x".to_owned(), "y".to_owned()] });
        assert_eq!(read(&[("name", "a"), ("name", "b")]), None);
        assert_eq!(read(&[("kind[]", "x")]), None);
    }

    #[test]
    fn the_first_message_at_a_field_stays() {
        let mut errors = FormErrors::default();
        errors.add("url", "first");
        errors.add("url", "second");
        assert_eq!((errors.at("url"), errors.at("other"), errors.is_empty()), ("first", "", false));
    }
}
