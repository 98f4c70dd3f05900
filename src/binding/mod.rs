//! The border to JavaScript: the only module that knows napi.
//!
//! It converts and nothing else. Everything that is not a plain number crosses as JSON text: one string for a batch
//! of 100 costs 1.7 us per message, objects built field by field 3.6, `serde_json::Value` 13 (Node 20). Errors cross as
//! JSON in the message of an ordinary `Error`, which the facade turns into classes with codes: an async export
//! cannot carry a code of its own.
//!
//! No export panics into Node (`catch_unwind`), and no callback keeps the process alive (weak threadsafe functions).

mod callback;
mod consumer;
mod core;
mod inline;
mod insights;
mod memory;
mod pure;
mod runtime;
mod scheduler;
mod thrown;

#[cfg(test)]
mod tests {
    /// A panic in an export without it ends the process, not the call.
    #[test]
    fn every_export_keeps_its_panics_to_itself() {
        let mut exports = 0;
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/binding")).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for export in text.split("    #[napi").skip(1).chain(text.split("\n#[napi").skip(1)) {
                let head = export.split('{').next().unwrap_or_default();
                if head.contains(" fn ") && !head.contains("async fn") && !export.starts_with("_derive") {
                    assert!(head.contains("catch_unwind"), "#[napi{head}");
                    exports += 1;
                }
            }
        }
        assert!(exports > 10, "{exports} exports were found");
    }

    /// Outside the span of the instance, nobody knows whose log lines those of a call are.
    #[test]
    fn every_call_of_the_core_is_logged_for_its_instance() {
        let apart =
            ["self.dispatch_atomically(", "consumer.ended()", "self.consumer.clone().run()", "self.engine.transports("];
        let mut calls = 0;
        for file in ["core.rs", "insights.rs", "scheduler.rs", "consumer.rs"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/binding").join(file);
            let text = std::fs::read_to_string(path).unwrap();
            for line in text.lines().filter(|it| it.contains(".await")) {
                let is_logged = line.contains("self.logged(") || line.contains("self.answer(");
                assert!(is_logged || apart.iter().any(|it| line.contains(it)), "{line}");
                calls += usize::from(is_logged);
            }
        }
        assert!(calls > 30, "{calls} calls were found");
    }
}
