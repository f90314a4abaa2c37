//! A value as somebody gave it: a flag, a variable or a line of the file.

use super::problem::{Class, Problem, excerpt};
use super::table::Setting;
use super::value::{Origin, Value};
use crate::feed::described::Description;

/// A value that was given, not yet weighed against others.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) setting: &'static Setting,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Everything one layer has to say.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) given: Vec<Given>,
    pub(super) problems: Vec<Problem>,
    /// Feeds that are described: only the settings file has any.
    pub(super) feeds: Vec<Description>,
    /// Keys whose value is a problem: nothing more is said about them.
    pub(super) spoiled: Vec<&'static str>,
}

impl Layer {
    /// Reads `text` for `setting`.
    pub(super) fn read(&mut self, setting: &'static Setting, text: &str, origin: Origin) {
        match setting.kind.read(text) {
            Some(value) => self.accept(setting, value, origin),
            None => self.refuse(setting, text, origin),
        }
    }

    /// Takes a value, unless this layer has one for the setting already.
    pub(super) fn accept(&mut self, setting: &'static Setting, value: Value, origin: Origin) {
        match self.given.iter().find(|given| given.setting.key == setting.key) {
            Some(earlier) => {
                let message = format!("`{}` is given twice: also by {}", setting.key, earlier.origin);
                self.problems.push(Problem::new(Class::Twice, message, Some(origin)).with_fix("keep one of them"));
            }
            None => self.given.push(Given { setting, value, origin }),
        }
    }

    /// Reports a value that the setting does not allow.
    pub(super) fn refuse(&mut self, setting: &'static Setting, text: &str, origin: Origin) {
        let allowed = setting.kind.allowed();
        let problem = if setting.is_secret() {
            // The text may be a URL with a password and a typo in its scheme.
            Problem::new(Class::BadValue, format!("`{}` must be {allowed}", setting.key), Some(origin))
        } else {
            let message = format!("`{}` must be {allowed}, not `{}`", setting.key, excerpt(text));
            Problem::new(Class::BadValue, message, Some(origin)).with_excerpt(text)
        };
        self.problems.push(problem);
        self.spoiled.push(setting.key);
    }
}
