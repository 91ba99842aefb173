//! Names: of the catalog and its schemas, of tables, of variables.

use sqlparser::ast::ObjectName;
use unum_proto::model::{CLUSTER_PREFIX, SqlSession};

use crate::sql::{Error, suggest};

/// The one catalog, named as MySQL names its own.
pub const CATALOG: &str = "def";
/// The schema of names without one.
pub const DEFAULT_SCHEMA: &str = "unum";
/// Where the tables about tables are.
pub const INFORMATION_SCHEMA: &str = "information_schema";
/// The founding idea's name for `cluster_node_info`; both reach it, this one is listed.
pub const NODE_INFOS: &str = "cluster_node_infos";
/// See [`NODE_INFOS`].
pub const NODE_INFO: &str = "cluster_node_info";
/// All schemas.
pub const SCHEMAS: [&str; 2] = [DEFAULT_SCHEMA, INFORMATION_SCHEMA];

/// The schema of names without one.
pub fn current_schema(session: &SqlSession) -> &str {
    match session.schema.as_str() {
        "" => DEFAULT_SCHEMA,
        schema => schema,
    }
}

/// The schema of a table's name, in lower case.
pub fn schema_of(name: &ObjectName, session: &SqlSession) -> String {
    match name.0.len() {
        1 => current_schema(session).to_owned(),
        parts => name.0[parts - 2].as_ident().map_or_else(String::new, |ident| ident.value.to_lowercase()),
    }
}

/// The pushed table of which `name` shows all nodes' rows, if it is the name of such.
pub fn cluster_table(name: &str) -> Option<&str> {
    let name = if name == NODE_INFOS { NODE_INFO } else { name };
    name.strip_prefix(CLUSTER_PREFIX)
}

/// The name of a schema that there is.
pub fn known_schema(name: String) -> Result<String, Error> {
    match SCHEMAS.contains(&name.as_str()) {
        true => Ok(name),
        false => {
            let near = suggest::nearest(&name, SCHEMAS);
            Err(suggest::unknown("schema", &name, near, "SHOW DATABASES"))
        }
    }
}

/// The last part of a name, in lower case.
pub fn last_part(name: &ObjectName) -> Result<String, Error> {
    let ident = name.0.last().and_then(|part| part.as_ident());
    Ok(ident.ok_or_else(|| Error::Invalid(format!("{name} is not a name")))?.value.to_lowercase())
}

/// `@@session.Name` and `NAME` are `name`; `@Name` is a user's variable, `@name`.
pub fn variable_name(typed: &str) -> Result<String, Error> {
    let name = typed.to_lowercase().replace(['`', '"'], "");
    let Some(system) = name.strip_prefix("@@") else { return Ok(name) };
    match system.split_once('.') {
        None => Ok(system.to_owned()),
        Some(("session" | "local", name)) => Ok(name.to_owned()),
        Some(("global", name)) => Ok(name.to_owned()),
        Some(_) => Err(Error::Invalid(format!("{typed} is no variable; write @@name or @@session.name"))),
    }
}
