//! Where messages wait and what is kept beside them, one backend each.

pub mod memory;
pub mod postgres;
pub mod sync;
