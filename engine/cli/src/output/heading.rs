//! What stands above a column, or before its values.

use arrow::datatypes::Field;
use unicode_width::UnicodeWidthStr;

use super::cell::is_right_aligned;
use super::visible::visible;

/// A column's name as it is shown.
pub(super) struct Heading {
    pub(super) name: String,
    /// In terminal columns.
    pub(super) width: usize,
    pub(super) right_aligned: bool,
}

impl Heading {
    pub(super) fn of(field: &Field) -> Self {
        let name = visible(field.name());
        Self {
            width: name.width(),
            name,
            right_aligned: is_right_aligned(field.data_type()),
        }
    }
}
