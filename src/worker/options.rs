//! What a consumer is asked to do, with defaults from the configuration.

use crate::config::Config;
use crate::error::{Error, Result};
use serde::Deserialize;
use std::time::Duration;

/// One bounded drain, or a worker that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Ends when nothing is left or a limit is reached.
    Drain,
    /// Ends when it is stopped.
    Run,
}

/// Characters of the name of a release that are kept.
const LONGEST_RELEASE: usize = 100;

/// As it comes in; the configuration fills the gaps.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    mode: Mode,
    transports: Option<Vec<String>>,
    queues: Option<Vec<String>>,
    types: Option<Vec<String>>,
    batch_size: Option<usize>,
    max_concurrency: Option<usize>,
    message_limit: Option<u64>,
    failure_limit: Option<u64>,
    time_limit: Option<f64>,
    poll_interval: Option<f64>,
    shutdown_timeout: Option<f64>,
    listen: Option<bool>,
    release: Option<String>,
    #[serde(default)]
    observe: bool,
}

/// What a consumer does.
#[derive(Debug, Clone)]
pub struct Options {
    /// Drain or run.
    pub mode: Mode,
    /// Transports in order of preference; `None`: all that store messages.
    pub transports: Option<Vec<String>>,
    /// Queues in order of preference within a priority; `None`: all.
    pub queues: Option<Vec<String>>,
    /// Types with a handler; `None`: all.
    pub types: Option<Vec<String>>,
    /// Messages per claim.
    pub batch_size: usize,
    /// Handlers at a time.
    pub max_concurrency: usize,
    /// Total messages.
    pub message_limit: Option<u64>,
    /// Total failed runs.
    pub failure_limit: Option<u64>,
    /// How long.
    pub time_limit: Option<Duration>,
    /// Between two polls of an empty queue.
    pub poll_interval: Duration,
    /// How long running handlers may take to end after a stop.
    pub shutdown_timeout: Duration,
    /// Whether to be woken by the transport, where it can; a bounded drain never waits.
    pub listen: bool,
    /// The release of the application.
    pub release: Option<String>,
    /// Whether events about single messages are wanted.
    pub observe: bool,
}

impl Options {
    /// Reads JSON text.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`] naming the option.
    pub fn read(text: &str, config: &Config) -> Result<Self> {
        let asked: Asked = serde_json::from_str(text)
            .map_err(|error| Error::configuration("consume options", error.to_string(), "the documented options"))?;
        let worker = &config.worker;
        Ok(Self {
            mode: asked.mode,
            transports: asked.transports.filter(|it| !it.is_empty()),
            queues: asked.queues.filter(|it| !it.is_empty()),
            types: asked.types,
            batch_size: within("batchSize", asked.batch_size, 1, 10_000)?.unwrap_or(worker.batch_size),
            max_concurrency: within("maxConcurrency", asked.max_concurrency, 1, 10_000)?
                .unwrap_or(worker.max_concurrency),
            message_limit: within("messageLimit", asked.message_limit, 1, u64::MAX)?,
            failure_limit: within("failureLimit", asked.failure_limit, 1, u64::MAX)?,
            time_limit: millis("timeLimit", asked.time_limit)?,
            poll_interval: millis("pollInterval", asked.poll_interval)?.unwrap_or(worker.poll_interval),
            shutdown_timeout: millis("shutdownTimeout", asked.shutdown_timeout)?.unwrap_or(worker.shutdown_timeout),
            listen: asked.mode == Mode::Run && asked.listen.unwrap_or(true),
            release: asked.release.map(|it| it.replace('\0', "").chars().take(LONGEST_RELEASE).collect()),
            observe: asked.observe,
        })
    }
}

fn within<T: PartialOrd + Copy + ToString>(name: &str, value: Option<T>, min: T, max: T) -> Result<Option<T>> {
    match value {
        Some(value) if value < min || value > max => Err(Error::configuration(
            name,
            value.to_string(),
            format!("a whole number from {} to {}", min.to_string(), max.to_string()),
        )),
        value => Ok(value),
    }
}

fn millis(name: &str, value: Option<f64>) -> Result<Option<Duration>> {
    match value {
        Some(ms) if !(0.0..=1e12).contains(&ms) => {
            Err(Error::configuration(name, ms.to_string(), "milliseconds, 0 or more"))
        }
        value => Ok(value.map(|ms| Duration::from_secs_f64(ms / 1000.0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_comes_from_the_configuration() {
        let config = Config::default();
        let options = Options::read(r#"{"mode":"drain","timeLimit":2000}"#, &config).unwrap();
        assert_eq!(options.batch_size, config.worker.batch_size);
        assert_eq!(options.time_limit, Some(Duration::from_secs(2)));
        assert!(options.message_limit.is_none());
    }

    #[test]
    fn a_bad_option_is_named() {
        for (text, name) in [
            (r#"{"mode":"drain","batchSize":0}"#, "batchSize"),
            (r#"{"mode":"drain","maxConcurrency":10001}"#, "maxConcurrency"),
            (r#"{"mode":"drain","timeLimit":-1}"#, "timeLimit"),
            (r#"{"mode":"drain","speed":1}"#, "speed"),
        ] {
            let error = Options::read(text, &Config::default()).unwrap_err();
            assert_eq!(error.code(), "SYMPHONY_INVALID_CONFIGURATION");
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_asked_is_within_bounds_or_refused(
            text in "\\PC*", number in proptest::num::f64::ANY, whole: i64,
            name in "batchSize|maxConcurrency|messageLimit|failureLimit|timeLimit|pollInterval|shutdownTimeout|types|mode",
        ) {
            let config = Config::default();
            let asked = [
                text.clone(),
                format!(r#"{{"mode":"drain","{name}":{whole}}}"#),
                serde_json::json!({ "mode": "run", &*name: number }).to_string(),
                serde_json::json!({ "mode": "run", &*name: text, "queues": [text] }).to_string(),
            ];
            for asked in asked {
                if let Ok(options) = Options::read(&asked, &config) {
                    proptest::prop_assert!((1..=10_000).contains(&options.batch_size));
                    proptest::prop_assert!((1..=10_000).contains(&options.max_concurrency));
                    proptest::prop_assert!(options.message_limit != Some(0));
                }
            }
        }
    }
}
