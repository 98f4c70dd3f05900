//! What a section says about its keys, once: name, default, rule and variable.

use serde::Serialize;
use serde_json::Value;

use super::bounds::Bounds;
use super::section::Section;
use super::value::{Fit, Leaf};
use crate::error::Result;

/// One key of the configuration, as documents and typings are checked against it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Key {
    /// Its dotted path; `*` stands for a name, and for each rule of an array.
    #[serde(rename = "key")]
    pub path: String,
    /// What it may hold.
    #[serde(flatten)]
    pub bounds: Bounds,
    /// What applies if nothing sets it, durations in milliseconds; `null`: it is derived from other keys, or required.
    pub default: Value,
    /// The environment variable that sets it.
    pub variable: Option<&'static str>,
}

/// How the value of a key is read, and what is said about it.
pub(super) trait Rule<T> {
    /// The value under `key`, or `default` if it is absent.
    fn read(&self, section: &Section<'_>, key: &str, default: T) -> Result<T>;

    /// Adds the key at `path`, or all keys below it. Defaults are filled in afterwards where they are `null`.
    fn describe(&self, path: &str, variable: Option<&'static str>, table: &mut Vec<Key>);
}

impl<T, F: Fn(&Value) -> Fit<T>> Rule<T> for Leaf<F> {
    fn read(&self, section: &Section<'_>, key: &str, default: T) -> Result<T> {
        section.or(key, default, &self.fit)
    }

    fn describe(&self, path: &str, variable: Option<&'static str>, table: &mut Vec<Key>) {
        table.push(Key { path: path.to_owned(), bounds: self.bounds.clone(), default: Value::Null, variable });
    }
}

/// A struct that is an object of the configuration; `section!` implements it.
pub(super) trait Keys: Sized {
    /// The keys in the order in which errors list them.
    fn names() -> Vec<&'static str>;

    /// What `section` holds, with its gaps filled by `default`.
    fn read(section: &Section<'_>, default: Self) -> Result<Self>;

    /// Adds the keys below `path`.
    fn describe(path: &str, table: &mut Vec<Key>);
}

/// The rule of a key that is a section: a struct that implements [`Keys`].
pub(super) struct Nested;

impl<T: Keys> Rule<T> for Nested {
    fn read(&self, section: &Section<'_>, key: &str, default: T) -> Result<T> {
        T::read(&section.section(key, &T::names())?, default)
    }

    fn describe(&self, path: &str, _: Option<&'static str>, table: &mut Vec<Key>) {
        T::describe(path, table);
    }
}

/// A section: a struct with two lines per key, from which its default, reader and description are made.
///
/// The first line is the field with its default, the second the key with its [`Rule`] and, where there is one, the
/// environment variable that sets it.
macro_rules! section {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                pub $field:ident: $type:ty = $default:expr,
                $key:literal: $rule:expr $(, $variable:literal)?;
            )+
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(rename = $key)]
                pub $field: $type,
            )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $crate::config::keys::Keys for $name {
            fn names() -> Vec<&'static str> {
                vec![$($key),+]
            }

            fn read(section: &$crate::config::section::Section<'_>, default: Self) -> $crate::error::Result<Self> {
                Ok(Self { $($field: $crate::config::keys::Rule::read(&$rule, section, $key, default.$field)?,)+ })
            }

            fn describe(path: &str, table: &mut Vec<$crate::config::keys::Key>) {
                $(
                    let variable = [$($variable)?].first().copied();
                    let path_of_key = $crate::config::section::below(path, $key);
                    $crate::config::keys::Rule::<$type>::describe(&$rule, &path_of_key, variable, table);
                )+
            }
        }
    };

    // The same, with the defaults as a constant too.
    (const $built_in:ident; $(#[$meta:meta])* pub struct $name:ident {
        $(
            $(#[$field_meta:meta])*
            pub $field:ident: $type:ty = $default:expr,
            $key:literal: $rule:expr $(, $variable:literal)?;
        )+
    }) => {
        section! {
            $(#[$meta])*
            pub struct $name {
                $($(#[$field_meta])* pub $field: $type = $default, $key: $rule $(, $variable)?;)+
            }
        }

        impl $name {
            /// What applies by default.
            pub const $built_in: Self = Self { $($field: $default,)+ };
        }
    };
}

pub(super) use section;
