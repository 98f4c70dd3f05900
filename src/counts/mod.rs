//! What is counted, per minute and type of message: the figures that transports keep and that the monitor asks for.

pub mod counter;
pub mod histogram;
pub mod rollup;
pub mod totals;
pub mod window;
