//! Which transports messages go to, by type.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::bounds::{Bounds, Kind};
use crate::config::keys::{Key, Rule};
use crate::config::section::Section;
use crate::config::value::{name, one_or_more, pattern};
use crate::error::Result;

/// Transports by message type or pattern.
pub(in crate::config) struct Routing;

impl Rule<BTreeMap<String, Vec<String>>> for Routing {
    fn read(
        &self,
        root: &Section<'_>,
        key: &str,
        _: BTreeMap<String, Vec<String>>,
    ) -> Result<BTreeMap<String, Vec<String>>> {
        let section = root.names(key)?;
        let read = |(key, _)| Ok((section.check_key(key, pattern)?, section.required(key, one_or_more(name))?));
        section.entries().map(read).collect()
    }

    fn describe(&self, path: &str, variable: Option<&'static str>, table: &mut Vec<Key>) {
        let path = format!("{path}.*");
        table.push(Key { path, bounds: Bounds::of(Kind::List), default: Value::Null, variable });
    }
}
