//! Any kind of transport behind one type. The suites are compiled for this one: for each of five kinds they took the
//! compiler two minutes and more.

use super::subject::{Kind, Subject, check};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use symphony::engine::Engine;
use symphony::transport::Transport;

/// A test of a suite.
pub type SuiteTest = fn(AnyKind) -> BoxFuture<'static, ()>;

/// Runs a test of a suite on a fresh subject.
pub fn check_suite<S: Kind>(settings: Value, test: SuiteTest) {
    check::<S, _>(settings, move |subject| test(AnyKind(Arc::new(subject))));
}

/// A subject of any kind.
#[derive(Clone)]
pub struct AnyKind(Arc<dyn Subject>);

#[async_trait]
impl Subject for AnyKind {
    fn engine(&self) -> &Arc<Engine> {
        self.0.engine()
    }

    fn entrance(&self) -> Arc<dyn Transport> {
        self.0.entrance()
    }

    async fn advance(&self, by: Duration) {
        self.0.advance(by).await;
    }

    async fn finished(&self) -> usize {
        self.0.finished().await
    }

    async fn switch(&self, on: bool) {
        self.0.switch(on).await;
    }

    async fn tear_down(&self) {
        self.0.tear_down().await;
    }
}
