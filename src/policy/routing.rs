//! Which transports a message goes to. Pure.

use crate::base::pattern;
use crate::config::Config;

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
pub fn route(config: &Config, message_type: &str, priority: Option<u8>, chosen: Option<&[String]>) -> Vec<String> {
    let transports = chosen
        .filter(|chosen| !chosen.is_empty())
        .or_else(|| by_priority(config, message_type, priority.unwrap_or(config.default_priority)))
        .or_else(|| pattern::most_specific(&config.routing, message_type).map(Vec::as_slice))
        .unwrap_or(std::slice::from_ref(&config.default_transport));
    each_once(transports)
}

fn by_priority<'a>(config: &'a Config, message_type: &str, priority: u8) -> Option<&'a [String]> {
    let rule = config.priority_routing.iter().find(|rule| rule.applies(message_type, priority))?;
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
        assert_eq!(route(&config(json!({})), "EmailMessage", None, None), ["supabase"]);
        assert_eq!(route(&config(json!({ "defaultTransport": "later" })), "EmailMessage", None, None), ["later"]);
    }

    #[test]
    fn the_routes_of_the_seeds() {
        let config = config(json!({ "routing": {
            "EmailMessage": "email", "CampaignMessage": ["async", "email"], "SMSMessage": "async",
        }}));
        assert_eq!(route(&config, "EmailMessage", None, None), ["email"]);
        assert_eq!(route(&config, "CampaignMessage", None, None), ["async", "email"]);
        assert_eq!(route(&config, "SMSMessage", Some(10), None), ["async"]);
        assert_eq!(route(&config, "Other", None, None), ["supabase"]);
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
            assert_eq!(route(&config, message_type, None, None), [expected], "{message_type}");
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
        assert_eq!(route(&config, "EmailMessage", Some(10), None), ["urgent", "audit"]);
        assert_eq!(route(&config, "EmailMessage", Some(7), None), ["fast"]);
        assert_eq!(route(&config, "Sms", Some(8), None), ["fast"]);
        assert_eq!(route(&config, "Other", Some(8), None), ["supabase"]);
        assert_eq!(route(&config, "EmailMessage", Some(2), None), ["slow"]);
        assert_eq!(route(&config, "EmailMessage", None, None), ["email"]);
    }

    #[test]
    fn without_a_priority_the_default_one_counts() {
        let config = config(json!({ "defaultPriority": 9, "priorityRouting": [{ "min": 9, "transport": "urgent" }] }));
        assert_eq!(route(&config, "Any", None, None), ["urgent"]);
        assert_eq!(route(&config, "Any", Some(5), None), ["supabase"]);
    }

    #[test]
    fn the_callers_choice_overrides_everything() {
        let config = config(json!({
            "routing": { "*": "rest" },
            "priorityRouting": [{ "min": 1, "transport": "urgent" }],
        }));
        let chosen = ["mine".to_owned(), "backup".to_owned()];
        assert_eq!(route(&config, "Any", Some(10), Some(&chosen)), chosen);
        assert_eq!(route(&config, "Any", Some(10), Some(&[])), ["urgent"]);
    }

    #[test]
    fn names_appear_once_in_order() {
        let config = config(json!({ "routing": { "Any": ["b", "a", "b", "a"] } }));
        assert_eq!(route(&config, "Any", None, None), ["b", "a"]);
        let chosen = ["x", "y", "x"].map(str::to_owned);
        assert_eq!(route(&config, "Any", None, Some(&chosen)), ["x", "y"]);
    }
}
