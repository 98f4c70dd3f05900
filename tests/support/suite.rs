//! Which tests run for which transports.

// Each test program uses its own part of this.
#![allow(unused_macros)]

/// For one kind of transport, under settings.
macro_rules! tests_of {
    ($subject:ident as $module:ident, $settings:expr; $($test:ident)*) => {
        mod $module {
            use crate::support::any_kind::check_suite;
            use crate::support::subject::$subject;

            $(
                #[test]
                fn $test() {
                    check_suite::<$subject>($settings, |it| Box::pin(super::$test(it)));
                }
            )*
        }
    };
}

/// For the transports that hold messages and their leases by themselves, `postgres` twice.
macro_rules! for_stores {
    ($($test:ident)*) => {
        tests_of!(Memory as memory, serde_json::json!({}); $($test)*);
        tests_of!(Postgres as postgres, serde_json::json!({}); $($test)*);
        tests_of!(Pooled as pooled, serde_json::json!({}); $($test)*);
    };
}

/// For every transport that messages wait in; what follows the semicolon, not for a broker with its companion.
macro_rules! for_drains {
    ($($test:ident)* $(; $($own:ident)*)?) => {
        for_stores!($($test)* $($($own)*)?);
        tests_of!(Accompanied as companion, serde_json::json!({}); $($test)*);
        tests_of!(AccompaniedByPostgres as companion_postgres, serde_json::json!({}); $($test)*);
    };
}

/// For a broker with its companion, by the store that it has: these tests look into the broker.
macro_rules! for_brokers {
    (@ $subject:ident as $module:ident; $($test:ident)*) => {
        mod $module {
            use crate::support::subject::{$subject, check};

            $(
                #[test]
                fn $test() {
                    check(serde_json::json!({}), super::$test::<$subject>);
                }
            )*
        }
    };
    ($($test:ident)*) => {
        for_brokers!(@ Accompanied as companion; $($test)*);
        for_brokers!(@ AccompaniedByPostgres as companion_postgres; $($test)*);
    };
}

/// For every transport.
macro_rules! for_all {
    ($($test:ident)*) => {
        for_drains!($($test)*);
        tests_of!(OnTheSpot as sync, serde_json::json!({}); $($test)*);
    };
}
