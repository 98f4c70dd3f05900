//! Which lines an instance wants. Pure.

use crate::base::targets;
use crate::config::{LogLevel, LoggingConfig};
use std::collections::BTreeMap;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;

/// Which lines an instance wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    others: LevelFilter,
    by_target: BTreeMap<&'static str, LevelFilter>,
}

impl Filter {
    /// None.
    pub const OFF: Self = Self { others: LevelFilter::OFF, by_target: BTreeMap::new() };

    /// Lines from `level` on, and those of single targets as the configuration says.
    pub fn new(level: LogLevel, config: &LoggingConfig) -> Self {
        let of = |target: &'static str| Some((target, severity(*config.targets.get(target)?)));
        Self { others: severity(level), by_target: targets::ALL.into_iter().filter_map(of).collect() }
    }

    /// Whether it wants this line. Those of other crates in the addon have other targets, and nobody wants them.
    pub fn wants(&self, it: &Metadata<'_>) -> bool {
        targets::ALL.contains(&it.target()) && *it.level() <= *self.by_target.get(it.target()).unwrap_or(&self.others)
    }

    /// The least severe line that it may want.
    pub fn most_verbose(&self) -> LevelFilter {
        self.by_target.values().copied().fold(self.others, LevelFilter::max)
    }
}

fn severity(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Silent => LevelFilter::OFF,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::{Level, Metadata, callsite::DefaultCallsite, field::FieldSet, metadata::Kind};

    fn wants(filter: &Filter, target: &'static str, level: Level) -> bool {
        static SITE: DefaultCallsite = DefaultCallsite::new(&META);
        static META: Metadata<'static> = Metadata::new(
            "",
            "",
            Level::ERROR,
            None,
            None,
            None,
            FieldSet::new(&[], tracing::callsite::Identifier(&SITE)),
            Kind::EVENT,
        );
        let fields = FieldSet::new(&[], META.callsite());
        filter.wants(&Metadata::new("it", target, level, None, None, None, fields, Kind::EVENT))
    }

    #[test]
    fn a_target_has_its_own_level_and_the_others_that_of_the_logger() {
        let targets =
            [("symphony::postgres".to_owned(), LogLevel::Debug), ("symphony::log".to_owned(), LogLevel::Silent)];
        let config = LoggingConfig { targets: targets.into(), ..LoggingConfig::default() };
        let filter = Filter::new(LogLevel::Warn, &config);
        assert!(wants(&filter, targets::POSTGRES, Level::DEBUG) && !wants(&filter, targets::POSTGRES, Level::TRACE));
        assert!(wants(&filter, targets::WORKER, Level::WARN) && !wants(&filter, targets::WORKER, Level::INFO));
        assert!(!wants(&filter, targets::LOG, Level::ERROR));
        assert_eq!(filter.most_verbose(), LevelFilter::DEBUG);
        assert_eq!(Filter::OFF.most_verbose(), LevelFilter::OFF);
    }

    #[test]
    fn nobody_wants_lines_of_other_crates() {
        let filter = Filter::new(LogLevel::Debug, &LoggingConfig::default());
        assert!(!wants(&filter, "deadpool.postgres", Level::ERROR));
    }
}
