//! Which tests run for which transports.

macro_rules! tests_of {
    ($subject:ident as $module:ident: $($test:ident)*) => {
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
