//! Messages into the table, out of it, and their outcomes.

pub(in crate::backends::postgres) mod claim;
pub(in crate::backends::postgres) mod floors;
#[cfg(test)]
mod floors_model;
#[cfg(test)]
mod hot_path;
mod lanes;
pub(in crate::backends::postgres) mod send;
mod settle;
