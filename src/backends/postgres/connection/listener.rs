//! LISTEN: wakes workers the moment something is sent. An accelerator, never a need: a listener polls as well.
//!
//! One connection per process and database, on the direct URL, because a transaction pooler keeps no session. It
//! is reestablished when it drops, and then wakes everyone: what was sent meanwhile has notified nobody.

use super::{tls, url};
use crate::base::listening::Listening;
use crate::base::lock::lock;
use crate::config::DatabaseConfig;
use crate::error::Result;
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A connection that died silently is noticed after about three of these.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// What is called when something was sent to a transport.
type Wake = Arc<dyn Fn() + Send + Sync>;

/// One listening connection.
pub struct Listener {
    channel: String,
    connected: AtomicBool,
    subscribers: Mutex<HashMap<u64, (Arc<str>, Wake)>>,
    next: Mutex<u64>,
    task: Mutex<Option<AbortHandle>>,
}

/// Ends the subscription when dropped, and with the last one the connection.
pub struct Subscription {
    listener: Arc<Listener>,
    number: u64,
}

/// By URL and schema.
type Open = HashMap<(String, String), Weak<Listener>>;

static OPEN: LazyLock<Mutex<Open>> = LazyLock::new(Mutex::default);

impl Listener {
    /// Subscribes to what is sent to a transport; `None` without a session to listen on.
    ///
    /// # Errors
    /// An unreadable URL.
    pub fn subscribe(config: &DatabaseConfig, transport: Arc<str>, wake: Wake) -> Result<Option<Subscription>> {
        let Some(direct) = config.direct_url.as_deref().or(config.url.as_deref()) else { return Ok(None) };
        let target = url::read(direct)?;
        let pooled_by_option = config.direct_url.is_none() && config.pooled == Some(true);
        if target.pooled || pooled_by_option {
            return Ok(None);
        }
        let key = (direct.to_owned(), config.schema.clone());
        let mut open = lock(&OPEN);
        open.retain(|_, listener| listener.strong_count() > 0);
        let listener = match open.get(&key).and_then(Weak::upgrade) {
            Some(listener) => listener,
            None => {
                let listener = Self::start(target, config);
                open.insert(key, Arc::downgrade(&listener));
                listener
            }
        };
        Ok(Some(listener.add(transport, wake)))
    }

    fn start(target: url::Target, config: &DatabaseConfig) -> Arc<Self> {
        let (schema, patience) = (&config.schema, config.connect_timeout);
        let listener = Arc::new(Self {
            // As send.sql writes it: Postgres cuts names at 63 bytes.
            channel: format!("symphony_{schema}").chars().take(63).collect(),
            connected: AtomicBool::new(false),
            subscribers: Mutex::default(),
            next: Mutex::default(),
            task: Mutex::default(),
        });
        let task = tokio::spawn(keep_listening(Arc::downgrade(&listener), target, patience));
        *lock(&listener.task) = Some(task.abort_handle());
        listener
    }

    fn add(self: Arc<Self>, transport: Arc<str>, wake: Wake) -> Subscription {
        let number = {
            let mut next = lock(&self.next);
            *next += 1;
            *next
        };
        lock(&self.subscribers).insert(number, (transport, wake));
        Subscription { listener: self, number }
    }

    /// Wakes the subscribers of a transport; `None`: all.
    fn wake(&self, transport: Option<&str>) {
        for (name, wake) in lock(&self.subscribers).values() {
            if transport.is_none_or(|it| it == &**name) {
                wake();
            }
        }
    }
}

impl Listening for Subscription {
    fn is_connected(&self) -> bool {
        self.listener.connected.load(Ordering::Relaxed)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        lock(&self.listener.subscribers).remove(&self.number);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = lock(&self.task).take() {
            task.abort();
        }
    }
}

/// Listens, and listens again whenever the connection is gone. `patience`: for a connection, and for its LISTEN.
async fn keep_listening(listener: Weak<Listener>, target: url::Target, patience: Duration) {
    let mut pause = FIRST_PAUSE;
    loop {
        let served = listen_once(&listener, &target, patience).await;
        let Some(alive) = listener.upgrade() else { return };
        alive.connected.store(false, Ordering::Relaxed);
        drop(alive);
        pause = if served { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        tokio::time::sleep(pause.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
    }
}

/// Listens until the connection ends; whether it ever worked. A server that takes the connection and then stays silent
/// would be waited for until the network gives up: for a quarter of an hour, or forever.
async fn listen_once(listener: &Weak<Listener>, target: &url::Target, patience: Duration) -> bool {
    let mut config = target.config.clone();
    config.keepalives(true).keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE).keepalives_retries(3);
    config.application_name("symphony listener");
    if !target.wants_tls() {
        let Ok(Ok((client, connection))) = timeout(patience, config.connect(NoTls)).await else { return false };
        return serve(listener, client, connection, patience).await;
    }
    let Ok(tls) = tls::connector(target) else { return false };
    let Ok(Ok((client, connection))) = timeout(patience, config.connect(tls)).await else { return false };
    serve(listener, client, connection, patience).await
}

async fn serve<S, T>(
    listener: &Weak<Listener>,
    client: Client,
    mut connection: Connection<S, T>,
    patience: Duration,
) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let Some(channel) = listener.upgrade().map(|it| it.channel.clone()) else { return false };
    let sql = format!("LISTEN \"{}\"", channel.replace('"', "\"\""));
    let mut subscribing = std::pin::pin!(timeout(patience, client.batch_execute(&sql)));
    let mut listening = false;
    loop {
        tokio::select! {
            done = &mut subscribing, if !listening => {
                let Some(listener) = listener.upgrade().filter(|_| matches!(done, Ok(Ok(())))) else { return false };
                listening = true;
                listener.connected.store(true, Ordering::Relaxed);
                listener.wake(None);
            }
            message = poll_fn(|context| connection.poll_message(context)) => match message {
                Some(Ok(AsyncMessage::Notification(notification))) => {
                    let Some(listener) = listener.upgrade() else { return true };
                    listener.wake(Some(notification.payload()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return listening,
            },
        }
    }
}
