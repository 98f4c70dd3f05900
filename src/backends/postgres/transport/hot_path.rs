//! Encoding a batch, for an instruction counter: see `src/hot_paths.rs`.

use crate::backends::postgres::parameters::Columns;
use crate::hot_paths::messages;
use crate::message::envelope::{Available, Envelope};
use std::hint::black_box;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, Type};
use uuid::Uuid;

const TYPES: [Type; 11] = [
    Type::UUID_ARRAY,
    Type::TEXT_ARRAY,
    Type::TEXT_ARRAY,
    Type::TEXT_ARRAY,
    Type::INT2_ARRAY,
    Type::INT4_ARRAY,
    Type::TIMESTAMPTZ_ARRAY,
    Type::FLOAT8_ARRAY,
    Type::TEXT_ARRAY,
    Type::TEXT_ARRAY,
    Type::TEXT_ARRAY,
];

/// Envelopes as columns, and the columns as the bytes of the statement's parameters.
#[test]
#[ignore = "for an instruction counter"]
fn encoding() {
    let envelopes: Vec<Envelope> = (0..messages()).map(envelope).collect();
    let columns = Columns::of(black_box(&envelopes));
    let mut out = BytesMut::new();
    for (parameter, kind) in columns.parameters().iter().zip(&TYPES) {
        assert!(matches!(parameter.to_sql_checked(kind, &mut out), Ok(IsNull::No)));
    }
    assert!(black_box(out).len() > envelopes.len());
}

fn envelope(number: usize) -> Envelope {
    Envelope {
        id: Uuid::from_u128(number as u128),
        message_type: "EmailMessage".into(),
        transport: "supabase".into(),
        queue: "default".into(),
        priority: 5,
        body: r#"{"n":1,"to":"ada@example.com","template":"welcome"}"#.into(),
        headers: None,
        metadata: None,
        available: Available::Now,
        key: None,
        max_retries: None,
    }
}
