//! The names of the live catalog, for completion.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Client;

/// Names are asked for again when they are used after this time.
const FRESH_FOR: Duration = Duration::from_secs(10);

/// How long the prompt's own question may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Columns that are remembered: far more than anyone completes.
const COLUMNS_MAX: usize = 50_000;

/// Schemas, tables and columns, all in lower case, and what else may be typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Columns by table, tables by schema.
    pub schemas: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Words of SQL, in upper case, without functions.
    pub keywords: Vec<String>,
}

/// The names as they are known now. Clones share them.
#[derive(Debug, Clone)]
pub struct LiveNames {
    client: Client,
    known: Arc<Mutex<(Arc<Names>, Option<Instant>)>>,
}

impl LiveNames {
    /// Names that are not known yet.
    pub fn new(client: Client) -> Self {
        Self { client: client.with_timeout(TIMEOUT), known: Arc::default() }
    }

    /// What is known.
    pub fn get(&self) -> Arc<Names> {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Asks for the names if they are old. Without an answer the old ones stay: completion is a help, no promise.
    pub async fn refresh(&self) {
        let fresh = |asked: &Instant| asked.elapsed() < FRESH_FOR;
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.1.as_ref().is_some_and(fresh) {
                return;
            }
            known.1 = Some(Instant::now());
        }
        if let Some(names) = fetch(&self.client).await {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).0 = Arc::new(names);
        }
    }
}

async fn fetch(client: &Client) -> Option<Names> {
    let sql =
        format!("SELECT table_schema, table_name, column_name FROM information_schema.columns LIMIT {COLUMNS_MAX}");
    let result = client.query_aside(&sql).await.ok()?;
    let mut names = Names::default();
    for row in result.rows() {
        let [schema, table, column] = ["table_schema", "table_name", "column_name"]
            .map(|name| row.get::<String>(name).unwrap_or_default().to_lowercase());
        names.schemas.entry(schema).or_default().entry(table).or_default().push(column);
    }
    let keywords = client.query_aside("SELECT word FROM information_schema.keywords ORDER BY word").await.ok()?;
    names.keywords = keywords.rows().filter_map(|row| row.get("word").ok()).collect();
    Some(names)
}
