//! A MySQL that already runs, as a witness: where MariaDB and Unum differ, it is asked as well, and it is MySQL that Unum
//! means to be.
//!
//! Debian's stable releases have none, so it is named by its socket and never started here. It gets a database of its own
//! with the judge's tables.

use std::path::Path;

use anyhow::Context;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};

use super::cell::Answer;
use super::mariadb::{fill, read};
use super::tables::Table;
use crate::cluster::until;

/// As MariaDB's `utf8mb4_nopad_bin`: by the code points, spaces at the end included.
const COLLATION: &str = "SET NAMES utf8mb4 COLLATE utf8mb4_0900_bin";

/// As the judge's MariaDB is started with.
const MODES: &str =
    "SET sql_mode = 'ONLY_FULL_GROUP_BY,PIPES_AS_CONCAT', time_zone = '+00:00', max_execution_time = 10000";

/// A statement took too long (3024), or two collations meet that the judge's own functions have (1267, 1270, 1271).
const UNDECIDED: [u16; 4] = [3024, 1267, 1270, 1271];

/// How often a statement is asked.
const TRIES_MAX: usize = 3;

/// The server.
#[derive(Debug)]
pub struct MySql {
    pool: Pool,
}

impl MySql {
    /// Makes the database anew in the server at a socket, as `root` without a password, for that many statements at a time.
    pub async fn connect(socket: &Path, connections: usize, tables: &[Table], nodes: usize) -> anyhow::Result<Self> {
        let constraints = PoolConstraints::new(1, connections).unwrap_or_default();
        let options: Opts = OptsBuilder::default()
            .socket(Some(socket.to_string_lossy()))
            .prefer_socket(true)
            .user(Some("root"))
            .stmt_cache_size(0)
            .setup(vec![COLLATION, MODES])
            .pool_opts(PoolOpts::default().with_constraints(constraints).with_reset_connection(false))
            .into();
        let place = || format!("no MySQL answers at {}", socket.display());
        let mut connection = Conn::new(options.clone()).await.with_context(place)?;
        connection.query_drop("DROP DATABASE IF EXISTS judge").await?;
        connection.query_drop("CREATE DATABASE judge COLLATE utf8mb4_0900_bin").await?;
        connection.disconnect().await?;
        let pool = Pool::new(OptsBuilder::from_opts(options).db_name(Some("judge")));
        fill(&mut pool.get_conn().await?, tables, nodes).await?;
        Ok(Self { pool })
    }

    /// Runs a statement. Some end MySQL 9.7; who started it is expected to start it anew.
    ///
    /// # Errors
    /// When MySQL does not come back; a refused statement is an answer.
    pub async fn ask(&self, sql: &str) -> anyhow::Result<Answer> {
        // Another statement may have ended it under this one.
        for _ in 0..TRIES_MAX {
            let asked = async {
                let mut connection = self.pool.get_conn().await?;
                read(&mut connection, sql).await
            };
            match asked.await {
                Ok(rows) => return Ok(Answer::Rows(rows)),
                Err(mysql_async::Error::Server(error)) if UNDECIDED.contains(&error.code) => break,
                Err(mysql_async::Error::Server(error)) => return Ok(Answer::Refused(error.message)),
                Err(_) => until("MySQL answers again", async || self.pool.get_conn().await.ok().map(drop)).await?,
            }
        }
        Ok(Answer::Late)
    }
}
