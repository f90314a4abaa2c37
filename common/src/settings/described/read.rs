//! The values of a described feed, each checked alone.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::keys::{Form, KEYS};
use crate::feed::described::{Pointer, Rule, Template};
use crate::settings::file;
use crate::settings::value::Value;

/// A value that its key allows.
#[derive(Debug, Clone)]
pub(super) enum Read {
    Plain(Value),
    Pointer(Pointer),
    Templates(Vec<Template>),
    Headers(Vec<(String, Template)>),
    Rules(Vec<Rule>),
}

/// Reads what is written; what it must be otherwise.
pub(super) fn value(form: Form, written: &DeValue<'_>) -> Result<Read, String> {
    match (form, written) {
        (Form::Plain(kind), written) => {
            let empty = |value: &Value| matches!(value, Value::Text(text) if text.is_empty());
            let read = file::value_of(kind, written).filter(|value| !empty(value));
            read.map(Read::Plain).ok_or_else(|| format!("it must be {}", kind.allowed()))
        }
        (Form::Pointer, DeValue::String(text)) => Ok(Read::Pointer(text.parse()?)),
        (Form::Template | Form::Templates, DeValue::String(text)) => Ok(Read::Templates(vec![text.parse()?])),
        (Form::Templates, DeValue::Array(texts)) => {
            let texts = texts.iter().map(|text| template(text.get_ref()));
            Ok(Read::Templates(texts.collect::<Result<_, String>>()?))
        }
        (Form::Headers, DeValue::Table(table)) => Ok(Read::Headers(pairs(table, header)?)),
        (Form::Rules, DeValue::Table(table)) => Ok(Read::Rules(pairs(table, rule)?)),
        (form, _) => Err(format!("it must be {}", form.allowed())),
    }
}

fn pairs<T>(table: &DeTable<'_>, read: fn(&str, &DeValue<'_>) -> Result<T, String>) -> Result<Vec<T>, String> {
    table.iter().map(|(name, value)| read(name.get_ref(), value.get_ref())).collect()
}

fn template(written: &DeValue<'_>) -> Result<Template, String> {
    written.as_str().ok_or("it must be a text or a list of texts")?.parse()
}

fn header(name: &str, written: &DeValue<'_>) -> Result<(String, Template), String> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)) {
        return Err(format!("{name:?} is no name of a header"));
    }
    Ok((name.to_owned(), template(written)?))
}

fn rule(pointer: &str, written: &DeValue<'_>) -> Result<Rule, String> {
    let value = match written {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(on) => on.to_string(),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            return Err(format!("what {pointer:?} must hold is a text, a number, true or false"));
        }
    };
    Ok(Rule { pointer: pointer.parse().map_err(|problem| format!("{pointer:?}: {problem}"))?, value })
}

/// The values of one feed.
#[derive(Debug, Default)]
pub(super) struct Given {
    read: BTreeMap<&'static str, Read>,
    /// Keys whose value is a problem: nothing more is said about them.
    spoiled: Vec<&'static str>,
}

impl Given {
    pub(super) fn insert(&mut self, key: &'static str, read: Read) {
        self.read.insert(key, read);
    }

    pub(super) fn spoil(&mut self, key: &'static str) {
        self.spoiled.push(key);
    }

    pub(super) fn is_spoiled(&self, key: &str) -> bool {
        self.spoiled.contains(&key)
    }

    /// Whether somebody gave it, rightly or wrongly.
    pub(super) fn has(&self, key: &str) -> bool {
        self.read.contains_key(key) || self.is_spoiled(key)
    }

    pub(super) fn pointer(&self, key: &str) -> Option<Pointer> {
        match self.read.get(key) {
            Some(Read::Pointer(pointer)) => Some(pointer.clone()),
            _ => None,
        }
    }

    pub(super) fn templates(&self, key: &str) -> Vec<Template> {
        match self.read.get(key) {
            Some(Read::Templates(templates)) => templates.clone(),
            _ => Vec::new(),
        }
    }

    pub(super) fn headers(&self, key: &str) -> Vec<(String, Template)> {
        match self.read.get(key) {
            Some(Read::Headers(headers)) => headers.clone(),
            _ => Vec::new(),
        }
    }

    pub(super) fn rules(&self, key: &str) -> Vec<Rule> {
        match self.read.get(key) {
            Some(Read::Rules(rules)) => rules.clone(),
            _ => Vec::new(),
        }
    }

    pub(super) fn word(&self, key: &str) -> String {
        match self.plain(key) {
            Some(Value::Text(text)) => text,
            _ => String::new(),
        }
    }

    pub(super) fn count(&self, key: &str) -> usize {
        match self.plain(key) {
            Some(Value::Count(number)) => usize::try_from(number).unwrap_or(usize::MAX),
            _ => 0,
        }
    }

    pub(super) fn time(&self, key: &str) -> Duration {
        match self.plain(key) {
            Some(Value::Time(time)) => time,
            _ => Duration::ZERO,
        }
    }

    /// What was given, else the default.
    fn plain(&self, key: &str) -> Option<Value> {
        if let Some(Read::Plain(value)) = self.read.get(key) {
            return Some(value.clone());
        }
        let key = KEYS.iter().find(|known| known.name == key)?;
        let Form::Plain(kind) = key.form else { return None };
        kind.read(key.default)
    }
}
