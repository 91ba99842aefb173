//! Reading a table: what DataFusion plans, and what runs.
//!
//! A plan names its tables and has no rows, so that it serves every state: [`TableScan::bound`] gives a scan the view that
//! it reads. Conditions on the table's columns are judged here, and chunks that cannot have what is looked for are not
//! read.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::{SlicesIterator, filter_record_batch, prep_null_mask_filter};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::{
    AcrossPartitions, ConstExpr, EquivalenceProperties, Partitioning, PhysicalExpr, split_conjunction,
};
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, ReplaceChildrenOptions, apply_expression_roots,
};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

use super::parameter;
use super::view::{SHOWN_AS, Source, View};
use crate::catalog::columnar::{self, chunks};
use crate::catalog::{State, Table};
use crate::sql::mysql::lower::BOOLEAN_COLUMN;

/// Rows of one batch: DataFusion's own measure, after which other queries have their turn.
const BATCH_ROWS: usize = 8192;

/// A table as plans know it.
#[derive(Debug)]
pub struct ViewTable {
    name: Arc<Name>,
    columns: SchemaRef,
    /// About how many there are: for the order of joins, and never for an answer.
    rows: Option<usize>,
}

/// Schema and table.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) schema: &'static str,
    pub(super) table: String,
}

impl ViewTable {
    /// A table of a view, if there is one of this name.
    pub fn of(view: &View, schema: &'static str, table: &str) -> Option<Self> {
        let source = view.source(schema, table)?;
        let (columns, rows) = match source {
            Source::System(table) => (table.schema(), None),
            Source::Local(table) => (columnar::local_schema(table), None),
            Source::Cluster(table) => (columnar::cluster_schema(table), Some(chunks::rows(&view.state, table))),
        };
        Some(Self { name: Arc::new(Name { schema, table: table.to_owned() }), columns: planned(&columns), rows })
    }
}

/// The columns as plans know them: with what decides how they are shown, and without their comments.
fn planned(columns: &SchemaRef) -> SchemaRef {
    let field = |field: &Arc<Field>| {
        let mut metadata: HashMap<String, String> = HashMap::new();
        if let Some(shown_as) = field.metadata().get(SHOWN_AS) {
            metadata.insert(SHOWN_AS.to_owned(), shown_as.clone());
        }
        if *field.data_type() == DataType::Boolean {
            metadata.insert(BOOLEAN_COLUMN.to_owned(), String::new());
        }
        Field::clone(field).with_metadata(metadata)
    };
    Arc::new(Schema::new(columns.fields().iter().map(field).collect::<Vec<_>>()))
}

#[async_trait]
impl TableProvider for ViewTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match is_plain(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut read = projection.cloned().unwrap_or_else(|| (0..self.columns.fields().len()).collect());
        let projected = read.len();
        let condition = conjunction(filters.iter().cloned());
        let judged = condition.iter().flat_map(Expr::column_refs).map(|column| self.columns.index_of(&column.name));
        let judged = judged.collect::<Result<BTreeSet<_>, _>>()?;
        read.extend(judged.into_iter().filter(|position| !read[..projected].contains(position)).collect::<Vec<_>>());
        let read_schema = Arc::new(self.columns.project(&read)?);
        let named = DFSchema::try_from(Schema::clone(&read_schema))?;
        let predicate = condition.map(|condition| session.create_physical_expr(condition, &named));
        let predicate = predicate.transpose()?;
        let schema = Arc::new(self.columns.project(&read[..projected])?);
        let mut equivalences = EquivalenceProperties::new(Arc::clone(&schema));
        // A column that equals a value is in any order. Of one that is left open nothing is said: DataFusion takes two
        // constants of unknown value for the same, and would leave the UNION of two nodes' rows unsorted.
        let equal = equalities(predicate.as_ref()).filter(|(column, _)| column.index() < projected);
        let constant = |(column, value): (&Column, &Arc<dyn PhysicalExpr>)| {
            let value = value.downcast_ref::<Literal>()?.value().clone();
            Some(ConstExpr::new(Arc::new(column.clone()), AcrossPartitions::Uniform(Some(value))))
        };
        equivalences.add_constants(equal.filter_map(constant))?;
        let properties = PlanProperties::new(
            equivalences,
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(TableScan {
            name: Arc::clone(&self.name),
            read: read.into(),
            read_schema,
            projected,
            schema,
            predicate,
            limit,
            rows: self.rows,
            view: None,
            properties: Arc::new(properties),
        }))
    }
}

/// Whether a condition can be judged by a row alone.
fn is_plain(filter: &Expr) -> bool {
    let is_plain = |expr: &Expr| {
        !matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::AggregateFunction(_)
                | Expr::WindowFunction(_)
        )
    };
    !filter.exists(|expr| Ok(!is_plain(expr))).unwrap_or(true)
}

/// What columns have to equal: a literal, or a value that is not known yet.
fn equalities(predicate: Option<&Arc<dyn PhysicalExpr>>) -> impl Iterator<Item = (&Column, &Arc<dyn PhysicalExpr>)> {
    predicate.into_iter().flat_map(split_conjunction).filter_map(equality)
}

/// The column and the value, if that is all that the condition is.
pub(super) fn equality(expr: &Arc<dyn PhysicalExpr>) -> Option<(&Column, &Arc<dyn PhysicalExpr>)> {
    let is_value = |expr: &Arc<dyn PhysicalExpr>| expr.downcast_ref::<Literal>().is_some() || parameter::is_open(expr);
    let equality = expr.downcast_ref::<BinaryExpr>().filter(|expr| *expr.op() == Operator::Eq)?;
    match (equality.left(), equality.right()) {
        (column, value) | (value, column) if is_value(value) => Some((column.downcast_ref::<Column>()?, value)),
        _ => None,
    }
}

/// The scan of a table, in a plan.
#[derive(Debug, Clone)]
pub struct TableScan {
    pub(super) name: Arc<Name>,
    /// Positions of the columns that are read: first those of the result, then what only the condition needs.
    pub(super) read: Arc<[usize]>,
    read_schema: SchemaRef,
    /// How many of these are in the result.
    pub(super) projected: usize,
    schema: SchemaRef,
    pub(super) predicate: Option<Arc<dyn PhysicalExpr>>,
    pub(super) limit: Option<usize>,
    rows: Option<usize>,
    view: Option<Arc<View>>,
    properties: Arc<PlanProperties>,
}

impl TableScan {
    /// The same scan of a view, its condition with the values in it that it waits for.
    pub fn bound(
        &self,
        view: &Arc<View>,
        fill: impl Fn(&Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let predicate = self.predicate.as_ref().map(fill).transpose()?;
        Ok(Arc::new(Self { predicate, view: Some(Arc::clone(view)), ..self.clone() }))
    }

    /// The rows that may fulfil the condition.
    fn read(&self, view: &View) -> Result<Vec<RecordBatch>> {
        let Some(source) = view.source(self.name.schema, &self.name.table) else {
            return internal_err!("the table {}.{} is not there any more", self.name.schema, self.name.table);
        };
        let all = match source {
            Source::System(table) => table.batch(view),
            Source::Local(table) => columnar::local_batch(table, &view.own),
            Source::Cluster(table) => return self.read_cluster(&view.state, table),
        };
        Ok(vec![self.batch(self.read.iter().map(|position| Arc::clone(all.column(*position))), all.num_rows())?])
    }

    fn read_cluster(&self, state: &State, table: &Table) -> Result<Vec<RecordBatch>> {
        let texts = self.texts_looked_for();
        if texts.is_empty() {
            let whole = self.read.iter().map(|position| chunks::whole_column(state, table, *position));
            if let Some(columns) = whole.collect::<Option<Vec<_>>>() {
                return Ok(vec![self.batch(columns.into_iter(), chunks::rows(state, table))?]);
            }
        }
        let may_have =
            |chunk: &chunks::ChunkView<'_>| texts.iter().all(|(position, text)| chunk.may_have(*position, text));
        let batch = |chunk: chunks::ChunkView<'_>| {
            self.batch(self.read.iter().map(|position| chunk.column(*position)), chunk.rows())
        };
        chunks::chunks(state, table).filter(may_have).map(batch).collect()
    }

    fn batch(
        &self,
        columns: impl Iterator<Item = datafusion::arrow::array::ArrayRef>,
        rows: usize,
    ) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.read_schema);
        Ok(RecordBatch::try_new_with_options(schema, columns.collect(), &options)?)
    }

    /// Texts that columns of the table have to equal in every row of the result.
    fn texts_looked_for(&self) -> Vec<(usize, String)> {
        let text = |(column, value): (&Column, &Arc<dyn PhysicalExpr>)| match value.downcast_ref::<Literal>()?.value() {
            ScalarValue::Utf8(Some(text)) => Some((self.read[column.index()], text.clone())),
            _ => None,
        };
        equalities(self.predicate.as_ref()).filter_map(text).collect()
    }

    /// Those rows of a batch that fulfil the condition, with the columns of the result; none if there are none.
    fn judge(&self, batch: &RecordBatch) -> Result<Option<RecordBatch>> {
        let fulfilled = match &self.predicate {
            None => None,
            Some(predicate) => Some(predicate.evaluate(batch)?.into_array(batch.num_rows())?),
        };
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns()[..self.projected].to_vec();
        let result = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        let Some(fulfilled) = fulfilled else { return Ok((result.num_rows() > 0).then_some(result)) };
        let fulfilled = match fulfilled.as_boolean() {
            unknown if unknown.null_count() > 0 => prep_null_mask_filter(unknown),
            known => known.clone(),
        };
        let mut runs = SlicesIterator::new(&fulfilled);
        // Most often it is one row, or all: these need no copy.
        Ok(match (runs.next(), runs.next()) {
            (None, _) => None,
            (Some((from, to)), None) => Some(part(result, from, to - from)),
            _ => Some(filter_record_batch(&result, &fulfilled)?),
        })
    }
}

/// So many rows of a batch from a row on.
fn part(batch: RecordBatch, from: usize, rows: usize) -> RecordBatch {
    if rows == batch.num_rows() { batch } else { batch.slice(from, rows) }
}

impl DisplayAs for TableScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableScan: {}.{}", self.name.schema, self.name.table)?;
        let names: Vec<_> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, ", columns=[{}]", names.join(", "))?;
        if let Some(predicate) = &self.predicate {
            write!(f, ", condition={predicate}")?;
        }
        self.limit.map_or(Ok(()), |limit| write!(f, ", limit={limit}"))
    }
}

impl ExecutionPlan for TableScan {
    fn name(&self) -> &str {
        "TableScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(&self.predicate, f)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let rows = self.rows.map_or(Precision::Absent, Precision::Inexact);
        Ok(Arc::new(Statistics { num_rows: rows, ..Statistics::new_unknown(&self.schema) }))
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(view) = &self.view else {
            return internal_err!("the scan of {}.{} has no view to read", self.name.schema, self.name.table);
        };
        let scan = self.clone();
        let slices = self.read(view)?.into_iter().flat_map(|batch| {
            let offsets = (0..batch.num_rows()).step_by(BATCH_ROWS);
            offsets.map(move |offset| part(batch.clone(), offset, BATCH_ROWS.min(batch.num_rows() - offset)))
        });
        let mut left = self.limit.unwrap_or(usize::MAX);
        let judged = slices.filter_map(move |batch| scan.judge(&batch).transpose());
        let limited = judged.map_while(move |batch| {
            (left > 0).then(|| {
                let batch = batch?;
                let rows = batch.num_rows().min(left);
                left -= rows;
                Ok::<_, DataFusionError>(part(batch, 0, rows))
            })
        });
        let rows = futures::stream::iter(limited);
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }
}
