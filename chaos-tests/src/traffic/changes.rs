//! Changes of a setting, each only if there was none since a revision that was read; and the node whose setting it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::Rng;
use unum_client::config::{ConfigEntry, ConfigOutcome, ConfigType, config_table};
use unum_client::{Client, Error, NodeDescription, NodeKey};

use super::context::{Context, failed};
use crate::history::{Action, Operation, Outcome};

const NODE_TYPE: &str = "chaos_config";
const NODE: &str = "one";
const SETTING: &str = "log.level";

/// Between two changes, at most; they take several commits each.
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// Is the node, until it is told to stop. Says when the cluster knows it.
pub async fn run_node(client: Client, known: Arc<AtomicBool>, mut context: Context) {
    let key = NodeKey::parse(NODE_TYPE, NODE).expect("a legal key");
    let mut publisher = client.publisher(NodeDescription::new(key));
    let table = || config_table([ConfigEntry::new(SETTING, "0", ConfigType::Text)]).expect("a legal table");
    while publisher.push_whole(vec![table()]).await.is_err() {
        if !context.goes_on().await {
            return;
        }
    }
    known.store(true, Ordering::SeqCst);
    let subscription = publisher.on_config(|_| async { ConfigOutcome::Applied });
    while context.goes_on().await {}
    drop(subscription);
}

/// Changes the setting of the node that the cluster knows until it is told to stop.
pub async fn run(client: Client, known: Arc<AtomicBool>, mut context: Context) {
    while context.goes_on().await {
        if !known.load(Ordering::SeqCst) {
            continue;
        }
        tokio::time::sleep(PAUSE_MAX.mul_f64(context.random.random())).await;
        let Some(since) = look(&client, &context).await else { continue };
        // Now and then long enough that another change is made meanwhile, from its commit to its end.
        context.rest_now_and_then(PAUSE_MAX).await;
        let value: u32 = context.random.random();
        let sql = format!("SET CONFIG '{NODE_TYPE}/{NODE}' {SETTING} = '{value}' IF REVISION = {since}");
        let begin_us = context.recorder.now_us();
        let outcome = match client.query(&sql).await {
            Ok(rows) => match rows.rows().next().map(|row| row.get::<u64>("change_id")) {
                Some(Ok(revision)) => Outcome::Done { end_us: context.recorder.now_us(), revision },
                other => Outcome::Nonsense { what: format!("{other:?}") },
            },
            Err(error) => failed(&context.recorder, &error),
        };
        let action = Action::Change { since };
        context.recorder.add(Operation { client: context.client, begin_us, action, outcome });
    }
}

/// Looks for the newest change; at which revision it looked.
async fn look(client: &Client, context: &Context) -> Option<u64> {
    let begin_us = context.recorder.now_us();
    let newest = match client.query("SELECT max(id) AS newest FROM config_changes").await {
        Ok(result) => result
            .rows()
            .next()
            .ok_or_else(|| Error::Protocol("no row of an aggregate".to_owned()))
            .and_then(|row| row.get::<Option<u64>>("newest"))
            .map(|newest| (newest.unwrap_or(0), result.revision)),
        Err(error) => Err(error),
    };
    let (newest, outcome) = match newest {
        Ok((newest, revision)) => (newest, Outcome::Done { end_us: context.recorder.now_us(), revision }),
        Err(error) => (0, failed(&context.recorder, &error)),
    };
    let revision = if let Outcome::Done { revision, .. } = outcome { Some(revision) } else { None };
    context.recorder.add(Operation { client: context.client, begin_us, action: Action::Look { newest }, outcome });
    revision
}
