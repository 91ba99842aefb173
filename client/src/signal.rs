//! The signals that ask a process to stop.

use std::future::Future;

/// From this call on the process does not die of SIGINT, SIGTERM or SIGHUP (the terminal has gone); the future
/// returns at the first of them, with its name.
#[cfg(unix)]
pub fn stop() -> impl Future<Output = &'static str> + Send {
    unix::first_of([unix::INTERRUPT, unix::TERMINATE, unix::HANGUP])
}

/// The same without SIGINT, which somebody else takes: a prompt.
#[cfg(unix)]
pub fn stop_but_interrupt() -> impl Future<Output = &'static str> + Send {
    unix::first_of([unix::TERMINATE, unix::HANGUP])
}

/// From this call on the process does not die of SIGHUP; each of them is counted. The future returns at the next.
#[cfg(unix)]
pub fn hangups() -> Hangups {
    Hangups(unix::register(unix::HANGUP))
}

/// SIGHUPs that ask a daemon to read its files again.
#[derive(Debug)]
pub struct Hangups(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl Hangups {
    /// Returns at the next one.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}

/// The signals that end a daemon: SIGINT and SIGTERM. The future returns at the first of them, with its name.
#[cfg(unix)]
pub fn end() -> impl Future<Output = &'static str> + Send {
    unix::first_of([unix::INTERRUPT, unix::TERMINATE])
}

/// Returns at Ctrl-C, with its name.
#[cfg(not(unix))]
pub fn end() -> impl Future<Output = &'static str> + Send {
    stop()
}

/// There is no such signal.
#[cfg(not(unix))]
pub fn hangups() -> Hangups {
    Hangups()
}

#[cfg(unix)]
mod unix {
    use futures::FutureExt;
    use futures::future::select_all;
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// A signal, and its name.
    pub type Named = (fn() -> SignalKind, &'static str);

    pub const INTERRUPT: Named = (SignalKind::interrupt, "SIGINT");
    pub const TERMINATE: Named = (SignalKind::terminate, "SIGTERM");
    pub const HANGUP: Named = (SignalKind::hangup, "SIGHUP");

    /// They are handled from this call on; the future returns at the first of them, with its name.
    pub fn first_of<const N: usize>(signals: [Named; N]) -> impl Future<Output = &'static str> + Send {
        let received = signals.map(|named| received(register(named), named.1).boxed());
        async { select_all(received).await.0 }
    }

    pub fn register((kind, name): Named) -> Option<Signal> {
        signal(kind()).inspect_err(|error| tracing::warn!(%error, "{name} is not handled")).ok()
    }

    async fn received(signal: Option<Signal>, name: &'static str) -> &'static str {
        match signal {
            Some(mut signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
        name
    }
}

/// Returns at Ctrl-C, with its name.
#[cfg(not(unix))]
pub fn stop() -> impl Future<Output = &'static str> + Send {
    async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C is not handled");
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}

/// Never returns: there is nothing but Ctrl-C.
#[cfg(not(unix))]
pub fn stop_but_interrupt() -> impl Future<Output = &'static str> + Send {
    std::future::pending()
}
