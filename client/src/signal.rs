//! The signals that ask a process to stop.

use std::future::Future;

/// From this call on the process does not die of SIGINT, SIGTERM or SIGHUP (the terminal has gone); the future
/// returns at the first of them, with its name.
#[cfg(unix)]
pub fn stop() -> impl Future<Output = &'static str> {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    let register = |kind, name: &'static str| {
        signal(kind).inspect_err(|error| tracing::warn!(%error, "{name} is not handled")).ok()
    };
    async fn received(signal: Option<Signal>) {
        match signal {
            Some(mut signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
    let interrupt = register(SignalKind::interrupt(), "SIGINT");
    let terminate = register(SignalKind::terminate(), "SIGTERM");
    let hangup = register(SignalKind::hangup(), "SIGHUP");
    async {
        tokio::select! {
            () = received(interrupt) => "SIGINT",
            () = received(terminate) => "SIGTERM",
            () = received(hangup) => "SIGHUP",
        }
    }
}

/// Returns at Ctrl-C, with its name.
#[cfg(not(unix))]
pub fn stop() -> impl Future<Output = &'static str> {
    async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C is not handled");
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}
