//! How messages are consumed.

use std::time::Duration;

use serde::Serialize;

use crate::base::limits::LONGEST_TIMER_MS;
use crate::config::keys::section;
use crate::config::serialize::{millis, timeout};
use crate::config::value::{duration, time_limit, whole};

section! {
    /// How messages are consumed.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct WorkerConfig {
        /// Messages claimed at once.
        pub batch_size: usize = 10,
        "batchSize": whole(1, 10_000), "SYMPHONY_WORKER_BATCH_SIZE";

        /// Handlers that run at the same time.
        pub max_concurrency: usize = 5,
        "maxConcurrency": whole(1, 10_000), "SYMPHONY_WORKER_MAX_CONCURRENCY";

        /// Pause of an idle worker between two polls.
        #[serde(serialize_with = "millis")]
        pub poll_interval: Duration = Duration::from_secs(1),
        "pollInterval": duration(1.0, LONGEST_TIMER_MS), "SYMPHONY_WORKER_POLL_INTERVAL";

        /// How long a claim is valid without a heartbeat.
        #[serde(serialize_with = "millis")]
        pub lease: Duration = Duration::from_secs(30),
        "lease": duration(1_000.0, LONGEST_TIMER_MS), "SYMPHONY_WORKER_LEASE";

        /// The number of crashes that make a message a dead letter.
        pub max_crashes: i16 = 3,
        "maxCrashes": whole(2, 1_000), "SYMPHONY_WORKER_MAX_CRASHES";

        /// How long one handler may run; `None` (0 in JSON) = no limit.
        #[serde(serialize_with = "timeout")]
        pub handler_timeout: Option<Duration> = Some(Duration::from_mins(15)),
        "handlerTimeout": time_limit(LONGEST_TIMER_MS), "SYMPHONY_WORKER_HANDLER_TIMEOUT";

        /// How long a stopping worker waits for running handlers before it releases their messages.
        #[serde(serialize_with = "millis")]
        pub shutdown_timeout: Duration = Duration::from_secs(30),
        "shutdownTimeout": duration(0.0, LONGEST_TIMER_MS), "SYMPHONY_WORKER_SHUTDOWN_TIMEOUT";
    }
}
