//! The signals that ask a process to stop.

/// Returns on SIGINT or SIGTERM, with its name.
pub async fn stop() -> &'static str {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                return tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = tokio::signal::ctrl_c() => "SIGINT",
                };
            }
            Err(error) => tracing::warn!(%error, "SIGTERM is not handled"),
        }
    }
    match tokio::signal::ctrl_c().await {
        Ok(()) => "SIGINT",
        Err(error) => {
            tracing::warn!(%error, "SIGINT is not handled");
            std::future::pending().await
        }
    }
}
