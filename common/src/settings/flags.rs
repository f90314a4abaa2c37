//! Settings from the command line.

use super::given::Layer;
use super::problem::{Class, Problem};
use super::table;
use super::value::Origin;

/// The flags of a command that are settings.
#[derive(Debug, Clone, Default)]
pub struct Flags(Vec<(&'static str, &'static str, String)>);

impl Flags {
    /// No flags.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key` to what was said with `flag`, if it was said.
    #[must_use]
    pub fn set(mut self, key: &'static str, flag: &'static str, said: Option<impl ToString>) -> Self {
        if let Some(said) = said {
            self.0.push((key, flag, said.to_string()));
        }
        self
    }

    /// These and `others`; both must not set the same key.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    pub(super) fn layer(&self) -> Layer {
        let mut layer = Layer::default();
        for (key, flag, text) in &self.0 {
            let origin = Origin::Flag(flag);
            match table::by_key(key) {
                Some(setting) if setting.is_secret() => {
                    // Everybody on the machine can read a command line.
                    let message = format!("`{key}` may hold a password and cannot be a flag");
                    let problem = Problem::new(Class::BadValue, message, Some(origin));
                    layer.problems.push(problem.with_fix(format!("set {}", setting.variable())));
                }
                Some(setting) => layer.read(setting, text, origin),
                None => {
                    let message = format!("no setting `{key}`");
                    layer.problems.push(Problem::new(Class::UnknownKey, message, Some(origin)));
                }
            }
        }
        layer
    }
}
