//! `window_start` and `window_end` in a SELECT that groups by a window.
//!
//! They are no columns of a table. In such a SELECT they become functions of what is grouped by, in
//! which the planner recognises the key.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments,
    GroupByExpr, Ident, ObjectName, OrderByKind, Query, Select, SelectItem, SetExpr, VisitMut,
    VisitorMut,
};

use super::visit::visit_mut;
use crate::windows::functions::{END, START, is_window};

/// Makes functions of them, in all of a statement.
pub(crate) fn bind(statement: &mut Statement) {
    let _ = visit_mut(statement, &mut Queries);
}

struct Queries;

impl VisitorMut for Queries {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = &mut *query.body
            && let Some(window) = window(select)
            && let Some(order) = &mut query.order_by
            && let OrderByKind::Expressions(orders) = &mut order.kind
        {
            // What the SELECT names itself is found by that name.
            let named: Vec<_> = select.projection.iter().filter_map(name).collect();
            let mut bounds = Bounds::of(&window, |bound| !named.iter().any(|name| name == bound));
            for order in orders {
                let _ = VisitMut::visit(&mut order.expr, &mut bounds);
            }
        }
        set_expr(&mut query.body);
        ControlFlow::Continue(())
    }
}

fn set_expr(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            if let Some(window) = window(select) {
                bind_select(select, &window);
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            set_expr(left);
            set_expr(right);
        }
        // A query in parentheses is visited by itself.
        _ => {}
    }
}

fn bind_select(select: &mut Select, window: &Expr) {
    let mut bounds = Bounds::of(window, |_| true);
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(Expr::Identifier(ident)) = item
            && bound(ident).is_some()
        {
            let alias = ident.clone();
            let expr = Expr::Identifier(alias.clone());
            *item = SelectItem::ExprWithAlias { expr, alias };
        }
        let _ = VisitMut::visit(item, &mut bounds);
    }
    let clauses = [&mut select.having, &mut select.qualify];
    for clause in clauses.into_iter().flatten() {
        let _ = VisitMut::visit(clause, &mut bounds);
    }
    for window in &mut select.named_window {
        let _ = VisitMut::visit(window, &mut bounds);
    }
}

/// The window that a SELECT groups by.
fn window(select: &Select) -> Option<Expr> {
    let GroupByExpr::Expressions(keys, _) = &select.group_by else {
        return None;
    };
    let is_call = |key: &&Expr| match key {
        Expr::Function(call) => match call.name.0.as_slice() {
            [name] => name.as_ident().is_some_and(|name| is_window(&name.value)),
            _ => false,
        },
        _ => false,
    };
    keys.iter().find(is_call).cloned()
}

/// The name of a column of the result.
fn name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => bound(ident).map(str::to_owned),
        SelectItem::ExprWithAlias { alias, .. } => bound(alias).map(str::to_owned),
        _ => None,
    }
}

/// Which of the two an identifier is.
fn bound(ident: &Ident) -> Option<&'static str> {
    let name = match ident.quote_style {
        None => ident.value.to_ascii_lowercase(),
        Some(_) => ident.value.clone(),
    };
    [START, END].into_iter().find(|bound| *bound == name)
}

/// Puts functions of a window where the names are.
struct Bounds<'a, F> {
    window: &'a Expr,
    wants: F,
    /// Queries around: what lies in a subquery is its own.
    depth: usize,
}

impl<'a, F: Fn(&str) -> bool> Bounds<'a, F> {
    fn of(window: &'a Expr, wants: F) -> Self {
        Self {
            window,
            wants,
            depth: 0,
        }
    }
}

impl<F: Fn(&str) -> bool> VisitorMut for Bounds<'_, F> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0
            && let Expr::Identifier(ident) = &*expr
            && let Some(bound) = bound(ident)
            && (self.wants)(bound)
        {
            *expr = call(bound, self.window);
        }
        ControlFlow::Continue(())
    }
}

/// A function of a window.
fn call(bound: &'static str, window: &Expr) -> Expr {
    let argument = FunctionArg::Unnamed(FunctionArgExpr::Expr(window.clone()));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(bound)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![argument],
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
