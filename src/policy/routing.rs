//! Which transports a message goes to. Pure.

use crate::base::pattern;
use serde::Serialize;
use std::collections::BTreeMap;

/// Sends messages of certain priorities to certain transports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PriorityRoute {
    /// The lowest priority it applies to, 1 to 10. Default 1.
    pub min: u8,
    /// The highest priority it applies to, from `min` to 10. Default 10.
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
}

/// What decides where a message goes.
#[derive(Debug, Clone, Copy)]
pub struct Routes<'a> {
    /// Where a message goes by default.
    pub default_transport: &'a String,
    /// The priority of a message that specifies none.
    pub default_priority: u8,
    /// Transports by message type or pattern.
    pub by_type: &'a BTreeMap<String, Vec<String>>,
    /// Rules that come before `by_type`.
    pub by_priority: &'a [PriorityRoute],
}

/// The names of the transports for a message, at least one, each once, in the order configured.
///
/// The first of these that applies decides alone:
/// 1. `chosen`, the caller's `options.transport` (an empty slice does not apply);
/// 2. `priorityRouting`: the first rule whose range contains the effective priority (`priority`, else the default one)
///    and whose `types`, if any, match;
/// 3. `routing` for exactly this type;
/// 4. `routing` for the longest matching pattern: `Email*` before `E*` before `*`;
/// 5. the default transport.
///
/// The names are not looked up: a transport may exist only in the database.
pub fn route(routes: &Routes<'_>, message_type: &str, priority: Option<u8>, chosen: Option<&[String]>) -> Vec<String> {
    let transports = chosen
        .filter(|chosen| !chosen.is_empty())
        .or_else(|| by_priority(routes, message_type, priority.unwrap_or(routes.default_priority)))
        .or_else(|| pattern::most_specific(routes.by_type, message_type).map(Vec::as_slice))
        .unwrap_or(std::slice::from_ref(routes.default_transport));
    each_once(transports)
}

fn by_priority<'a>(routes: &Routes<'a>, message_type: &str, priority: u8) -> Option<&'a [String]> {
    let rule = routes.by_priority.iter().find(|rule| rule.applies(message_type, priority))?;
    Some(&rule.transports)
}

fn each_once(names: &[String]) -> Vec<String> {
    let mut unique = Vec::with_capacity(names.len());
    for name in names {
        if !unique.contains(name) {
            unique.push(name.clone());
        }
    }
    unique
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::{Config, Layers, resolve};

    fn config(config: Value) -> Config {
        resolve(&Layers { config, ..Layers::default() }).unwrap()
    }

    #[test]
    fn no_route_is_the_default_transport() {
        assert_eq!(route(&config(json!({})).routes(), "EmailMessage", None, None), ["supabase"]);
        assert_eq!(
            route(&config(json!({ "defaultTransport": "later" })).routes(), "EmailMessage", None, None),
            ["later"]
        );
    }

    #[test]
    fn the_routes_of_the_seeds() {
        let config = config(json!({ "routing": {
            "EmailMessage": "email", "CampaignMessage": ["async", "email"], "SMSMessage": "async",
        }}));
        assert_eq!(route(&config.routes(), "EmailMessage", None, None), ["email"]);
        assert_eq!(route(&config.routes(), "CampaignMessage", None, None), ["async", "email"]);
        assert_eq!(route(&config.routes(), "SMSMessage", Some(10), None), ["async"]);
        assert_eq!(route(&config.routes(), "Other", None, None), ["supabase"]);
    }

    #[test]
    fn exact_before_the_longest_pattern_before_the_star() {
        let config = config(json!({ "routing": {
            "*": "rest", "E*": "e", "Email*": "mail", "EmailMessage": "exact", "EmailMessageLong*": "long",
        }}));
        for (message_type, expected) in [
            ("EmailMessage", "exact"),
            ("EmailMessages", "mail"),
            ("Email", "mail"),
            ("EmailMessageLonger", "long"),
            ("Event", "e"),
            ("SMSMessage", "rest"),
            ("email", "rest"),
        ] {
            assert_eq!(route(&config.routes(), message_type, None, None), [expected], "{message_type}");
        }
    }

    #[test]
    fn priority_rules_come_before_routes_and_the_first_match_wins() {
        let config = config(json!({
            "routing": { "EmailMessage": "email" },
            "priorityRouting": [
                { "min": 9, "transport": ["urgent", "audit"] },
                { "min": 7, "transport": "fast", "types": ["Email*", "Sms"] },
                { "max": 2, "transport": "slow" },
            ],
        }));
        assert_eq!(route(&config.routes(), "EmailMessage", Some(10), None), ["urgent", "audit"]);
        assert_eq!(route(&config.routes(), "EmailMessage", Some(7), None), ["fast"]);
        assert_eq!(route(&config.routes(), "Sms", Some(8), None), ["fast"]);
        assert_eq!(route(&config.routes(), "Other", Some(8), None), ["supabase"]);
        assert_eq!(route(&config.routes(), "EmailMessage", Some(2), None), ["slow"]);
        assert_eq!(route(&config.routes(), "EmailMessage", None, None), ["email"]);
    }

    #[test]
    fn without_a_priority_the_default_one_counts() {
        let config = config(json!({ "defaultPriority": 9, "priorityRouting": [{ "min": 9, "transport": "urgent" }] }));
        assert_eq!(route(&config.routes(), "Any", None, None), ["urgent"]);
        assert_eq!(route(&config.routes(), "Any", Some(5), None), ["supabase"]);
    }

    #[test]
    fn the_callers_choice_overrides_everything() {
        let config = config(json!({
            "routing": { "*": "rest" },
            "priorityRouting": [{ "min": 1, "transport": "urgent" }],
        }));
        let chosen = ["mine".to_owned(), "backup".to_owned()];
        assert_eq!(route(&config.routes(), "Any", Some(10), Some(&chosen)), chosen);
        assert_eq!(route(&config.routes(), "Any", Some(10), Some(&[])), ["urgent"]);
    }

    #[test]
    fn names_appear_once_in_order() {
        let config = config(json!({ "routing": { "Any": ["b", "a", "b", "a"] } }));
        assert_eq!(route(&config.routes(), "Any", None, None), ["b", "a"]);
        let chosen = ["x", "y", "x"].map(str::to_owned);
        assert_eq!(route(&config.routes(), "Any", None, Some(&chosen)), ["x", "y"]);
    }
}
