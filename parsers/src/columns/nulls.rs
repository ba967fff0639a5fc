//! Columns that no record of a block has.

use std::collections::HashMap;

use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_schema::DataType;

/// NULLs by their types. Most columns of a log table are NULL throughout, and those of one type share
/// their memory, from block to block.
#[derive(Debug, Default)]
pub(crate) struct Nulls(HashMap<DataType, ArrayRef>);

impl Nulls {
    /// A column of so many.
    pub(crate) fn column(&mut self, of_type: &DataType, rows: usize) -> ArrayRef {
        match self.0.get(of_type) {
            Some(column) if column.len() >= rows => column.slice(0, rows),
            _ => {
                let column = new_null_array(of_type, rows);
                self.0.insert(of_type.clone(), ArrayRef::clone(&column));
                column
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_their_rows_whatever_came_before() {
        let mut nulls = Nulls::default();
        for rows in [3, 0, 2, 100, 7] {
            for of_type in [DataType::Utf8View, DataType::Int64] {
                let column = nulls.column(&of_type, rows);
                assert_eq!(column.data_type(), &of_type);
                assert_eq!((column.len(), column.null_count()), (rows, rows));
            }
        }
    }
}
