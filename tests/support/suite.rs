//! Which tests run for which transports.

// Each test program uses its own part of this.
#![allow(unused_macros)]

macro_rules! tests_of {
    ($subject:ident as $module:ident with $settings:expr => $($test:ident)*) => {
        mod $module {
            use crate::support::subject::{$subject, check};

            $(
                #[test]
                fn $test() {
                    check($settings, super::$test::<$subject>);
                }
            )*
        }
    };
    ($subject:ident as $module:ident: $($test:ident)*) => {
        tests_of!($subject as $module with serde_json::json!({}) => $($test)*);
    };
}

/// For the transports that store messages.
macro_rules! for_stores {
    ($($test:ident)*) => {
        tests_of!(Memory as memory: $($test)*);
        tests_of!(Postgres as postgres: $($test)*);
        tests_of!(Pooled as pooled: $($test)*);
    };
}

/// For every transport.
macro_rules! for_all {
    ($($test:ident)*) => {
        for_stores!($($test)*);
        tests_of!(OnTheSpot as sync: $($test)*);
    };
}
