//! The operator as it runs: for each row, the answers to its subqueries, each combination of values asked once.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions, reset_plan_states,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::{StreamExt, TryStreamExt};

use super::node::Kind;
use super::slots::Slots;

/// Answers that are remembered of one subquery; past it they are forgotten, and asked for again.
const ANSWERS_MAX: usize = 10_000;

/// One subquery.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The subquery, with slots for what it asks of the row.
    pub plan: Arc<dyn ExecutionPlan>,
    /// What is asked.
    pub kind: Kind,
    /// The value that is looked for in it.
    pub value: Option<Arc<dyn PhysicalExpr>>,
    /// Which columns of the row it asks for.
    pub columns: Vec<usize>,
    /// Where it has their values from.
    pub slots: Arc<Slots>,
}

/// The operator.
#[derive(Debug)]
pub struct ApplyExec {
    input: Arc<dyn ExecutionPlan>,
    asked: Vec<Asked>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl ApplyExec {
    /// An operator over these rows.
    pub fn new(input: Arc<dyn ExecutionPlan>, asked: Vec<Asked>, schema: SchemaRef) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { input, asked, schema, properties: Arc::new(properties) }
    }
}

impl DisplayAs for ApplyExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApplyExec: {} subqueries for each row", self.asked.len())
    }
}

impl ExecutionPlan for ApplyExec {
    fn name(&self) -> &str {
        "ApplyExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        std::iter::once(&self.input).chain(self.asked.iter().map(|asked| &asked.plan)).collect()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for value in self.asked.iter().filter_map(|asked| asked.value.as_ref()) {
            if f(value)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.children().len()]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut children = children.into_iter();
        let Some(input) = children.next() else { return internal_err!("a subquery has one input") };
        let mut asked = self.asked.clone();
        for (asked, plan) in asked.iter_mut().zip(children) {
            asked.plan = plan;
        }
        Ok(Arc::new(Self::new(input, asked, Arc::clone(&self.schema))))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, tasks: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&tasks))?;
        let reservation = MemoryConsumer::new("subqueries").register(tasks.memory_pool());
        let asking = Asking {
            subqueries: self.asked.iter().map(|asked| (asked.clone(), HashMap::new())).collect(),
            schema: Arc::clone(&self.schema),
            tasks,
            reservation,
        };
        let rows = futures::stream::try_unfold((input, asking), |(mut input, mut asking)| async move {
            match input.next().await.transpose()? {
                Some(batch) => Ok(Some((asking.answer(&batch).await?, (input, asking)))),
                None => Ok(None),
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }
}

/// What a subquery answered for a combination of values.
#[derive(Debug)]
enum Answer {
    Value(ScalarValue),
    /// Its values, and whether NULL is among them.
    Set(HashSet<ScalarValue>, bool),
}

/// Answers that are known, by the values of the row that asks.
type Known = HashMap<Vec<ScalarValue>, Answer>;

struct Asking {
    subqueries: Vec<(Asked, Known)>,
    schema: SchemaRef,
    tasks: Arc<TaskContext>,
    reservation: MemoryReservation,
}

impl Asking {
    /// The rows with their answers.
    async fn answer(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        for at in 0..self.subqueries.len() {
            let field = self.schema.field(batch.num_columns() + at).data_type().clone();
            let wanted = match &self.subqueries[at].0.value {
                Some(value) => Some(value.evaluate(batch)?.into_array(batch.num_rows())?),
                None => None,
            };
            let mut answers = Vec::with_capacity(batch.num_rows());
            for row in 0..batch.num_rows() {
                let wanted = wanted.as_ref().map(|wanted| ScalarValue::try_from_array(wanted, row)).transpose()?;
                answers.push(self.of_row(at, batch, row, wanted).await?);
            }
            columns.push(match answers.is_empty() {
                true => datafusion::arrow::array::new_empty_array(&field),
                false => ScalarValue::iter_to_array(answers)?,
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    async fn of_row(
        &mut self,
        at: usize,
        batch: &RecordBatch,
        row: usize,
        wanted: Option<ScalarValue>,
    ) -> Result<ScalarValue> {
        let (asked, known) = &mut self.subqueries[at];
        let values = asked.columns.iter().map(|column| ScalarValue::try_from_array(batch.column(*column), row));
        let values = values.collect::<Result<Vec<_>>>()?;
        if !known.contains_key(&values) {
            if known.len() == ANSWERS_MAX {
                known.clear();
                self.reservation.free();
            }
            let answer = ask(asked, values.clone(), &self.tasks).await?;
            self.reservation.try_grow(size_of_answer(&answer))?;
            known.insert(values.clone(), answer);
        }
        match (known.get(&values), wanted) {
            (Some(Answer::Value(value)), _) => Ok(value.clone()),
            (Some(Answer::Set(set, has_null)), Some(wanted)) => {
                let negated = matches!(asked.kind, Kind::In { negated: true, .. });
                let found = match wanted.is_null() {
                    true if set.is_empty() && !has_null => Some(false),
                    true => None,
                    false if set.contains(&wanted) => Some(true),
                    false if *has_null => None,
                    false => Some(false),
                };
                Ok(ScalarValue::Boolean(found.map(|found| found != negated)))
            }
            _ => internal_err!("a subquery has no answer"),
        }
    }
}

/// About how many bytes an answer takes.
fn size_of_answer(answer: &Answer) -> usize {
    match answer {
        Answer::Value(value) => value.size(),
        Answer::Set(set, _) => set.iter().map(ScalarValue::size).sum::<usize>() + size_of::<Answer>(),
    }
}

/// Runs a subquery for a row.
async fn ask(asked: &Asked, values: Vec<ScalarValue>, tasks: &Arc<TaskContext>) -> Result<Answer> {
    asked.slots.set(values.clone());
    let plan = reset_plan_states(Arc::clone(&asked.plan))?;
    let mut rows = datafusion::physical_plan::execute_stream(plan, Arc::clone(tasks))?;
    let mut value = None;
    let mut set = HashSet::new();
    let mut has_null = false;
    while let Some(batch) = rows.try_next().await? {
        // Another subquery of the same row may have run meanwhile.
        asked.slots.set(values.clone());
        match asked.kind {
            Kind::Exists if batch.num_rows() > 0 => return Ok(Answer::Value(ScalarValue::Boolean(Some(true)))),
            Kind::Exists => {}
            Kind::Scalar => {
                for row in 0..batch.num_rows() {
                    if value.is_some() {
                        return exec_err!(
                            "a subquery that stands for one value returned more than one row; add LIMIT 1 or an aggregate"
                        );
                    }
                    value = Some(ScalarValue::try_from_array(batch.column(0), row)?);
                }
            }
            Kind::In { .. } => {
                for row in 0..batch.num_rows() {
                    let value = ScalarValue::try_from_array(batch.column(0), row)?;
                    match value.is_null() {
                        true => has_null = true,
                        false => {
                            set.insert(value);
                        }
                    }
                }
            }
        }
    }
    Ok(match asked.kind {
        Kind::Exists => Answer::Value(ScalarValue::Boolean(Some(false))),
        Kind::In { .. } => Answer::Set(set, has_null),
        Kind::Scalar => match value {
            Some(value) => Answer::Value(value),
            None => Answer::Value(ScalarValue::try_from(asked.plan.schema().field(0).data_type())?),
        },
    })
}
