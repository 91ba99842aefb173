//! A view as DataFusion's catalog.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::error::DataFusionError;

use super::scan::ViewTable;
use super::view::View;
use crate::sql::syntax::names::SCHEMAS;

/// A view as DataFusion's catalog.
#[derive(Debug)]
pub struct ViewCatalog(pub Arc<View>);

impl CatalogProvider for ViewCatalog {
    fn schema_names(&self) -> Vec<String> {
        SCHEMAS.map(str::to_owned).to_vec()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let schema = SCHEMAS.into_iter().find(|schema| *schema == name)?;
        Some(Arc::new(ViewSchema { view: Arc::clone(&self.0), schema }))
    }
}

#[derive(Debug)]
struct ViewSchema {
    view: Arc<View>,
    schema: &'static str,
}

#[async_trait]
impl SchemaProvider for ViewSchema {
    fn table_names(&self) -> Vec<String> {
        self.view.table_names(self.schema).unwrap_or_default()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        Ok(ViewTable::of(&self.view, self.schema, name).map(|table| Arc::new(table) as _))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.view.has_table(self.schema, name)
    }
}
