//! Named columns: `a BIGINT NOT NULL, t TIMESTAMP COMMENT 'when it began'`, as in MySQL's CREATE TABLE.

use std::str::FromStr;

use sqlparser::ast::{ColumnDef, ColumnOption, DataType as Sql};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;
use unum_proto::model::{Column, DataType, Invalid};

/// Columns with their types, in the table's order. Lengths and precisions do not count; MySQL's narrow types are
/// widened to the catalog's.
///
/// ```
/// # use unum_client::rows::Columns;
/// let columns: Columns = "id BIGINT UNSIGNED NOT NULL, took DOUBLE COMMENT 'seconds', query TEXT".parse()?;
/// # Ok::<(), unum_client::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(pub Vec<Column>);

const LEGAL: &str = "use BOOL, BIGINT, BIGINT UNSIGNED, DOUBLE, TEXT, BLOB or TIMESTAMP";

impl FromStr for Columns {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = |why: String| {
            Invalid::new(
                format!("the schema {text:?} does not parse: {why}"),
                "write it as in CREATE TABLE: a BIGINT, b TEXT",
            )
        };
        let parse = || {
            let dialect = MySqlDialect {};
            let bracketed = format!("({text})");
            let mut parser = Parser::new(&dialect).try_with_sql(&bracketed)?;
            let (columns, constraints) = parser.parse_columns()?;
            parser.expect_token(&Token::EOF)?;
            Ok((columns, constraints))
        };
        let (columns, constraints) = parse().map_err(|e: sqlparser::parser::ParserError| wrong(e.to_string()))?;
        if let Some(constraint) = constraints.first() {
            return Err(Invalid::new(format!("the schema has {constraint}"), "name columns only"));
        }
        if columns.is_empty() {
            return Err(wrong("it is empty".to_owned()));
        }
        columns.into_iter().map(column).collect::<Result<_, _>>().map(Self)
    }
}

fn column(definition: ColumnDef) -> Result<Column, Invalid> {
    let name = definition.name.value.to_ascii_lowercase().parse()?;
    let data_type = data_type(&definition.data_type)
        .ok_or_else(|| Invalid::new(format!("column {name} has the type {}", definition.data_type), LEGAL))?;
    let mut column = Column { name, data_type, nullable: true, comment: String::new() };
    for option in definition.options {
        match option.option {
            ColumnOption::Null => column.nullable = true,
            ColumnOption::NotNull => column.nullable = false,
            ColumnOption::Comment(comment) => column.comment = comment,
            other => {
                return Err(Invalid::new(
                    format!("column {} has the option {other}", column.name),
                    "only NULL, NOT NULL and COMMENT mean anything here",
                ));
            }
        }
    }
    Ok(column)
}

fn data_type(sql: &Sql) -> Option<DataType> {
    Some(match sql {
        Sql::Bool | Sql::Boolean => DataType::Bool,
        Sql::TinyInt(_) | Sql::SmallInt(_) | Sql::MediumInt(_) | Sql::Int(_) | Sql::Integer(_) | Sql::BigInt(_) => {
            DataType::Int64
        }
        Sql::TinyIntUnsigned(_)
        | Sql::SmallIntUnsigned(_)
        | Sql::MediumIntUnsigned(_)
        | Sql::IntUnsigned(_)
        | Sql::IntegerUnsigned(_)
        | Sql::BigIntUnsigned(_) => DataType::UInt64,
        Sql::Double(_) | Sql::DoublePrecision | Sql::Float(_) | Sql::Real => DataType::Float64,
        Sql::Decimal(_) | Sql::Dec(_) | Sql::Numeric(_) => DataType::Float64,
        Sql::Text | Sql::TinyText | Sql::MediumText | Sql::LongText | Sql::JSON => DataType::Text,
        Sql::Char(_) | Sql::Character(_) | Sql::Varchar(_) | Sql::CharacterVarying(_) => DataType::Text,
        Sql::Blob(_) | Sql::TinyBlob | Sql::MediumBlob | Sql::LongBlob => DataType::Bytes,
        Sql::Binary(_) | Sql::Varbinary(_) => DataType::Bytes,
        Sql::Timestamp(..) | Sql::Datetime(_) => DataType::Timestamp,
        _ => return None,
    })
}
