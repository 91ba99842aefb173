//! The Unum that is judged: replicas on loopback, the tables pushed as the rows of one node or of several.

use std::time::Duration;

use anyhow::Context;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType as ArrowType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use unum_client::{Client, Consistency, Error, NodeDescription, NodeKey, QueryResult, TableSnapshot};

use super::cell::{Answer, Cell, Type};
use super::tables::Table;
use crate::cluster::{Cluster, Setup};

/// How long a statement may take.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(20);

/// The server. Dropping it ends it.
#[derive(Debug)]
pub struct Unum {
    client: Client,
    _cluster: Cluster,
}

impl Unum {
    /// Starts one replica of that program.
    pub async fn start(unumd: &str) -> anyhow::Result<Self> {
        let setup = Setup { unumd: unumd.to_owned(), ..Setup::plain(1, "") };
        let mut cluster = Cluster::prepare_with(setup)?;
        // It ends with us, however we end.
        cluster.spawn_under(1, &["setpriv", "--pdeathsig", "KILL", "--"])?;
        cluster.wait_until_answers(1).await?;
        // It is about SQL: the one replica need not ask itself whether it leads.
        let client = cluster.client(1)?.with_timeout(STATEMENT_TIMEOUT).with_consistency(Consistency::Stale);
        Ok(Self { client, _cluster: cluster })
    }

    /// Pushes the tables, their rows spread over that many nodes.
    pub async fn push(&self, tables: &[Table], nodes: usize) -> anyhow::Result<()> {
        for node in 0..nodes {
            let key = NodeKey::parse("db", &format!("n{}", node + 1))?;
            let snapshots = tables.iter().map(|table| share(table, node, nodes)).collect::<anyhow::Result<Vec<_>>>()?;
            self.client.publisher(NodeDescription::new(key)).push(snapshots).await?;
        }
        Ok(())
    }

    /// Pushes tables of the corpus, as those of one node.
    pub async fn push_corpus(&self, tables: Vec<TableSnapshot>) -> anyhow::Result<()> {
        self.client.publisher(NodeDescription::new(NodeKey::parse("corpus", "c1")?)).push(tables).await?;
        Ok(())
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// When Unum itself is gone; a refused statement is an answer.
    pub async fn ask(&self, sql: &str) -> anyhow::Result<Answer> {
        match self.client.query(sql).await {
            Ok(result) => Ok(match cells(&result) {
                Ok(rows) => Answer::Rows(rows),
                Err(error) => Answer::Broken(format!("a value that cannot be shown: {error}")),
            }),
            Err(Error::Refused(why)) if is_broken(&why) => Ok(Answer::Broken(why)),
            Err(Error::Refused(why)) => Ok(Answer::Refused(why)),
            Err(error @ Error::Unreachable { .. }) => Err(error).with_context(|| format!("after: {sql}")),
            Err(Error::Deadline { .. }) => Ok(Answer::Late),
            Err(error) => Ok(Answer::Broken(error.to_string())),
        }
    }
}

/// What no error says to who wrote SQL: that something inside broke, what is inside, or how it is called there.
const INNER_WORDS: &[&str] = &[
    "internal error",
    "panic",
    "bug",
    "assertion",
    "backtrace",
    "likely caused",
    "datafusion",
    "arrow",
    "optimizer",
    "analyzer",
    "physical",
    "logicalplan",
    "logical plan",
    "schema error",
    "this feature is not implemented",
    "error during planning",
    "coerc",
    "downcast",
    "recordbatch",
    "subquery(",
    "subquery {",
    "scalarsubquery",
    "scalarvalue",
    "scalarfunction",
    "aggregatefunction",
    "windowfunction",
    "binaryexpr",
    "outerreference",
    "span(",
    "location(",
    "field {",
    "some(",
    "utf8",
    "int64",
    "float64",
    "decimal128",
    "decimal256",
    "timestamp(microsecond",
    "duration(",
    "placeholder",
    "ast node",
    "::",
    "#",
    "\u{200b}",
];

/// Whether an error is none of the statement's, or is not in its words. What it quotes was typed.
fn is_broken(why: &str) -> bool {
    let mut quote = None;
    let mut said = String::new();
    for letter in why.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if matches!(letter, '\'' | '"' | '`') => quote = Some(letter),
            None => said.push(letter.to_ascii_lowercase()),
        }
    }
    // What was typed may have one quote alone; then all of it counts.
    let said = if quote.is_some() { why.to_lowercase() } else { said };
    INNER_WORDS.iter().any(|word| said.contains(word))
}

/// The rows of a table that a node pushes: every so many-th.
fn share(table: &Table, node: usize, nodes: usize) -> anyhow::Result<TableSnapshot> {
    let columns: Vec<_> = table.columns.iter().map(|column| (column.name, column.data_type, "")).collect();
    let rows = table.rows.iter().skip(node).step_by(nodes);
    let empty = unum_client::Table::new(table.name, &columns)?;
    Ok(rows.fold(empty, |table, row| table.row(row.iter().cloned())).snapshot())
}

fn cells(result: &QueryResult) -> anyhow::Result<Vec<Vec<Cell>>> {
    let mut rows = Vec::with_capacity(result.row_count());
    for batch in &result.batches {
        rows.extend(cells_of(batch)?);
    }
    Ok(rows)
}

fn cells_of(batch: &RecordBatch) -> anyhow::Result<Vec<Vec<Cell>>> {
    let options = FormatOptions::default().with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.6f"));
    let columns = batch
        .columns()
        .iter()
        .map(|array| Ok((array, ArrayFormatter::try_new(array.as_ref(), &options)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let row = |index: usize| columns.iter().map(|(array, shown)| cell(array.as_ref(), shown, index)).collect();
    (0..batch.num_rows()).map(row).collect()
}

fn cell(array: &dyn Array, shown: &ArrayFormatter<'_>, index: usize) -> anyhow::Result<Cell> {
    if array.is_null(index) {
        return Ok(Cell::NULL);
    }
    let text = || shown.value(index).try_to_string();
    Ok(match array.data_type() {
        ArrowType::Null => Cell::NULL,
        ArrowType::Boolean => Cell::new(Type::Integer, if array.as_boolean().value(index) { "1" } else { "0" }),
        ArrowType::Float64 | ArrowType::Float32 => Cell::new(Type::Double, text()?),
        ArrowType::Decimal128(..) | ArrowType::Decimal256(..) => Cell::new(Type::Decimal, text()?),
        of if of.is_integer() => Cell::new(Type::Integer, text()?),
        of if of.is_temporal() => Cell::new(Type::Time, text()?),
        ArrowType::Binary => Cell::new(Type::Text, array.as_binary::<i32>().value(index)),
        ArrowType::LargeBinary => Cell::new(Type::Text, array.as_binary::<i64>().value(index)),
        ArrowType::BinaryView => Cell::new(Type::Text, array.as_binary_view().value(index)),
        _ => Cell::new(Type::Text, text()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(why: &str, broken: bool) {
        assert_eq!(is_broken(why), broken, "{why}");
    }

    #[test]
    fn an_error_has_the_words_of_sql() {
        check("there is no column nope at line 1, column 8; k is near it", false);
        check("CAST to 'utf8 # ::' is not known", false);
        check("Correlated scalar subquery: ScalarSubquery(<subquery>)", true);
        check("there is no column #query.x", true);
        check("Cannot coerce Int64 and Utf8", true);
        check("at Span(Location(1,1)..)", true);
    }
}
