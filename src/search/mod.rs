//! The language in which operators search messages: `type:Email,SMS -queue:bulk payload.user.id:123 created:>-1h`.
//!
//! A text is split into terms ([`lexer`]), which become a [`Query`] ([`parser`]); [`matcher`] says what one means, and
//! [`print`] writes it again. Nothing here knows of a database: `backends/postgres/search.rs` asks one the same.

mod complete;
mod decimal;
mod fields;
mod json;
mod lexer;
mod matcher;
mod parser;
mod pattern;
mod print;
mod query;
#[cfg(test)]
mod tests;

pub use complete::{Completion, Known, complete};
pub use fields::name;
pub use matcher::Facts;
pub use parser::parse;
pub use pattern::Pattern;
pub use query::{Bounds, Comparison, Field, Json, List, Operand, Query, Root, Term, Value, When, micros};

/// The longest query, in characters.
pub const MAX_LENGTH: usize = 2_000;
/// How many values all terms of a query have at most: each is looked for in up to 10,000 messages per page.
pub const MAX_VALUES: usize = 50;
/// How many stars a value has at most.
pub const MAX_STARS: usize = 10;
/// How many names a path has at most.
pub const MAX_DEPTH: usize = 20;
