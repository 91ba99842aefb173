//! What SQL wants of a node, applied and reported.
//!
//! A replica tells all that is not decided, and tells it again until it is: what is here only remembers what it has
//! already done, so that a report that was lost is sent again and nothing is done twice for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio_util::task::AbortOnDropHandle;
use unum_proto::model::{ChangeId, ConfigOutcome, ConfigReport, ConfigReports, DesiredValue, NodeKey};

use crate::retry::{Attempt, Repeat, Time};
use crate::transport::{self, ConfigWatch, Endpoint, Endpoints};
use crate::{Error, retry};

/// How often a key that fails is tried, until the node starts again or another change wants it.
const ATTEMPTS_MAX: u32 = 3;

/// Between two attempts: the first such pause, and twice as long each time.
const ATTEMPT_PAUSE: Duration = Duration::from_secs(1);

/// Before a stream that broke off is opened again, elsewhere.
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

/// What is to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigRequest {
    /// The change that wants it: `config_changes` has it.
    pub change: ChangeId,
    /// The key.
    pub key: String,
    /// Its new value.
    pub value: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// A running subscription; dropping it ends it.
#[derive(Debug)]
pub struct Subscription(#[expect(dead_code, reason = "dropping it ends the task")] AbortOnDropHandle<()>);

type Apply = Arc<dyn Fn(Vec<ConfigRequest>) -> BoxFuture<'static, Vec<ConfigOutcome>> + Send + Sync>;

impl Subscription {
    pub(crate) fn start<F, Fut>(endpoints: Endpoints, node: NodeKey, timeout: Duration, apply: F) -> Self
    where
        F: Fn(Vec<ConfigRequest>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<ConfigOutcome>> + Send + 'static,
    {
        let apply: Apply = Arc::new(move |requests| Box::pin(apply(requests)));
        let subscriber = Subscriber { endpoints, node, timeout, apply, done: HashMap::new() };
        Self(AbortOnDropHandle::new(tokio::spawn(subscriber.run())))
    }
}

struct Subscriber {
    endpoints: Endpoints,
    node: NodeKey,
    timeout: Duration,
    apply: Apply,
    /// What came of each change and key here.
    done: HashMap<(ChangeId, String), ConfigReport>,
}

impl Subscriber {
    async fn run(mut self) {
        loop {
            let endpoint = self.endpoints.current();
            match self.watch(&endpoint).await {
                Attempt::Final(error) | Attempt::Certain(error) => {
                    tracing::warn!(%error, "the subscription to the configuration failed")
                }
                Attempt::NotReached(why)
                | Attempt::Retry(why)
                | Attempt::Unknown(why)
                | Attempt::Ended(why)
                | Attempt::Busy { why, .. } => {
                    tracing::debug!(why, "the subscription to the configuration broke off")
                }
            }
            self.endpoints.advance_from(&endpoint);
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }

    /// Until the stream breaks off.
    async fn watch(&mut self, endpoint: &Endpoint) -> Attempt {
        let mut watch = match ConfigWatch::open(endpoint, &self.node, self.timeout).await {
            Ok(watch) => watch,
            Err(attempt) => return attempt,
        };
        loop {
            let values = match watch.next().await {
                Ok(values) => values,
                Err(attempt) => return attempt,
            };
            for values in by_change(values) {
                if let Err(error) = self.set(values).await {
                    // The reports are sent again when the replica tells what is wanted again.
                    return Attempt::Retry(format!("reports were not taken: {error}"));
                }
            }
        }
    }

    /// Sets the values of one change, all that are not set yet together; those that fail again, after a pause.
    async fn set(&mut self, values: Vec<DesiredValue>) -> Result<(), Error> {
        let (known, mut open): (Vec<_>, Vec<_>) = values.into_iter().partition(|value| self.is_done(value));
        let known: Vec<_> =
            known.into_iter().filter_map(|value| self.done.get(&(value.change, value.key)).cloned()).collect();
        if !known.is_empty() {
            self.report(known).await?;
        }
        for tried in 0..ATTEMPTS_MAX {
            if open.is_empty() {
                break;
            }
            if tried > 0 {
                tokio::time::sleep(ATTEMPT_PAUSE * 2u32.pow(tried - 1)).await;
            }
            let reports = self.attempt(&open, tried).await;
            let is_failed = |report: &ConfigReport| matches!(report.outcome, ConfigOutcome::Failed(_));
            let failed: Vec<_> =
                reports.iter().filter(|report| is_failed(report)).map(|report| report.key.clone()).collect();
            open.retain(|value| failed.contains(&value.key));
            self.report(reports).await?;
        }
        Ok(())
    }

    fn is_done(&self, value: &DesiredValue) -> bool {
        let report = self.done.get(&(value.change, value.key.clone()));
        report.is_some_and(|report| report.attempt > value.attempts)
    }

    /// One attempt at all of them, and what came of each.
    async fn attempt(&mut self, values: &[DesiredValue], tried: u32) -> Vec<ConfigReport> {
        let request = |value: &DesiredValue| {
            let DesiredValue { change, key, value, attempts } = value.clone();
            ConfigRequest { change, key, value, attempt: attempts + 1 + tried }
        };
        let requests: Vec<_> = values.iter().map(request).collect();
        // A task of its own: a panic in what is not ours is one more way to fail.
        let outcomes = AbortOnDropHandle::new(tokio::spawn((self.apply)(requests.clone()))).await;
        let mut outcomes = match outcomes {
            Ok(outcomes) => outcomes.into_iter(),
            Err(error) => {
                let why = format!("what applies it panicked: {error}");
                vec![ConfigOutcome::Failed(why); requests.len()].into_iter()
            }
        };
        let mut reports = Vec::with_capacity(requests.len());
        for ConfigRequest { change, key, attempt, .. } in requests {
            let nothing = || ConfigOutcome::Failed("what applies it says nothing of this key".into());
            let outcome = outcomes.next().unwrap_or_else(nothing);
            tracing::info!(%change, key, attempt, ?outcome, "configuration");
            let report = ConfigReport::new(change, key.clone(), outcome, attempt);
            self.done.insert((change, key), report.clone());
            reports.push(report);
        }
        reports
    }

    async fn report(&self, reports: Vec<ConfigReport>) -> Result<(), Error> {
        let reports = &ConfigReports { node: self.node.clone(), reports };
        let attempt = |endpoint: Endpoint, time: Time| async move {
            transport::report_config(&endpoint, reports, time.share).await
        };
        retry::over_endpoints(&self.endpoints, self.timeout, Repeat::Idempotent, attempt).await
    }
}

/// What is wanted, by the change that wants it, in the order in which the changes come.
fn by_change(values: Vec<DesiredValue>) -> Vec<Vec<DesiredValue>> {
    let mut changes: Vec<Vec<DesiredValue>> = Vec::new();
    for value in values {
        match changes.iter_mut().find(|values| values.iter().any(|other| other.change == value.change)) {
            Some(values) => values.push(value),
            None => changes.push(vec![value]),
        }
    }
    changes
}
