//! Values as JSON, by arrow-json, with what it leaves open decided.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::writer::{NullableEncoder, make_encoder};
use arrow::json::{Encoder, EncoderFactory, EncoderOptions};
use arrow::util::display::ArrayFormatter;

use super::cell::DISPLAY;
use loglens_engine::portable::map_schema;

static OPTIONS: LazyLock<EncoderOptions> = LazyLock::new(|| {
    EncoderOptions::default()
        .with_explicit_nulls(true)
        .with_encoder_factory(Arc::new(QuotedText))
});

/// An encoder of the values of `array`, whose types are those of a [`json_schema`].
pub(super) fn encoder<'a>(
    field: &'a FieldRef,
    array: &'a ArrayRef,
) -> Result<NullableEncoder<'a>, ArrowError> {
    make_encoder(field, array, &OPTIONS)
}

/// `schema` with the types that arrow-json cannot encode replaced by such as it can.
pub(super) fn json_schema(schema: &Schema) -> SchemaRef {
    map_schema(schema, |data_type| match data_type {
        // The keys of a JSON object are strings.
        DataType::Map(entries, sorted) => DataType::Map(with_string_keys(&entries), sorted),
        other => other,
    })
}

fn with_string_keys(entries: &FieldRef) -> FieldRef {
    let DataType::Struct(fields) = entries.data_type() else {
        return Arc::clone(entries);
    };
    let mut fields = fields.to_vec();
    if let Some(key) = fields.first_mut()
        && !key.data_type().is_string()
    {
        *key = Arc::new(Field::clone(key).with_data_type(DataType::Utf8));
    }
    Arc::new(Field::clone(entries).with_data_type(DataType::Struct(fields.into())))
}

/// Times, intervals and unions as quoted text.
///
/// arrow-json does so too for times, but copies a message with quotes in it into the string when a
/// value is out of range (a timestamp of the wrong unit), which is then no JSON.
#[derive(Debug)]
struct QuotedText;

impl EncoderFactory for QuotedText {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let data_type = array.data_type();
        if !data_type.is_temporal() && !matches!(data_type, DataType::Union(..)) {
            return Ok(None);
        }
        let encoder = QuotedTextEncoder {
            formatter: ArrayFormatter::try_new(array, &DISPLAY)?,
        };
        let nulls = array.logical_nulls();
        Ok(Some(NullableEncoder::new(Box::new(encoder), nulls)))
    }
}

struct QuotedTextEncoder<'a> {
    formatter: ArrayFormatter<'a>,
}

impl Encoder for QuotedTextEncoder<'_> {
    fn encode(&mut self, index: usize, out: &mut Vec<u8>) {
        out.push(b'"');
        for byte in self.formatter.value(index).to_string().bytes() {
            match byte {
                b'"' | b'\\' => out.extend([b'\\', byte]),
                0..0x20 => out.extend(format!("\\u{byte:04x}").bytes()),
                _ => out.push(byte),
            }
        }
        out.push(b'"');
    }
}
