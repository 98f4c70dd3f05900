//! Instants that may have been written by hand: also `infinity`, and years beyond the calendar.

use crate::store::dead_letters::Moment;
use bytes::{BufMut, BytesMut};
use chrono::{DateTime, Utc};
use std::error::Error;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

type Fallible<T> = Result<T, Box<dyn Error + Sync + Send>>;

/// An instant to show; `None` for what cannot be shown. One such row must not hide the others.
pub struct Shown(pub Option<DateTime<Utc>>);

impl<'a> FromSql<'a> for Shown {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Fallible<Self> {
        Ok(Self(DateTime::from_sql(kind, raw).ok()))
    }

    fn from_sql_null(_: &Type) -> Fallible<Self> {
        Ok(Self(None))
    }

    accepts!(TIMESTAMPTZ);
}

impl<'a> FromSql<'a> for Moment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Fallible<Self> {
        Ok(Self(i64::from_be_bytes(raw.try_into()?)))
    }

    accepts!(TIMESTAMPTZ);
}

impl ToSql for Moment {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Fallible<IsNull> {
        out.put_i64(self.0);
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}
