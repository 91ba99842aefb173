//! The signals that ask a process to stop.

use std::future::Future;

/// From this call on the process does not die of SIGINT, SIGTERM or SIGHUP (the terminal has gone); the future
/// returns at the first of them, with its name.
#[cfg(unix)]
pub fn stop() -> impl Future<Output = &'static str> + Send {
    use tokio::signal::unix::SignalKind;

    let interrupt = unix::register(SignalKind::interrupt(), "SIGINT");
    let others = stop_but_interrupt();
    async {
        tokio::select! {
            () = unix::received(interrupt) => "SIGINT",
            name = others => name,
        }
    }
}

/// The same without SIGINT, which somebody else takes: a prompt.
#[cfg(unix)]
pub fn stop_but_interrupt() -> impl Future<Output = &'static str> + Send {
    use tokio::signal::unix::SignalKind;

    let terminate = unix::register(SignalKind::terminate(), "SIGTERM");
    let hangup = unix::register(SignalKind::hangup(), "SIGHUP");
    async {
        tokio::select! {
            () = unix::received(terminate) => "SIGTERM",
            () = unix::received(hangup) => "SIGHUP",
        }
    }
}

/// From this call on the process does not die of SIGHUP; each of them is counted. The future returns at the next.
#[cfg(unix)]
pub fn hangups() -> Hangups {
    Hangups(unix::register(tokio::signal::unix::SignalKind::hangup(), "SIGHUP"))
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
    use tokio::signal::unix::SignalKind;

    let interrupt = unix::register(SignalKind::interrupt(), "SIGINT");
    let terminate = unix::register(SignalKind::terminate(), "SIGTERM");
    async {
        tokio::select! {
            () = unix::received(interrupt) => "SIGINT",
            () = unix::received(terminate) => "SIGTERM",
        }
    }
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
    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub fn register(kind: SignalKind, name: &'static str) -> Option<Signal> {
        signal(kind).inspect_err(|error| tracing::warn!(%error, "{name} is not handled")).ok()
    }

    pub async fn received(signal: Option<Signal>) {
        match signal {
            Some(mut signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
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
