//! Subscriptions.

/// A subscription to what is sent; it ends when it is dropped.
pub trait Listening: Send + Sync {
    /// Whether notifications arrive right now.
    fn is_connected(&self) -> bool;
}
