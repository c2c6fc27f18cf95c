//! The subset of OData that the header query takes.
//!
//! `and`, `or`, `not`, parentheses, `eq ne gt ge lt le in`, `contains`, `startswith`, `endswith`; texts in
//! single quotes, a quote inside doubled. Texts compare without regard to case, as the server's database does.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// The query options of one request.
#[derive(Debug)]
pub(super) struct Options {
    filter: Option<Expression>,
    pub top: usize,
    pub skip: usize,
    order_by: Option<(String, bool)>,
    pub expand: Vec<String>,
    select: Vec<String>,
}

impl Options {
    pub(super) fn read(query: &HashMap<String, String>) -> Result<Self, String> {
        let option = |wanted: &str| {
            let found =
                query.iter().find(|(name, _)| name.trim_start_matches('$').eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.as_str()).filter(|value| !value.trim().is_empty())
        };
        let number = |wanted: &str, default: usize| match option(wanted) {
            Some(text) => text.trim().parse().map_err(|_| format!("${wanted} must be a whole number.")),
            None => Ok(default),
        };
        let list = |wanted: &str| -> Vec<String> {
            option(wanted)
                .map(|text| text.split(',').map(|name| name.trim().to_owned()).collect())
                .unwrap_or_default()
        };
        if option("count").is_some() {
            return Err("$count is not allowed.".to_owned());
        }
        let top = number("top", 10)?;
        if top > 10_000 {
            return Err("$top must not be larger than 10000.".to_owned());
        }
        Ok(Self {
            filter: option("filter").map(Expression::parse).transpose()?,
            top,
            skip: number("skip", 0)?,
            order_by: option("orderby").map(order_by).transpose()?,
            expand: list("expand"),
            select: list("select"),
        })
    }

    pub(super) fn matches(&self, row: &Value) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.holds(row))
    }

    /// Newest first where nothing else is wanted.
    pub(super) fn order(&self, a: &Value, b: &Value) -> Ordering {
        let (name, descending) = self.order_by.as_ref().map_or(("start", true), |(name, down)| (name, *down));
        let ordering = compare(member(a, name), member(b, name))
            .unwrap_or(Ordering::Equal)
            .then_with(|| compare(member(a, "timeStamp"), member(b, "timeStamp")).unwrap_or(Ordering::Equal));
        if descending { ordering.reverse() } else { ordering }
    }

    pub(super) fn select(&self, row: Value) -> Value {
        match row {
            Value::Object(members) if !self.select.is_empty() => Value::Object(
                members
                    .into_iter()
                    .filter(|(name, _)| {
                        self.select.iter().chain(&self.expand).any(|wanted| wanted.eq_ignore_ascii_case(name))
                    })
                    .collect(),
            ),
            other => other,
        }
    }
}

fn order_by(text: &str) -> Result<(String, bool), String> {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let allowed = ["start", "uuid", "serialNumber", "timestamp"];
    if !allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)) {
        return Err(format!(
            "The query specified in the URI is not valid. Order by '{name}' is not allowed."
        ));
    }
    Ok((name.to_owned(), words.next().is_some_and(|word| word.eq_ignore_ascii_case("desc"))))
}

#[derive(Debug)]
enum Expression {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(String, Operator, Value),
    In(String, Vec<Value>),
    Text(fn(&str, &str) -> bool, String, String),
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Expression {
    fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Tokens { tokens: tokens(text)?, at: 0 };
        let expression = tokens.either()?;
        match tokens.next() {
            None => Ok(expression),
            Some(token) => Err(tokens.unexpected(Some(&token))),
        }
    }

    fn holds(&self, row: &Value) -> bool {
        match self {
            Self::And(a, b) => a.holds(row) && b.holds(row),
            Self::Or(a, b) => a.holds(row) || b.holds(row),
            Self::Not(a) => !a.holds(row),
            Self::Compare(name, operator, wanted) => {
                let ordering = compare(member(row, name), wanted);
                match operator {
                    Operator::Eq => ordering == Some(Ordering::Equal),
                    Operator::Ne => ordering != Some(Ordering::Equal),
                    Operator::Gt => ordering == Some(Ordering::Greater),
                    Operator::Ge => ordering.is_some_and(Ordering::is_ge),
                    Operator::Lt => ordering == Some(Ordering::Less),
                    Operator::Le => ordering.is_some_and(Ordering::is_le),
                }
            }
            Self::In(name, list) => {
                list.iter().any(|wanted| compare(member(row, name), wanted) == Some(Ordering::Equal))
            }
            Self::Text(function, name, part) => member(row, name)
                .as_str()
                .is_some_and(|text| function(&text.to_lowercase(), &part.to_lowercase())),
        }
    }
}

fn member<'a>(row: &'a Value, wanted: &str) -> &'a Value {
    let members = row.as_object().into_iter().flatten();
    members
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map_or(&Value::Null, |(_, value)| value)
}

/// `None` where the two cannot be compared.
fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => match (instant(a), instant(b)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => Some(a.to_lowercase().cmp(&b.to_lowercase())),
        },
        _ => None,
    }
}

/// A date without offset is read as UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let civil = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned_datetime(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| civil().map(|date| date.timestamp()))
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    /// In single quotes.
    Text(String),
    /// Everything else: names, operators, numbers, dates, ids.
    Word(String),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(&next) = rest.peek() {
        let symbol = match next {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            ',' => Some(Token::Comma),
            _ => None,
        };
        if let Some(symbol) = symbol {
            tokens.push(symbol);
            rest.next();
        } else if next.is_whitespace() {
            rest.next();
        } else if next == '\'' {
            rest.next();
            let mut quoted = String::new();
            loop {
                match rest.next() {
                    Some('\'') if rest.next_if_eq(&'\'').is_some() => quoted.push('\''),
                    Some('\'') => break,
                    Some(other) => quoted.push(other),
                    None => return Err("The filter has a quotation mark without an end.".to_owned()),
                }
            }
            tokens.push(Token::Text(quoted));
        } else {
            let mut word = String::new();
            while let Some(other) = rest.next_if(|c| !c.is_whitespace() && !"(),'".contains(*c)) {
                word.push(other);
            }
            tokens.push(Token::Word(word));
        }
    }
    Ok(tokens)
}

struct Tokens {
    tokens: Vec<Token>,
    at: usize,
}

impl Tokens {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn next_if_word(&mut self, wanted: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word == wanted);
        self.at += usize::from(is);
        is
    }

    fn unexpected(&self, token: Option<&Token>) -> String {
        match token {
            Some(Token::Word(word)) => format!("The filter is not valid at '{word}'."),
            Some(Token::Text(text)) => format!("The filter is not valid at '{text}'."),
            Some(token) => format!("The filter is not valid: {token:?} was not expected."),
            None => "The filter ends too early.".to_owned(),
        }
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), String> {
        let token = self.next();
        if token.as_ref() == Some(wanted) { Ok(()) } else { Err(self.unexpected(token.as_ref())) }
    }

    fn either(&mut self) -> Result<Expression, String> {
        let mut left = self.both()?;
        while self.next_if_word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Expression, String> {
        let mut left = self.one()?;
        while self.next_if_word("and") {
            left = Expression::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Expression, String> {
        if self.next_if_word("not") {
            return Ok(Expression::Not(Box::new(self.one()?)));
        }
        match self.next() {
            Some(Token::Open) => {
                let inner = self.either()?;
                self.expect(&Token::Close)?;
                Ok(inner)
            }
            Some(Token::Word(name)) => self.comparison(name),
            token => Err(self.unexpected(token.as_ref())),
        }
    }

    fn comparison(&mut self, name: String) -> Result<Expression, String> {
        let function: Option<fn(&str, &str) -> bool> = match name.as_str() {
            "contains" => Some(|text, part| text.contains(part)),
            "startswith" => Some(|text, part| text.starts_with(part)),
            "endswith" => Some(|text, part| text.ends_with(part)),
            _ => None,
        };
        if let Some(function) = function {
            self.expect(&Token::Open)?;
            let (Some(Token::Word(field)), Some(Token::Comma), Some(Token::Text(part)), Some(Token::Close)) =
                (self.next(), self.next(), self.next(), self.next())
            else {
                return Err(format!("The filter is not valid: {name} takes a name and a text."));
            };
            return Ok(Expression::Text(function, field, part));
        }
        if self.next_if_word("in") {
            self.expect(&Token::Open)?;
            let mut list = vec![self.literal()?];
            loop {
                match self.next() {
                    Some(Token::Comma) => list.push(self.literal()?),
                    Some(Token::Close) => return Ok(Expression::In(name, list)),
                    token => return Err(self.unexpected(token.as_ref())),
                }
            }
        }
        let token = self.next();
        let operator = match &token {
            Some(Token::Word(word)) => match word.as_str() {
                "eq" => Operator::Eq,
                "ne" => Operator::Ne,
                "gt" => Operator::Gt,
                "ge" => Operator::Ge,
                "lt" => Operator::Lt,
                "le" => Operator::Le,
                _ => return Err(self.unexpected(token.as_ref())),
            },
            _ => return Err(self.unexpected(token.as_ref())),
        };
        Ok(Expression::Compare(name, operator, self.literal()?))
    }

    fn literal(&mut self) -> Result<Value, String> {
        match self.next() {
            Some(Token::Text(text)) => Ok(Value::String(text)),
            Some(Token::Word(word)) => Ok(match word.as_str() {
                "null" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => word
                    .parse::<f64>()
                    .ok()
                    .and_then(serde_json::Number::from_f64)
                    .map_or(Value::String(word), Value::Number),
            }),
            token => Err(self.unexpected(token.as_ref())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn options(pairs: &[(&str, &str)]) -> Result<Options, String> {
        Options::read(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[track_caller]
    fn check(filter: &str, expected: bool) {
        let row = json!({
            "serialNumber": "O'Neill-7", "processCode": 10, "start": "2026-01-30T21:01:41Z", "batchNumber": null,
            "uuid": "61bb0a30-33d1-5a9f-a9da-91d47ab85011",
        });
        assert_eq!(options(&[("$filter", filter)]).unwrap().matches(&row), expected, "{filter}");
    }

    #[test]
    fn filters_choose_rows() {
        check("serialNumber eq 'O''Neill-7'", true);
        check("serialnumber eq 'o''neill-7' and processCode eq 10", true);
        check("serialNumber eq 'X' or processCode ge 10", true);
        check("not (processCode in (10, 50))", false);
        check("processCode in (30,50)", false);
        check("start ge 2026-01-01T00:00:00Z and start lt 2026-01-31T12:00:00", true);
        check("start gt 2026-02-01T00:00:00Z", false);
        check("uuid eq 61bb0a30-33d1-5a9f-a9da-91d47ab85011", true);
        check("batchNumber eq null", true);
        check("batchNumber ne null", false);
        check(
            "startswith(serialNumber, 'o''n') and contains(serialNumber,'eil') and endswith(serialNumber,'7')",
            true,
        );
        check("serialNumber eq ' and '", false);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for wrong in [
            "serialNumber",
            "serialNumber eq",
            "eq 'x'",
            "a eq 'x",
            "(a eq 1",
            "a eq 1 b",
            "a has 1",
            "a in 1",
        ] {
            assert!(options(&[("$filter", wrong)]).is_err(), "{wrong}");
        }
        assert!(options(&[("$top", "10001")]).is_err());
        assert!(options(&[("$top", "many")]).is_err());
        assert!(options(&[("$orderby", "result")]).is_err());
        assert!(options(&[("$count", "true")]).is_err());
    }

    #[test]
    fn rows_are_ordered_and_cut_to_the_wanted_members() {
        let (a, b) =
            (json!({"start": "2026-01-01T00:00:00Z", "x": 1}), json!({"start": "2026-01-02T00:00:00Z"}));
        assert_eq!(options(&[]).unwrap().order(&a, &b), Ordering::Greater);
        assert_eq!(options(&[("$orderby", "start asc")]).unwrap().order(&a, &b), Ordering::Less);
        assert_eq!(options(&[("$select", "x")]).unwrap().select(a), json!({"x": 1}));
    }
}
