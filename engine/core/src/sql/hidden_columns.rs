//! Hidden columns: `"$path"` and its kin exist only where a statement names them.
//!
//! DataFusion has no hidden columns. So a SELECT that names one is bound to a form of the log
//! table that has them all, and every wildcard of that SELECT leaves them out again. A SELECT that
//! names none sees a table without them, which keeps `*`, UNION, INSERT and NATURAL JOIN as they
//! should be.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart,
    Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableFactor,
    Visit, VisitMut, VisitorMut, WildcardAdditionalOptions, With, visit_expressions,
};

use super::visit::visit_mut;
use crate::scan::columns::HIDDEN;

/// Marks the form of a table that has its hidden columns.
pub(crate) const SUFFIX: &str = "$hidden";

/// Visible columns of a log table; None if there is no such log table.
pub(crate) type VisibleColumns<'a> = &'a dyn Fn(&str) -> Option<Vec<String>>;

/// Binds every SELECT that names a hidden column to tables that have them.
pub(crate) fn bind(statement: &mut Statement, columns: VisibleColumns<'_>) {
    let mut binder = Binder {
        columns,
        with: HashSet::new(),
        outer: Vec::new(),
    };
    let _ = visit_mut(statement, &mut binder);
}

struct Binder<'a> {
    columns: VisibleColumns<'a>,
    /// Names of WITH queries that can be seen here: they go before tables.
    with: HashSet<String>,
    /// For each query that is being visited: the names that can be seen around it, and its own
    /// WITH, which was visited before.
    outer: Vec<(HashSet<String>, Option<With>)>,
}

impl VisitorMut for Binder<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let around = self.with.clone();
        let mut with = query.with.take();
        if let Some(with) = &mut with {
            self.bind_with(with);
        }
        self.outer.push((around, with));
        let order = query.order_by.as_ref().is_some_and(names_hidden);
        self.set_expr(&mut query.body, order);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let Some((around, with)) = self.outer.pop() {
            self.with = around;
            query.with = with;
        }
        ControlFlow::Continue(())
    }
}

impl Binder<'_> {
    /// Binds the queries of a WITH. Each sees those before it, and itself only if it recurs.
    fn bind_with(&mut self, with: &mut With) {
        for cte in &mut with.cte_tables {
            let name = folded(&cte.alias.name);
            if with.recursive {
                self.with.insert(name.clone());
            }
            let _ = VisitMut::visit(&mut cte.query, self);
            self.with.insert(name);
        }
    }

    fn set_expr(&self, body: &mut SetExpr, ordered_by_hidden: bool) {
        match body {
            SetExpr::Select(select) if ordered_by_hidden || select_names_hidden(select) => {
                self.bind_select(select);
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.set_expr(left, false);
                self.set_expr(right, false);
            }
            // A query in parentheses is visited by itself.
            _ => {}
        }
    }

    fn bind_select(&self, select: &mut Select) {
        let mut relations = Vec::new();
        for from in &mut select.from {
            let mut visible = self.bind_factor(&mut from.relation, &mut relations);
            for join in &mut from.joins {
                let right = self.bind_factor(&mut join.relation, &mut relations);
                let Some(constraint) = constraint(&mut join.join_operator) else {
                    visible = None;
                    continue;
                };
                if matches!(constraint, JoinConstraint::Natural)
                    && let (Some(left), Some(right)) = (&visible, &right)
                {
                    // Both sides have hidden columns now, which must not be joined on.
                    let common = left.iter().filter(|name| right.contains(name));
                    *constraint =
                        JoinConstraint::Using(common.map(|name| object_name(name)).collect());
                }
                if let Some(relation) = relations.last_mut() {
                    relation.joined = constraint.clone();
                }
                visible = visible
                    .zip(right)
                    .map(|(left, right)| [left, right].concat());
            }
        }
        let bound = relations.iter().filter(|relation| relation.hidden).count();
        if bound == 0 {
            return;
        }
        let mut items = Vec::with_capacity(select.projection.len());
        for mut item in std::mem::take(&mut select.projection) {
            match &mut item {
                SelectItem::Wildcard(options) => {
                    if bound > 1
                        && *options == WildcardAdditionalOptions::default()
                        && let Some(each) = wildcards(&relations)
                    {
                        items.extend(each);
                        continue;
                    }
                    exclude(options, &[]);
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    options,
                ) if relations
                    .iter()
                    .any(|bound| bound.hidden && bound.is_called(name)) =>
                {
                    exclude(options, &[]);
                }
                _ => {}
            }
            items.push(item);
        }
        select.projection = items;
    }

    /// Binds a relation of FROM; gives its visible columns if it is a log table.
    fn bind_factor(
        &self,
        factor: &mut TableFactor,
        relations: &mut Vec<Relation>,
    ) -> Option<Vec<String>> {
        let (visible, name) = match factor {
            TableFactor::Table { name, alias, .. } => {
                let visible = self.bind_table(name, alias);
                let called = alias.as_ref().map(|alias| alias.name.clone().into());
                (visible, called.or_else(|| Some(name.clone())))
            }
            TableFactor::Derived { alias, .. } => {
                (None, alias.as_ref().map(|alias| alias.name.clone().into()))
            }
            _ => (None, None),
        };
        relations.push(Relation {
            name,
            hidden: visible.is_some(),
            joined: JoinConstraint::None,
        });
        visible
    }

    fn bind_table(
        &self,
        name: &mut ObjectName,
        alias: &mut Option<TableAlias>,
    ) -> Option<Vec<String>> {
        let ident = last(name)?.clone();
        let table = folded(&ident);
        if self.with.contains(&table) {
            return None;
        }
        let visible = (self.columns)(&table)?;
        if let Some(ObjectNamePart::Identifier(ident)) = name.0.last_mut() {
            *ident = Ident::with_quote('"', format!("{table}{SUFFIX}"));
        }
        alias.get_or_insert_with(|| TableAlias {
            explicit: true,
            name: ident,
            columns: Vec::new(),
            at: None,
        });
        Some(visible)
    }
}

/// A relation of FROM.
struct Relation {
    /// What its columns are qualified with.
    name: Option<ObjectName>,
    /// It has hidden columns now.
    hidden: bool,
    /// How it is joined to those before it.
    joined: JoinConstraint,
}

impl Relation {
    fn is_called(&self, name: &ObjectName) -> bool {
        let own = self.name.as_ref().and_then(last).map(folded);
        own.is_some() && own == last(name).map(folded)
    }
}

/// What `*` means over several relations with hidden columns, where EXCLUDE cannot tell whose
/// columns it means: a wildcard for each. None if that cannot be said.
fn wildcards(relations: &[Relation]) -> Option<Vec<SelectItem>> {
    let wildcard = |relation: &Relation| {
        let name = relation.name.clone()?;
        let merged: &[ObjectName] = match &relation.joined {
            JoinConstraint::Natural => return None,
            JoinConstraint::Using(names) => names,
            _ => &[],
        };
        let mut options = WildcardAdditionalOptions::default();
        if relation.hidden {
            exclude(&mut options, merged);
        } else if !merged.is_empty() {
            options.opt_exclude = Some(ExcludeSelectItem::Multiple(merged.to_vec()));
        }
        let name = SelectItemQualifiedWildcardKind::ObjectName(name);
        Some(SelectItem::QualifiedWildcard(name, options))
    };
    relations.iter().map(wildcard).collect()
}

fn select_names_hidden(select: &Select) -> bool {
    let joined = select
        .from
        .iter()
        .flat_map(|from| &from.joins)
        .any(|join| names_hidden(&join.join_operator));
    joined
        || names_hidden(&select.projection)
        || names_hidden(&select.selection)
        || names_hidden(&select.group_by)
        || names_hidden(&select.having)
        || names_hidden(&select.qualify)
        || names_hidden(&select.named_window)
        || names_hidden(&select.sort_by)
}

/// Whether an expression in here is a hidden column.
fn names_hidden<N: Visit>(node: &N) -> bool {
    visit_expressions(node, |expr| {
        let ident = match expr {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(parts) => parts.last(),
            _ => None,
        };
        if ident.is_some_and(|ident| HIDDEN.contains(&ident.value.as_str())) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .is_break()
}

fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => Some(constraint),
        _ => None,
    }
}

/// Leaves hidden columns and those of `others` out of a wildcard.
fn exclude(options: &mut WildcardAdditionalOptions, others: &[ObjectName]) {
    let mut names: Vec<ObjectName> = HIDDEN.iter().map(|name| object_name(name)).collect();
    let is_hidden =
        |name: &ObjectName| last(name).is_some_and(|ident| HIDDEN.contains(&ident.value.as_str()));
    names.extend(others.iter().filter(|name| !is_hidden(name)).cloned());
    match options.opt_exclude.take() {
        Some(ExcludeSelectItem::Single(name)) => names.push(name),
        Some(ExcludeSelectItem::Multiple(more)) => names.extend(more),
        None => {}
    }
    options.opt_exclude = Some(ExcludeSelectItem::Multiple(names));
}

fn object_name(name: &str) -> ObjectName {
    ObjectName::from(vec![Ident::with_quote('"', name)])
}

fn last(name: &ObjectName) -> Option<&Ident> {
    name.0.last().and_then(ObjectNamePart::as_ident)
}

/// A name as DataFusion folds it: lower case unless quoted.
fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_lowercase()
    }
}
