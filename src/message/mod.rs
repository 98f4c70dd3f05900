//! A message as it comes in ([`request`]), as it travels ([`envelope`]), and what becomes of it ([`outcome`]).

pub mod carried;
pub mod claimed;
pub mod edit;
pub mod envelope;
pub mod key;
pub mod limits;
pub mod outcome;
pub mod request;
