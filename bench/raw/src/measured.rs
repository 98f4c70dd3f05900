//! Wall time and CPU time of a measurement.

use serde_json::{Value, json};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A measurement under way.
pub struct Measured {
    start: Instant,
    started_at: f64,
    cpu: f64,
}

impl Measured {
    /// Begins now.
    pub fn start() -> Self {
        Self { start: Instant::now(), started_at: now(), cpu: cpu_seconds() }
    }

    /// Ends now; `more` goes into the answer.
    pub fn end(self, more: Value) -> Value {
        let mut answer = json!({
            "ms": self.start.elapsed().as_secs_f64() * 1000.0,
            "startedAt": self.started_at,
            "endedAt": now(),
            "cpu": cpu_seconds() - self.cpu,
            "rssMb": rss_mb(),
        });
        if let (Some(all), Value::Object(more)) = (answer.as_object_mut(), more) {
            all.extend(more);
        }
        answer
    }
}

/// Milliseconds since the epoch.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}

/// Seconds of CPU that this process has used; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
    let ticks = |index| fields.split(' ').nth(index).and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// The most memory that this process has had resident; 0 where the system does not tell.
fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
