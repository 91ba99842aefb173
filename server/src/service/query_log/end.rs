//! The end of a query: set once, by whoever is first, and seen by all that has to do with it.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How a query ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All its rows were made.
    Finished,
    /// KILL.
    Killed,
    /// Its caller's time was over.
    Deadline(Duration),
    /// The time was over that its session gave it.
    Interrupted(Duration),
    /// Nobody waits for the rest of it.
    CallerGone,
    /// An error, in the words that its caller was told.
    Failed(String),
    /// A bug.
    Panicked,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::Killed => f.write_str("killed"),
            Self::Deadline(time) => write!(f, "it did not finish within {} ms", time.as_millis()),
            Self::Interrupted(time) => {
                write!(f, "it did not finish within its max_execution_time of {} ms", time.as_millis())
            }
            Self::CallerGone => f.write_str("the caller has gone"),
            Self::Failed(why) => f.write_str(why),
            Self::Panicked => f.write_str("it panicked"),
        }
    }
}

/// The end of one query, which may not have come yet.
#[derive(Debug, Default)]
pub struct EndSignal {
    end: OnceLock<End>,
    token: CancellationToken,
}

impl EndSignal {
    /// Ends the query, unless it has ended already; returns how it ended.
    pub fn set(&self, end: End) -> &End {
        // The token fires when the reason is there: who sees it can say why.
        let end = self.end.get_or_init(|| end);
        self.token.cancel();
        end
    }

    /// How it ended, if it has.
    pub fn get(&self) -> Option<&End> {
        self.end.get()
    }

    /// Fires at the end, whatever it is.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Comes back when somebody else than the query itself has ended it. A query that ends by itself tells its caller.
    pub async fn cut_short(&self) -> &End {
        self.token.cancelled().await;
        match self.end.get() {
            Some(end @ (End::Killed | End::Deadline(_) | End::Interrupted(_))) => end,
            // Who asks is the caller, and has not gone: its replica drops what runs.
            None | Some(End::Finished | End::CallerGone | End::Failed(_) | End::Panicked) => {
                std::future::pending().await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_end_stays_and_is_told_to_all() {
        let signal = EndSignal::default();
        assert!(signal.get().is_none() && !signal.token().is_cancelled());
        assert_eq!(signal.set(End::Killed), &End::Killed);
        assert_eq!(signal.set(End::Failed("no memory".into())), &End::Killed);
        assert!(signal.token().is_cancelled());
        assert_eq!(signal.cut_short().await, &End::Killed);
        for end in [End::Finished, End::CallerGone, End::Failed("no memory".into())] {
            let signal = EndSignal::default();
            signal.set(end.clone());
            let late = tokio::time::timeout(Duration::from_millis(20), signal.cut_short()).await;
            assert!(late.is_err(), "{end}: it tells its caller itself");
        }
    }
}
