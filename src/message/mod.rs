//! A message as it comes in ([`request`]), and as it travels ([`envelope`]).

pub mod envelope;
pub mod request;
