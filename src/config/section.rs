//! One object of the configuration, read key by key; errors name the dotted key.

use serde_json::{Map, Value};

use super::value::{Fit, Misfit};
use crate::base::suggestions;
use crate::error::{Error, Result};

/// One object of the configuration and its path. A value of `null` counts as absent.
pub(super) struct Section<'a> {
    path: String,
    fields: Option<&'a Map<String, Value>>,
}

impl<'a> Section<'a> {
    /// The object `value` at `path` (empty for the whole configuration), in which only the keys `allowed` may appear.
    pub fn new(path: impl Into<String>, value: &'a Value, allowed: &[&str]) -> Result<Self> {
        let section = Self::open(path, value)?;
        match section.entries().find(|(key, _)| !allowed.contains(key)) {
            // The value may be a password, so it is not shown.
            Some((unknown, _)) => {
                let wants = suggestions::one_of(allowed, unknown);
                Err(Error::configuration(section.path_of(unknown), "an unknown key", wants))
            }
            None => Ok(section),
        }
    }

    /// Like [`Section::new`], for an object whose keys are names given by the user.
    pub fn open(path: impl Into<String>, value: &'a Value) -> Result<Self> {
        let path = path.into();
        match value {
            Value::Object(fields) => Ok(Self { path, fields: Some(fields) }),
            Value::Null => Ok(Self { path, fields: None }),
            other => Err(Misfit::new(other, "an object").at(path)),
        }
    }

    /// The object under `key`, in which only the keys `allowed` may appear; an absent one is empty.
    pub fn section(&self, key: &str, allowed: &[&str]) -> Result<Section<'a>> {
        Section::new(self.path_of(key), self.get(key).unwrap_or(&Value::Null), allowed)
    }

    /// The object under `key` whose keys are names given by the user; an absent one is empty.
    pub fn names(&self, key: &str) -> Result<Section<'a>> {
        Section::open(self.path_of(key), self.get(key).unwrap_or(&Value::Null))
    }

    /// Every key that is present, with its value.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        let entries = self.fields.into_iter().flatten().map(|(key, value)| (key.as_str(), value));
        entries.filter(|(_, value)| !value.is_null())
    }

    /// The value under `key`, if it is present.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.fields?.get(key).filter(|value| !value.is_null())
    }

    /// The value under `key` as `read` takes it, or `None` if it is absent.
    pub fn optional<T>(&self, key: &str, read: impl Fn(&Value) -> Fit<T>) -> Result<Option<T>> {
        self.get(key).map(|value| read(value).map_err(|misfit| misfit.at(self.path_of(key)))).transpose()
    }

    /// The value under `key` as `read` takes it, or `default` if it is absent.
    pub fn or<T>(&self, key: &str, default: T, read: impl Fn(&Value) -> Fit<T>) -> Result<T> {
        Ok(self.optional(key, read)?.unwrap_or(default))
    }

    /// The value under `key` as `read` takes it; `read` also decides what to say if it is absent.
    pub fn required<T>(&self, key: &str, read: impl Fn(&Value) -> Fit<T>) -> Result<T> {
        read(self.get(key).unwrap_or(&Value::Null)).map_err(|misfit| misfit.at(self.path_of(key)))
    }

    /// Checks a key that is a name given by the user; a bad one is an error of this section.
    pub fn check_key(&self, key: &str, read: impl Fn(&Value) -> Fit<String>) -> Result<String> {
        read(&Value::from(key)).map_err(|misfit| misfit.at(&self.path))
    }

    /// The dotted key of an entry.
    pub fn path_of(&self, key: &str) -> String {
        below(&self.path, key)
    }
}

/// The dotted path of `key` below `path`, which may be empty.
pub(super) fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::value::{flag, name};
    use super::*;

    #[test]
    fn keys_are_read_where_they_are() {
        let value = json!({ "worker": { "on": true, "off": null } });
        let root = Section::new("", &value, &["worker", "other"]).unwrap();
        let worker = root.section("worker", &["on", "off"]).unwrap();
        assert!(worker.or("on", false, flag).unwrap());
        assert!(worker.or("off", true, flag).unwrap(), "null is absent");
        assert_eq!(worker.optional("off", flag).unwrap(), None);
        assert_eq!(worker.entries().count(), 1);
        assert_eq!(root.section("other", &[]).unwrap().entries().count(), 0);
    }

    #[test]
    fn errors_name_the_dotted_key() {
        let value = json!({ "worker": { "on": 1, "x": "hunter2" }, "list": [] });
        let root = Section::new("", &value, &["worker", "list"]).unwrap();
        let worker = root.names("worker").unwrap();
        assert_eq!(worker.optional("on", flag).unwrap_err().to_string(), "worker.on: got 1, wants true or false");
        assert!(
            worker.required("absent", name).unwrap_err().to_string().starts_with("worker.absent: got nothing, wants")
        );
        assert!(worker.check_key("", name).unwrap_err().to_string().starts_with("worker: got \"\", wants a name"));
        let unknown = root.section("worker", &["on", "off"]).err().unwrap().to_string();
        assert_eq!(unknown, "worker.x: got an unknown key, wants one of on, off");
        let list = root.section("list", &[]).err().unwrap().to_string();
        assert_eq!(list, "list: got an array, wants an object");
    }
}
