//! The operator in a logical plan: its input, with a column more for each subquery.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use super::slots::Slots;

/// What is asked of a subquery.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub enum Kind {
    /// Its one value, or NULL of no row.
    Scalar,
    /// Whether it has a row.
    Exists,
    /// Whether this value is among its values.
    In {
        /// The value.
        value: Expr,
        /// Whether it is not to be.
        negated: bool,
    },
}

/// One subquery.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The subquery, with slots for what it asks of the row.
    pub plan: LogicalPlan,
    /// What is asked.
    pub kind: Kind,
    /// The name of the column of answers.
    pub name: String,
    /// What it asks of the row.
    pub slots: Arc<Slots>,
}

impl Asked {
    /// The column of answers.
    fn field(&self) -> Field {
        let data_type = match self.kind {
            Kind::Scalar => self.plan.schema().field(0).data_type().clone(),
            Kind::Exists | Kind::In { .. } => DataType::Boolean,
        };
        Field::new(&self.name, data_type, true)
    }
}

/// The operator.
#[derive(Debug, Clone)]
pub struct Apply {
    /// The rows that ask.
    pub input: LogicalPlan,
    /// What they ask.
    pub subqueries: Vec<Asked>,
    /// The columns of the input, and then the answers.
    pub schema: DFSchemaRef,
}

impl Apply {
    /// An operator over these rows.
    pub fn new(input: LogicalPlan, subqueries: Vec<Asked>) -> Result<Self> {
        let own = input.schema();
        let mut fields: Vec<_> = own.iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))).collect();
        fields.extend(subqueries.iter().map(|asked| (None, Arc::new(asked.field()))));
        let schema = Arc::new(DFSchema::new_with_metadata(fields, own.metadata().clone())?);
        Ok(Self { input, subqueries, schema })
    }

    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

impl UserDefinedLogicalNodeCore for Apply {
    fn name(&self) -> &str {
        "Apply"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let value = |asked: &Asked| match &asked.kind {
            Kind::In { value, .. } => Some(value.clone()),
            Kind::Scalar | Kind::Exists => None,
        };
        // What a subquery asks of the row is needed of it, too.
        let asked = self.subqueries.iter().flat_map(|asked| asked.slots.columns()).map(Expr::Column);
        self.subqueries.iter().filter_map(value).chain(asked).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Apply: {} subqueries for each row", self.subqueries.len())
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut exprs = exprs.into_iter();
        let mut subqueries = self.subqueries.clone();
        for asked in &mut subqueries {
            if let Kind::In { value, .. } = &mut asked.kind
                && let Some(expr) = exprs.next()
            {
                *value = expr;
            }
        }
        match (inputs.pop(), inputs.is_empty()) {
            (Some(input), true) => Self::new(input, subqueries),
            _ => internal_err!("a subquery has one input"),
        }
    }
}

impl PartialEq for Apply {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&Asked, &Asked)| a.kind == b.kind && a.name == b.name && a.plan == b.plan;
        self.input == other.input
            && self.subqueries.len() == other.subqueries.len()
            && self.subqueries.iter().zip(&other.subqueries).all(same)
    }
}

impl Eq for Apply {}

impl PartialOrd for Apply {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl Hash for Apply {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.subqueries.iter().for_each(|asked| (&asked.kind, &asked.name).hash(state));
    }
}
