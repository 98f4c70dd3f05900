//! LISTEN: wakes workers the moment something is sent. An accelerator, never a need: a listener polls as well.
//!
//! One connection per process and database, on the direct URL, because a transaction pooler keeps no session. It
//! is reestablished when it drops, and then wakes everyone: what was sent meanwhile has notified nobody.

use super::failure::reason;
use super::{tls, url};
use crate::base::listening::Listening;
use crate::base::lock::lock;
use crate::base::targets::POSTGRES;
use crate::config::DatabaseConfig;
use crate::error::Result;
use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};
use tracing::{Span, info, warn};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A connection that died silently is noticed after about three of these.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// How often it may fail in a row before that is worth a warning: a restart of the server is over by then.
const FAILURES: u32 = 6;

/// What is called when something was sent to a transport.
type Wake = Arc<dyn Fn() + Send + Sync>;

/// One listening connection.
pub struct Listener {
    channel: String,
    connected: AtomicBool,
    subscribers: Mutex<HashMap<u64, Subscriber>>,
    next: Mutex<u64>,
    task: Mutex<Option<AbortHandle>>,
}

struct Subscriber {
    transport: Arc<str>,
    wake: Wake,
    /// In whose name it subscribed: several instances may share the connection, and each has a log of its own.
    span: Span,
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
        lock(&self.subscribers).insert(number, Subscriber { transport, wake, span: Span::current() });
        Subscription { listener: self, number }
    }

    /// Wakes the subscribers of a transport; `None`: all.
    fn wake(&self, transport: Option<&str>) {
        for it in lock(&self.subscribers).values() {
            if transport.is_none_or(|name| name == &*it.transport) {
                (it.wake)();
            }
        }
    }

    /// Logs something in the name of everyone who listens here, once for each.
    fn tell(&self, tell: impl Fn()) {
        let subscribers = lock(&self.subscribers);
        let mut told = HashSet::new();
        subscribers.values().filter(|it| told.insert(it.span.id())).for_each(|it| it.span.in_scope(&tell));
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
    let (mut pause, mut failures) = (FIRST_PAUSE, 0);
    loop {
        let served = listen_once(&listener, &target, patience, failures >= FAILURES).await;
        let Some(alive) = listener.upgrade() else { return };
        alive.connected.store(false, Ordering::Relaxed);
        let database = &*target.label;
        (pause, failures) = match served {
            Ok(()) => {
                alive
                    .tell(|| info!(target: POSTGRES, database, "the connection of LISTEN has ended: connecting again"));
                (FIRST_PAUSE, 0)
            }
            Err(reason) => {
                if failures + 1 == FAILURES {
                    alive.tell(
                        || warn!(target: POSTGRES, database, reason, "LISTEN does not work: polling until it does"),
                    );
                }
                ((pause * 2).min(LONGEST_PAUSE), failures.saturating_add(1))
            }
        };
        drop(alive);
        tokio::time::sleep(pause.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
    }
}

/// Listens until the connection ends, if it ever worked; else why it did not. `late`: whether that was logged as missing.
/// A server that takes the connection and then stays silent would be waited for until the network gives up: for a
/// quarter of an hour, or forever.
async fn listen_once(
    listener: &Weak<Listener>,
    target: &url::Target,
    patience: Duration,
    late: bool,
) -> Result<(), String> {
    let mut config = target.config.clone();
    config.keepalives(true).keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE).keepalives_retries(3);
    config.application_name("symphony listener");
    let in_time = |_| "the server did not answer in time".to_owned();
    let refused = |error: tokio_postgres::Error| reason(&error);
    if !target.wants_tls() {
        let (client, connection) = timeout(patience, config.connect(NoTls)).await.map_err(in_time)?.map_err(refused)?;
        return serve(listener, client, connection, patience, late).await;
    }
    let tls = tls::connector(target).map_err(|error| error.to_string())?;
    let (client, connection) = timeout(patience, config.connect(tls)).await.map_err(in_time)?.map_err(refused)?;
    serve(listener, client, connection, patience, late).await
}

async fn serve<S, T>(
    listener: &Weak<Listener>,
    client: Client,
    mut connection: Connection<S, T>,
    patience: Duration,
    late: bool,
) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let Some(channel) = listener.upgrade().map(|it| it.channel.clone()) else { return Ok(()) };
    let sql = format!("LISTEN \"{}\"", channel.replace('"', "\"\""));
    let mut subscribing = std::pin::pin!(timeout(patience, client.batch_execute(&sql)));
    let mut listening = false;
    loop {
        tokio::select! {
            done = &mut subscribing, if !listening => {
                done.map_err(|_| "LISTEN was not answered in time".to_owned())?.map_err(|error| reason(&error))?;
                let Some(listener) = listener.upgrade() else { return Ok(()) };
                listening = true;
                if late {
                    listener.tell(|| info!(target: POSTGRES, "LISTEN works again"));
                }
                listener.connected.store(true, Ordering::Relaxed);
                listener.wake(None);
            }
            message = poll_fn(|context| connection.poll_message(context)) => match message {
                Some(Ok(AsyncMessage::Notification(notification))) => {
                    let Some(listener) = listener.upgrade() else { return Ok(()) };
                    listener.wake(Some(notification.payload()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None if listening => return Ok(()),
                Some(Err(error)) => return Err(reason(&error)),
                None => return Err("the connection was closed".to_owned()),
            },
        }
    }
}
