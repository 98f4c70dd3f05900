//! Asking the server to cancel a statement.
//!
//! Through what may be a pooler this waits, as libpq does, until the other side has closed the connection. The driver's
//! own request closes it at once, and that terminates PgBouncer 1.18 (Debian 12): "bad client state".

use super::session::{Kind, Session};
use super::url::Target;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::config::Host;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{CancelToken, Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long all requests for one statement may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How long to wait for the effect of a request until the next one.
const PAUSE: Duration = Duration::from_millis(500);

type Asked = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Where and how to ask.
#[derive(Clone)]
pub struct Canceller {
    tls: Option<MakeRustlsConnect>,
    /// Of several hosts, only the driver knows which one answers; a pooler in front of them must be declared.
    pooler: Option<Pooler>,
    session: Arc<Session>,
}

#[derive(Clone)]
struct Pooler {
    host: Host,
    /// `hostaddr` of the URL: the address; the host is then only a name.
    address: Option<IpAddr>,
    port: u16,
}

impl Canceller {
    /// For the connections to a target, with `tls` and `session` as they have them. `pooled`: whether a transaction pooler
    /// answers, if known.
    pub fn new(target: &Target, tls: Option<MakeRustlsConnect>, pooled: Option<bool>, session: Arc<Session>) -> Self {
        let port = target.config.get_ports().first().copied().unwrap_or(5432);
        let hosts = target.config.get_hosts();
        let is_certain = pooled == Some(true) || hosts.len() == 1;
        let pooler = hosts.first().filter(|_| is_certain).map(|host| {
            let address = target.config.get_hostaddrs().first().copied();
            Pooler { host: host.clone(), address, port }
        });
        Self { tls, pooler, session }
    }

    /// Asks, in the background. Nobody can know whether it comes in time.
    pub fn cancel(&self, token: CancelToken) {
        on_the_side(self.clone().ask(token));
    }

    /// Cancels what a connection is doing, in the background, and releases it only then: a pooler forgets a client that
    /// has gone, but not its statement. One that waits for a lock would wait without limit, and run when nobody wants
    /// it.
    pub fn end<C>(&self, client: C)
    where
        C: Deref<Target = Client> + Send + Sync + 'static,
    {
        let canceller = self.clone();
        on_the_side(async move {
            // Answered when all that was sent before it is.
            let mut quiet = pin!(client.batch_execute(""));
            // A pooler ignores the request for a statement that it has not handed to a server yet: ask again.
            loop {
                canceller.clone().ask(client.cancel_token()).await?;
                if tokio::time::timeout(PAUSE, quiet.as_mut()).await.is_ok() {
                    return Ok(());
                }
            }
        });
    }

    async fn ask(self, token: CancelToken) -> Asked {
        let pooler = self.pooler.filter(|_| self.session.kind() != Kind::Own);
        match (pooler, self.tls) {
            (Some(pooler), tls) => ask_pooler(token, pooler, tls).await?,
            (None, Some(tls)) => token.cancel_query(tls).await?,
            (None, None) => token.cancel_query(NoTls).await?,
        }
        Ok(())
    }
}

fn on_the_side(asking: impl Future<Output = Asked> + Send + 'static) {
    // The runtime ends before the last connection.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(tokio::time::timeout(TIME_LIMIT, asking));
    }
}

async fn ask_pooler(token: CancelToken, pooler: Pooler, tls: Option<MakeRustlsConnect>) -> Asked {
    let Pooler { host, address, port } = pooler;
    match host {
        Host::Tcp(name) => {
            let socket = match address {
                Some(address) => TcpStream::connect((address, port)).await?,
                None => TcpStream::connect((name.as_str(), port)).await?,
            };
            ask_over(socket, &name, token, tls).await
        }
        #[cfg(unix)]
        Host::Unix(folder) => {
            let socket = tokio::net::UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?;
            ask_over(socket, "", token, tls).await
        }
    }
}

async fn ask_over<S>(socket: S, name: &str, token: CancelToken, tls: Option<MakeRustlsConnect>) -> Asked
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    match tls {
        Some(mut tls) => {
            let connect = MakeTlsConnect::<Patient<S>>::make_tls_connect(&mut tls, name)?;
            token.cancel_query_raw(Patient(socket), PatientTls(connect)).await?;
        }
        None => token.cancel_query_raw(Patient(socket), NoTls).await?,
    }
    Ok(())
}

/// A stream that this side does not shut down: it waits until the other side has closed it.
struct Patient<S>(S);

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut bytes = [0; 16];
            let mut rest = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.0).poll_read(context, &mut rest))?;
            if rest.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: TlsStream + Unpin> TlsStream for Patient<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.0.channel_binding()
    }
}

/// Encrypts a stream, and also waits for its end: the end of an encrypted conversation is a message too.
struct PatientTls<C>(C);

impl<S, C: TlsConnect<S, Future: Send + 'static>> TlsConnect<S> for PatientTls<C> {
    type Stream = Patient<C::Stream>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Self::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let connecting = self.0.connect(stream);
        Box::pin(async move { connecting.await.map(Patient) })
    }
}
