//! The number of the server process, as announced at login.
//!
//! The driver does not expose it: it appears only in a cancel request, which is written to nowhere here and read.

use futures_util::FutureExt;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Client;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// A request to cancel: its length, its code, the process and the secret, four bytes each.
const LENGTH: usize = 16;
const PROCESS: std::ops::Range<usize> = 8..12;

/// The process that should answer on this connection. A pooler invents a number.
pub fn announced_pid(client: &Client) -> Option<i32> {
    let mut written = Written::default();
    client.cancel_token().cancel_query_raw(&mut written, NoCipher).now_or_never()?.ok()?;
    let request = written.0.len().checked_sub(LENGTH).and_then(|start| written.0.get(start..))?;
    request.get(PROCESS)?.try_into().ok().map(i32::from_be_bytes)
}

/// Accepts everything, and says yes to any request: the one for TLS.
#[derive(Default)]
struct Written(Vec<u8>);

impl AsyncRead for Written {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        into.put_slice(b"S");
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Written {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl TlsStream for &mut Written {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

/// TLS that hides nothing.
struct NoCipher;

impl<'a> TlsConnect<&'a mut Written> for NoCipher {
    type Stream = &'a mut Written;
    type Error = io::Error;
    type Future = Ready<io::Result<&'a mut Written>>;

    fn connect(self, stream: &'a mut Written) -> Self::Future {
        ready(Ok(stream))
    }
}
