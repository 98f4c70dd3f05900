//! A connection at work.

use super::cancel_request::Canceller;
use crate::error::{Error, Result};
use deadpool_postgres::Object;

/// A connection at work. Dropped in the middle, it leaves the pool, and the server is asked to cancel its statement.
pub struct Borrowed<'a> {
    client: Option<Object>,
    canceller: &'a Canceller,
}

impl<'a> Borrowed<'a> {
    /// A connection that comes from the pool.
    pub fn new(client: Object, canceller: &'a Canceller) -> Self {
        Self { client: Some(client), canceller }
    }

    /// The connection.
    pub fn client(&self) -> Result<&Object> {
        self.client.as_ref().ok_or(Error::Internal { what: "a connection is used after it was given back" })
    }

    /// Asks the server to cancel what runs on it.
    pub fn cancel(&self) {
        if let Some(client) = &self.client {
            self.canceller.cancel(client.cancel_token());
        }
    }

    /// Nothing is left to answer: back into the pool, unless a cancellation may be on its way to it or it is unusable.
    pub fn let_go(&mut self, reusable: bool) {
        if let Some(client) = self.client.take().filter(|_| !reusable) {
            drop(Object::take(client));
        }
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            self.canceller.end(Object::take(client));
        }
    }
}
