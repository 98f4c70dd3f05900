//! Which transports messages go to, by priority.

use serde::Serialize;
use serde_json::Value;

use crate::base::limits::{HIGHEST_PRIORITY, LOWEST_PRIORITY};
use crate::base::pattern;
use crate::config::bounds::{Bounds, Kind};
use crate::config::keys::{Key, Rule};
use crate::config::section::Section;
use crate::config::value::{Misfit, name, one_or_more, pattern as type_or_pattern, whole};
use crate::error::Result;

/// Sends messages of certain priorities to certain transports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PriorityRoute {
    /// The lowest priority it applies to.
    pub min: u8,
    /// The highest priority it applies to, at least `min`.
    pub max: u8,
    /// Where the messages go, at least one.
    #[serde(rename = "transport")]
    pub transports: Vec<String>,
    /// Message types and patterns it applies to; empty = all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
}

impl PriorityRoute {
    /// Whether the rule decides about messages of this type and priority.
    pub fn applies(&self, message_type: &str, priority: u8) -> bool {
        let is_type = |pattern: &String| pattern::matches(pattern, message_type);
        (self.min..=self.max).contains(&priority) && (self.types.is_empty() || self.types.iter().any(is_type))
    }

    fn read((index, rule): (usize, &Value)) -> Result<Self> {
        let section = Section::new(format!("priorityRouting[{index}]"), rule, &["min", "max", "transport", "types"])?;
        let min = section.or("min", LOWEST_PRIORITY, whole(LOWEST_PRIORITY, HIGHEST_PRIORITY).fit)?;
        Ok(Self {
            min,
            max: section.or("max", HIGHEST_PRIORITY, whole(min, HIGHEST_PRIORITY).fit)?,
            transports: section.required("transport", one_or_more(name))?,
            types: section.or("types", Vec::new(), one_or_more(type_or_pattern))?,
        })
    }
}

/// An array of rules, of which the first that applies decides.
pub(in crate::config) struct PriorityRouting;

impl Rule<Vec<PriorityRoute>> for PriorityRouting {
    fn read(&self, root: &Section<'_>, key: &str, default: Vec<PriorityRoute>) -> Result<Vec<PriorityRoute>> {
        match root.get(key) {
            None => Ok(default),
            Some(Value::Array(rules)) => rules.iter().enumerate().map(PriorityRoute::read).collect(),
            Some(other) => Err(Misfit::new(other, "an array of { min?, max?, transport, types? }").at(key)),
        }
    }

    fn describe(&self, path: &str, variable: Option<&'static str>, table: &mut Vec<Key>) {
        let priority = whole(LOWEST_PRIORITY, HIGHEST_PRIORITY).bounds;
        let names = Bounds::of(Kind::List);
        table.extend(
            [
                ("min", &priority, LOWEST_PRIORITY.into()),
                ("max", &priority, HIGHEST_PRIORITY.into()),
                ("transport", &names, Value::Null),
                ("types", &names, Value::Null),
            ]
            .map(|(key, bounds, default)| Key {
                path: format!("{path}.*.{key}"),
                bounds: bounds.clone(),
                default,
                variable,
            }),
        );
    }
}
