//! Names of columns within others, as Trino gives them.

use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

/// Calls a column `arn` that the statement calls `useridentity.arn` and `DataFusion`
/// `cloudtrail_logs.useridentity[arn]`. Where two would have one name, they keep theirs.
pub(crate) fn simplify(plan: LogicalPlan) -> Result<LogicalPlan> {
    let names: Vec<String> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let given = given_names(&plan);
    let short = names.iter().enumerate();
    let short = short.map(|(at, name)| member(name).filter(|_| !given.contains(&at)));
    let short: Vec<Option<&str>> = short.collect();
    if short.iter().all(Option::is_none) {
        return Ok(plan);
    }
    let shown: Vec<&str> = names
        .iter()
        .zip(&short)
        .map(|(name, short)| short.unwrap_or(name))
        .collect();
    let columns = plan.schema().columns().into_iter().enumerate();
    let columns = columns.map(|(at, column): (usize, Column)| {
        let unique = shown.iter().filter(|name| **name == shown[at]).count() == 1;
        match short[at] {
            Some(name) if unique => Expr::Column(column).alias(name),
            _ => Expr::Column(column),
        }
    });
    let columns: Vec<_> = columns.collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// Columns, by index, whose names the statement itself gives them.
fn given_names(plan: &LogicalPlan) -> Vec<usize> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let expressions = projection.expr.iter().enumerate();
            let aliases = expressions.filter(|(_, expr)| matches!(expr, Expr::Alias(_)));
            aliases.map(|(at, _)| at).collect()
        }
        LogicalPlan::Sort(sort) => given_names(&sort.input),
        LogicalPlan::Limit(limit) => given_names(&limit.input),
        _ => Vec::new(),
    }
}

/// The last member in the name of an access to a struct: `a.b[c][d]` gives `d`.
fn member(name: &str) -> Option<&str> {
    let (before, member) = name.strip_suffix(']')?.rsplit_once('[')?;
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_$.[]\"-".contains(&byte))
    };
    let named = member.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (plain(before) && plain(member) && named).then_some(member)
}

#[cfg(test)]
mod tests {
    use super::member;

    #[test]
    fn members() {
        let rows = [
            ("t.useridentity[arn]", Some("arn")),
            (
                "t.useridentity[sessioncontext][sessionissuer]",
                Some("sessionissuer"),
            ),
            ("count(t.useridentity[arn])", None),
            ("lower(a) || b[c]", None),
            ("array[1]", None),
            ("srcaddr", None),
            ("[x]", None),
        ];
        for (name, expected) in rows {
            assert_eq!(member(name), expected, "{name}");
        }
    }
}
