//! Lookups: the few rows whose columns equal given texts, as in `WHERE id = 'tikv_1'`.
//!
//! They are most of what programs ask, over and over. Their plan is one scan, and a scan of so little needs none of the
//! machinery around operators: the rows are there when [`Lookup::rows`] returns.
//!
//! What would read much is no lookup, whatever it looks like. Then nothing was done, and it runs as any other plan.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, StringArray};
use datafusion::arrow::compute::kernels::cmp::eq;
use datafusion::arrow::compute::{SlicesIterator, and, prep_null_mask_filter};
use datafusion::common::{Result, ScalarValue};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::projection::ProjectionExec;

use super::parameter;
use super::scan::{TableScan, equality};
use super::view::{Source, View};
use crate::catalog::columnar::chunks::{self, ChunkView};

/// Rows that a lookup reads at most, to find those it is after: those of a few chunks of one row a node.
const ROWS_READ_MAX: usize = 1024;

/// Chunks that a lookup looks at, which builds a column of each that has changed: those of 16,000 nodes.
const CHUNKS_MAX: usize = 256;

/// A column by its position among those that are read, and the text that it has to equal.
type Condition<'a> = (usize, &'a str);

/// Rows that stand next to each other.
#[derive(Debug)]
pub struct Columns {
    /// Their values by column of the result.
    pub columns: Vec<ArrayRef>,
    /// How many there are.
    pub rows: usize,
}

/// A plan that is a lookup.
#[derive(Debug)]
pub struct Lookup {
    scan: TableScan,
    /// Which of the scan's columns the result has, in its order.
    columns: Vec<usize>,
}

impl Lookup {
    /// The lookup that a plan is, if it is one.
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        if let Some(scan) = plan.downcast_ref::<TableScan>() {
            let columns = (0..scan.projected).collect();
            return scan.compares_texts().then(|| Self { scan: scan.clone(), columns });
        }
        let [below] = plan.children()[..] else { return None };
        let lookup = Self::of(below)?;
        if plan.downcast_ref::<CooperativeExec>().is_some() {
            return Some(lookup);
        }
        let projection = plan.downcast_ref::<ProjectionExec>()?;
        let column = |shown: &ProjectionExpr| Some(lookup.columns[shown.expr.downcast_ref::<Column>()?.index()]);
        let columns = projection.expr().iter().map(column).collect::<Option<_>>()?;
        Some(Self { columns, ..lookup })
    }

    /// The rows, with these values for what was left open in the plan; none if it would read much.
    pub fn rows(&self, view: &View, values: &[ScalarValue]) -> Result<Option<Vec<Columns>>> {
        self.scan.look_up(view, values, &self.columns)
    }
}

impl TableScan {
    fn compares_texts(&self) -> bool {
        let compares_text = |condition| {
            equality(condition).is_some_and(|(_, value)| match value.downcast_ref::<Literal>() {
                Some(literal) => matches!(literal.value(), ScalarValue::Utf8(Some(_))),
                None => true,
            })
        };
        self.predicate.as_ref().is_some_and(|predicate| split_conjunction(predicate).into_iter().all(compares_text))
    }
    fn look_up(&self, view: &View, values: &[ScalarValue], shown: &[usize]) -> Result<Option<Vec<Columns>>> {
        let Some(Source::Cluster(table)) = view.source(self.name.schema, &self.name.table) else { return Ok(None) };
        let conditions = self.predicate.iter().flat_map(split_conjunction);
        let Some(texts) = conditions.map(|c| text(c, values)).collect::<Option<Vec<_>>>() else { return Ok(None) };
        if chunks::count(table) > CHUNKS_MAX {
            return Ok(None);
        }
        let may_have =
            |chunk: &ChunkView<'_>| texts.iter().all(|(column, text)| chunk.may_have(self.read[*column], text));
        let found: Vec<_> = chunks::chunks(&view.state, table).filter(may_have).collect();
        if found.iter().map(ChunkView::rows).sum::<usize>() > ROWS_READ_MAX {
            return Ok(None);
        }
        let mut left = self.limit.unwrap_or(usize::MAX);
        let mut parts = Vec::new();
        for chunk in found {
            for (from, to) in self.runs(chunk, &texts)? {
                let rows = (to - from).min(left);
                left -= rows;
                if rows > 0 {
                    let column = |column: &usize| chunk.column(self.read[*column]).slice(from, rows);
                    parts.push(Columns { columns: shown.iter().map(column).collect(), rows });
                }
            }
        }
        Ok(Some(parts))
    }

    /// Where in a chunk the rows are, each run from a row up to before another one.
    fn runs(&self, chunk: ChunkView<'_>, texts: &[Condition<'_>]) -> Result<Vec<(usize, usize)>> {
        let mut all: Option<BooleanArray> = None;
        for (column, text) in texts {
            let equal = eq(&chunk.column(self.read[*column]), &StringArray::new_scalar(*text))?;
            all = Some(match all {
                None => equal,
                Some(others) => and(&others, &equal)?,
            });
        }
        let fulfilled = all.map(|all| if all.null_count() > 0 { prep_null_mask_filter(&all) } else { all });
        Ok(fulfilled.iter().flat_map(SlicesIterator::new).collect())
    }
}

fn text<'a>(condition: &'a Arc<dyn PhysicalExpr>, values: &'a [ScalarValue]) -> Option<Condition<'a>> {
    let (column, value): (&Column, _) = equality(condition)?;
    let value = match value.downcast_ref::<Literal>() {
        Some(literal) => literal.value(),
        None => &values[parameter::position_of(value)?],
    };
    match value {
        ScalarValue::Utf8(Some(text)) => Some((column.index(), text)),
        _ => None,
    }
}
