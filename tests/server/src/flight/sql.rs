//! SQL, by DataFusion.

use std::sync::Arc;

use datafusion::{
    catalog::{SchemaProvider, TableProvider},
    common::ParamValues,
    datasource::{MemTable, TableType},
    error::Result,
    execution::{SendableRecordBatchStream, context::SQLOptions},
    prelude::{SessionConfig, SessionContext},
    scalar::ScalarValue,
};

use crate::shared::Shared;

const CATALOG: &str = "public";
const SCHEMA: &str = "iox";

/// Plans a query and begins it.
pub(crate) async fn query(
    shared: Arc<Shared>,
    database: String,
    sql: String,
    params: Vec<(String, ScalarValue)>,
) -> Result<SendableRecordBatchStream> {
    let context = session(shared, database)?;
    let plan = context.state().create_logical_plan(&sql).await?;
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan)?;
    let plan = plan.with_param_values(ParamValues::from(params))?;
    context.execute_logical_plan(plan).await?.execute_stream().await
}

/// One partition: on one thread more would only shuffle the rows.
pub(crate) fn session(shared: Arc<Shared>, database: String) -> Result<SessionContext> {
    let config = SessionConfig::new()
        .with_information_schema(true)
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_target_partitions(1);
    let context = SessionContext::new_with_config(config);
    let tables = Tables { shared, database };
    if let Some(catalog) = context.catalog(CATALOG) {
        catalog.register_schema(SCHEMA, Arc::new(tables))?;
    }
    Ok(context)
}

/// A database's tables, turned into Arrow when a query names them.
#[derive(Debug)]
struct Tables {
    shared: Arc<Shared>,
    database: String,
}

#[tonic::async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        self.shared.store.tables(&self.database)
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(snapshot) = self.shared.store.snapshot(&self.database, name) else {
            return Ok(None);
        };
        let table = MemTable::try_new(snapshot.schema, vec![snapshot.batches])?;
        Ok(Some(Arc::new(table)))
    }

    /// Asked for every table by the information schema, which need not turn all rows into Arrow.
    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::Base))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|table| table == name)
    }
}
