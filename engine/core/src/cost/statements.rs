//! `EXPLAIN COST`, which SQL does not know.

use datafusion::common::Result;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

/// All statements, and of each whether `EXPLAIN COST` stands before it.
pub(crate) fn statements(parser: &mut DFParser<'_>) -> Result<Vec<(Statement, bool)>> {
    let mut all = Vec::new();
    loop {
        while parser.parser.consume_token(&Token::SemiColon) {}
        if parser.parser.peek_token() == Token::EOF {
            return Ok(all);
        }
        let is_of_cost = takes_explain_cost(parser);
        all.push((parser.parse_statement()?, is_of_cost));
        let next = parser.parser.peek_token();
        if next != Token::SemiColon && next != Token::EOF {
            parser.parser.expected("end of statement", next)?;
        }
    }
}

fn takes_explain_cost(parser: &mut DFParser<'_>) -> bool {
    let is_cost = |token: Token| matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("cost"));
    let found = parser.parser.peek_keyword(Keyword::EXPLAIN)
        && is_cost(parser.parser.peek_nth_token(1).token);
    if found {
        parser.parser.advance_token();
        parser.parser.advance_token();
    }
    found
}
