//! Switches by name, for an application that moves to this queue step by step; the core itself does not read them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::keys::{Key, Rule};
use crate::config::section::{Section, below};
use crate::config::value::{FLAG, name};
use crate::error::Result;

/// The switch that is always there: whether the application uses the queue at all.
const MAIN: &str = "enabled";
const MAIN_VARIABLE: &str = "SYMPHONY_ENABLED";

/// Switches by name; only [`MAIN`] is always there.
pub(in crate::config) struct Features;

/// What applies by default.
pub(in crate::config) fn built_in() -> BTreeMap<String, bool> {
    [(MAIN.to_owned(), false)].into()
}

impl Rule<BTreeMap<String, bool>> for Features {
    fn read(
        &self,
        root: &Section<'_>,
        key: &str,
        mut default: BTreeMap<String, bool>,
    ) -> Result<BTreeMap<String, bool>> {
        let section = root.names(key)?;
        for (key, _) in section.entries() {
            default.insert(section.check_key(key, name)?, section.required(key, FLAG.fit)?);
        }
        Ok(default)
    }

    fn describe(&self, path: &str, _: Option<&'static str>, table: &mut Vec<Key>) {
        for (key, default, variable) in [(MAIN, Value::from(false), MAIN_VARIABLE), ("*", Value::Null, PATTERN)] {
            table.push(Key { path: below(path, key), bounds: FLAG.bounds, default, variable: Some(variable) });
        }
    }
}

/// The variables of the other switches, as documents show them.
const PATTERN: &str = "SYMPHONY_*_ENABLED";

/// The switch that a variable sets: `SYMPHONY_EMAIL_QUEUE_ENABLED` sets `emailQueue`.
pub(in crate::config) fn named_by(variable: &str) -> Option<String> {
    let words = variable.strip_prefix("SYMPHONY_")?.strip_suffix("_ENABLED")?;
    let is_plain = words.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_');
    let name = words.split('_').filter(|word| !word.is_empty()).enumerate().map(|(index, word)| {
        let lower = word.to_ascii_lowercase();
        if index == 0 { lower } else { format!("{}{}", &word[..1], &lower[1..]) }
    });
    Some(name.collect()).filter(|name: &String| is_plain && !name.is_empty() && name != MAIN)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{Layers, resolve};

    fn features(config: Value, variables: &[(&str, &str)]) -> Result<BTreeMap<String, bool>> {
        let environment = variables.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        Ok(resolve(&Layers { config, environment, ..Layers::default() })?.features)
    }

    fn of<const N: usize>(switches: [(&str, bool); N]) -> BTreeMap<String, bool> {
        switches.map(|(name, on)| (name.to_owned(), on)).into()
    }

    #[test]
    fn a_switch_has_any_name_and_the_main_one_is_always_there() {
        let config = json!({ "features": { "emailQueue": true, "new checkout": false, "gone": null } });
        let expected = of([("enabled", false), ("emailQueue", true), ("new checkout", false)]);
        assert_eq!(features(config, &[]).unwrap(), expected);
        assert_eq!(features(json!({ "features": null }), &[]).unwrap(), of([("enabled", false)]));
    }

    #[test]
    fn a_switch_is_true_or_false() {
        for (config, problem) in [
            (json!({ "features": { "emailQueue": "yes" } }), "features.emailQueue: got \"yes\", wants true or false"),
            (json!({ "features": { "enabled": 1 } }), "features.enabled: got 1, wants true or false"),
            (json!({ "features": { "": true } }), "features: got \"\", wants a name"),
            (json!({ "features": [] }), "features: got an array, wants an object"),
        ] {
            let told = features(config, &[]).unwrap_err().to_string();
            assert!(told.starts_with(problem), "{told}");
        }
    }

    #[test]
    fn a_variable_names_its_switch() {
        for (variable, name) in [
            ("SYMPHONY_EMAIL_QUEUE_ENABLED", Some("emailQueue")),
            ("SYMPHONY_SMS_ENABLED", Some("sms")),
            ("SYMPHONY_V2_3D__MAIL_ENABLED", Some("v23dMail")),
            ("SYMPHONY_ENABLED", None),
            ("SYMPHONY_ENABLED_ENABLED", None),
            ("SYMPHONY___ENABLED", None),
            ("SYMPHONY_*_ENABLED", None),
            ("SYMPHONY_email_ENABLED", None),
            ("SYMPHONY_EMAIL_QUEUE", None),
            ("EMAIL_QUEUE_ENABLED", None),
        ] {
            assert_eq!(named_by(variable).as_deref(), name, "{variable}");
        }
    }

    #[test]
    fn variables_win_over_the_configuration_unless_they_belong_to_another_key() {
        let config = json!({ "features": { "emailQueue": false, "smsDrip": true } });
        let variables = [
            ("SYMPHONY_ENABLED", "1"),
            ("SYMPHONY_EMAIL_QUEUE_ENABLED", "on"),
            ("SYMPHONY_SMS_DRIP_ENABLED", " "),
            ("SYMPHONY_CIRCUIT_BREAKER_ENABLED", "true"),
        ];
        let expected = of([("enabled", true), ("emailQueue", true), ("smsDrip", true)]);
        assert_eq!(features(config, &variables).unwrap(), expected);
        let told = features(json!({}), &[("SYMPHONY_MAIL_ENABLED", "perhaps")]).unwrap_err().to_string();
        assert!(told.starts_with("SYMPHONY_MAIL_ENABLED: got \"perhaps\", wants one of true, false"), "{told}");
    }
}
