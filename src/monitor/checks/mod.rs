//! What the facts mean. Pure: facts come in, findings go out, on one scale, each with its remedy.

pub mod database;
pub mod queue;

use crate::error::Error;
use serde::Serialize;

/// The scale: of one finding, and of all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// It works, but someone should look.
    Warning,
    /// It does not work, or is not safe.
    Error,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was checked, a stable name.
    pub check: &'static str,
    /// How it is.
    pub severity: Severity,
    /// What was seen.
    pub message: String,
    /// What to do, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The figure that was checked, if there is one: milliseconds, counts, fractions from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, severity: Severity::Ok, message: message.into(), remedy: None, value: None }
    }

    /// It works, but someone should look.
    pub fn warning(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::ok(check, message).judged(Severity::Warning, remedy)
    }

    /// It does not work, or is not safe.
    pub fn error(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::ok(check, message).judged(Severity::Error, remedy)
    }

    /// A check that could not be made.
    pub fn refused(check: &'static str, error: &Error) -> Self {
        let message = format!("{} ({})", error.problem(), error.code());
        let looked_up = || format!("see {} in the troubleshooting guide", error.code());
        Self::error(check, message, error.remedy().map_or_else(looked_up, str::to_owned))
    }

    /// The same with its figure.
    fn of(self, value: f64) -> Self {
        Self { value: Some(value), ..self }
    }

    /// The same, this severe. What is as it should be needs no remedy.
    fn judged(self, severity: Severity, remedy: impl Into<String>) -> Self {
        let remedy = (severity != Severity::Ok).then(|| remedy.into());
        Self { severity, remedy, ..self }
    }
}

/// The worst of all.
pub fn worst(findings: &[Finding]) -> Severity {
    findings.iter().map(|it| it.severity).max().unwrap_or(Severity::Ok)
}

/// The first few of a list that may be long.
fn some(all: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = all.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN { format!("{shown} and {} more", all.len() - SHOWN) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_counts() {
        let (ok, warning, error) =
            (Finding::ok("a", "fine"), Finding::warning("b", "slow", "look"), Finding::error("c", "down", "repair"));
        assert_eq!(worst(&[]), Severity::Ok);
        assert_eq!(worst(&[warning.clone(), ok.clone()]), Severity::Warning);
        assert_eq!(worst(&[warning, error, ok]), Severity::Error);
    }

    #[test]
    fn a_cause_is_never_shown_as_a_remedy() {
        let (target, reason) = ("db:5432/app".to_owned(), "no route. Really: none".to_owned());
        for error in
            [Error::Connection { target, reason, sent: false }, Error::Timeout { operation: "claim", limit_ms: 5 }]
        {
            let finding = Finding::refused("database", &error);
            let remedy = finding.remedy.unwrap();
            assert!(finding.message.starts_with(&error.problem()), "{}", finding.message);
            assert!(!error.problem().contains(&remedy), "{remedy}");
            assert!(error.remedy().map_or(remedy.contains(error.code()), |it| remedy == it), "{remedy}");
        }
    }

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<String> = (0..7).map(|it| it.to_string()).collect();
        assert_eq!((some(&names[..2]), some(&names)), ("0, 1".to_owned(), "0, 1, 2, 3, 4 and 2 more".to_owned()));
    }
}
