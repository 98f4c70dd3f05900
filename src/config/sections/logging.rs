//! The lines that the built-in logger writes.

use serde::Serialize;

use crate::config::keys::section;
use crate::config::value::choice;

section! {
    /// The lines that the built-in logger writes.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize)]
    pub struct LoggingConfig {
        /// The least severe level that is written.
        pub level: LogLevel = LogLevel::Warn,
        "level": choice([
            ("debug", LogLevel::Debug),
            ("info", LogLevel::Info),
            ("warn", LogLevel::Warn),
            ("error", LogLevel::Error),
            ("silent", LogLevel::Silent),
        ]), "SYMPHONY_LOG_LEVEL";

        /// How lines look.
        pub format: LogFormat = LogFormat::Auto,
        "format": choice([
            ("auto", LogFormat::Auto),
            ("json", LogFormat::Json),
            ("text", LogFormat::Text),
        ]), "SYMPHONY_LOG_FORMAT";
    }
}

/// Severities, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LogLevel {
    /// Every message.
    Debug,
    /// What happens in normal operation.
    Info,
    /// What someone should look at.
    Warn,
    /// What went wrong.
    Error,
    /// Nothing.
    Silent,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LogFormat {
    /// JSON in production, text elsewhere.
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}
