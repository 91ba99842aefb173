//! Tables that are called as a column of another one: `v.k` is no part of a column `v`.
//!
//! DataFusion looks for columns around a subquery first; with names that no column has there is nothing to mistake.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SelectItem, SelectItemQualifiedWildcardKind,
    Statement as Ast, TableAlias, TableFactor, VisitMut, VisitorMut,
};

use super::joins::{ColumnsOf, alias_of, lower};
use crate::sql::wording::RENAMED;

/// Calls all tables otherwise, if one of them is called as a column.
pub fn rename(statement: &mut Ast, columns_of: &ColumnsOf<'_>) {
    let query = match statement {
        Ast::Query(query) => query,
        Ast::Explain { statement, .. } => return rename(statement, columns_of),
        _ => return,
    };
    if tables_are_called_as_columns(query, columns_of) {
        let _: ControlFlow<()> = query.visit(&mut Renames);
    }
}

/// Whether a table has a name that a column of some table has.
fn tables_are_called_as_columns(query: &mut Query, columns_of: &ColumnsOf<'_>) -> bool {
    #[derive(Default)]
    struct Names {
        tables: Vec<ObjectName>,
        called: Vec<String>,
        columns: Vec<String>,
        queries: usize,
    }

    impl VisitorMut for Names {
        type Break = ();

        fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.queries += 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
            self.called.extend(alias_of(factor));
            if let TableFactor::Table { name, .. } = factor {
                self.tables.push(name.clone());
            }
            ControlFlow::Continue(())
        }

        fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
            for item in &select.projection {
                if let SelectItem::ExprWithAlias { alias, .. } = item {
                    self.columns.push(lower(alias));
                }
            }
            ControlFlow::Continue(())
        }
    }

    let mut names = Names::default();
    let _ = query.visit(&mut names);
    // Without a query inside another one, DataFusion knows the tables before the columns.
    if names.queries < 2 {
        return false;
    }
    let of_tables = names.tables.iter().filter_map(columns_of).flatten().map(|(name, _)| name);
    names.columns.extend(of_tables);
    names.called.iter().any(|called| names.columns.contains(called))
}

/// Calls every table otherwise, wherever it is named.
struct Renames;

impl Renames {
    fn name(&self, name: &mut Ident) {
        name.value = format!("{}{RENAMED}", name.value.to_lowercase());
        name.quote_style = Some('`');
    }
}

impl VisitorMut for Renames {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
                self.name(&mut alias.name);
            }
            TableFactor::Table { name, alias, .. } => {
                if let Some(last) = name.0.last().and_then(|part| part.as_ident()) {
                    let mut called = last.clone();
                    self.name(&mut called);
                    *alias = Some(TableAlias { explicit: true, name: called, columns: Vec::new(), at: None });
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) = item
                && let Some(last) = name.0.pop()
                && let Some(last) = last.as_ident()
            {
                let mut called = last.clone();
                self.name(&mut called);
                *name = ObjectName(vec![ObjectNamePart::Identifier(called)]);
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && parts.len() >= 2
        {
            let mut both = parts.split_off(parts.len() - 2);
            self.name(&mut both[0]);
            *parts = both;
        }
        ControlFlow::Continue(())
    }
}
