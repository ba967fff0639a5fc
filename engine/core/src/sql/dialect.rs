//! The Athena dialect: DataFusion's generic one, with Trino's lambdas.
//!
//! No built-in dialect parses both `UNNEST(...)` in FROM, which sqlparser ties to a few type ids,
//! and lambdas (`x -> x + 1`). So this one passes for the generic dialect, says of everything what
//! that says, and differs in a few answers. Names follow the trait of sqlparser 0.62; a test
//! compares the two, so that an upgrade cannot lose an answer unnoticed.

use std::any::TypeId;

use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};

/// The dialect of every statement.
#[derive(Debug, Default)]
pub(crate) struct AthenaDialect {
    generic: GenericDialect,
}

macro_rules! as_generic {
    ($($name:ident),* $(,)?) => {
        impl Dialect for AthenaDialect {
            fn dialect(&self) -> TypeId {
                TypeId::of::<GenericDialect>()
            }

            fn is_delimited_identifier_start(&self, c: char) -> bool {
                self.generic.is_delimited_identifier_start(c)
            }

            fn is_identifier_start(&self, c: char) -> bool {
                self.generic.is_identifier_start(c)
            }

            fn is_identifier_part(&self, c: char) -> bool {
                self.generic.is_identifier_part(c)
            }

            /// `transform(items, x -> x + 1)`.
            fn supports_lambda_functions(&self) -> bool {
                true
            }

            /// `{` would begin a dictionary, which Trino has not.
            fn supports_dictionary_syntax(&self) -> bool {
                false
            }

            /// `MAP {` likewise; Trino writes `map(array[...], array[...])`.
            fn support_map_literal_syntax(&self) -> bool {
                false
            }

            $(fn $name(&self) -> bool {
                self.generic.$name()
            })*
        }

        #[cfg(test)]
        const SAME: &[(&str, fn(&dyn Dialect) -> bool)] = &[$((stringify!($name), |dialect| dialect.$name())),*];
    };
}

as_generic! {
    supports_unicode_string_literal,
    supports_partition_by_after_order_by,
    supports_array_join_syntax,
    supports_group_by_expr,
    supports_group_by_with_modifier,
    supports_left_associative_joins_without_parens,
    supports_connect_by,
    supports_match_recognize,
    supports_pipe_operator,
    supports_start_transaction_modifier,
    supports_window_function_null_treatment_arg,
    supports_window_clause_named_window_reference,
    supports_parenthesized_set_variables,
    supports_select_wildcard_except,
    allow_extract_custom,
    allow_extract_single_quotes,
    supports_extract_comma_syntax,
    supports_create_view_comment_syntax,
    supports_parens_around_table_factor,
    supports_values_as_table_factor,
    supports_create_index_with_clause,
    supports_explain_with_utility_options,
    supports_limit_comma,
    supports_update_order_by,
    supports_from_first_select,
    supports_projection_trailing_commas,
    supports_asc_desc_in_column_definition,
    supports_try_convert,
    supports_bitwise_shift_operators,
    supports_comment_on,
    supports_load_extension,
    supports_named_fn_args_with_assignment_operator,
    supports_struct_literal,
    supports_empty_projections,
    supports_nested_comments,
    supports_multiline_comment_hints,
    supports_user_host_grantee,
    supports_string_escape_constant,
    supports_array_typedef_with_brackets,
    supports_match_against,
    supports_set_names,
    supports_comma_separated_set_assignments,
    supports_filter_during_aggregation,
    supports_select_wildcard_exclude,
    supports_data_type_signed_suffix,
    supports_interval_options,
    supports_quote_delimited_string,
    supports_select_wildcard_replace,
    supports_select_wildcard_ilike,
    supports_select_wildcard_rename,
    supports_optimize_table,
    supports_install,
    supports_detach,
    supports_prewhere,
    supports_with_fill,
    supports_limit_by,
    supports_interpolate,
    supports_settings,
    supports_select_format,
    supports_comment_optimizer_hint,
    supports_constraint_keyword_without_name,
    supports_key_column_option,
    supports_comma_separated_trim,
    supports_cte_without_as,
    supports_select_item_multi_column_alias,
    supports_xml_expressions,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use datafusion::sql::parser::DFParserBuilder;

    #[test]
    fn answers_are_those_of_the_generic_dialect() {
        let (ours, generic) = (AthenaDialect::default(), GenericDialect {});
        for (name, ask) in SAME {
            assert_eq!(ask(&ours), ask(&generic), "{name}");
        }
        assert!(SAME.len() > 60);
    }

    #[test]
    fn lambdas_and_unnest_parse_together() {
        for sql in [
            "SELECT transform(items, x -> x + 1) FROM t CROSS JOIN UNNEST(t.items) AS u(item)",
            "SELECT count(*) FROM t WHERE any_match(items, x -> x = 'a')",
            "SELECT \"$path\", date '2026-01-01', interval '7' day FROM \"db\".\"t\" -- comment",
            "SELECT * EXCLUDE (a) FROM t QUALIFY row_number() OVER (ORDER BY b) = 1",
        ] {
            let dialect = AthenaDialect::default();
            let mut parser = DFParserBuilder::new(sql)
                .with_dialect(&dialect)
                .build()
                .unwrap();
            parser
                .parse_statements()
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }
}
