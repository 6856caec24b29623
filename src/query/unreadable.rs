//! Answers that cannot be decoded, in any format.

use arrow_array::new_empty_array;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    validate_decimal_precision_and_scale,
};
use arrow_schema::{DataType, Field, Schema};

use crate::contain::contain;
use crate::{Error, ErrorKind, Result};

/// The error of an answer that cannot be decoded; `what` is the end of its sentence.
pub(super) fn unreadable(what: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the server's answer cannot be read: {what}"))
}

/// Refuses a schema with a type that arrow-schema accepts and arrow-array cannot handle. It panics when it makes text of a
/// decimal whose precision or scale Arrow does not allow, and for others when it makes an array at all.
///
/// # Errors
///
/// [`ErrorKind::Decode`], with the name of the column.
pub(super) fn check_types(schema: &Schema) -> Result<()> {
    let is_impossible = |data_type: &DataType| {
        match *data_type {
            DataType::Decimal32(precision, scale) => {
                validate_decimal_precision_and_scale::<Decimal32Type>(precision, scale)
            }
            DataType::Decimal64(precision, scale) => {
                validate_decimal_precision_and_scale::<Decimal64Type>(precision, scale)
            }
            DataType::Decimal128(precision, scale) => {
                validate_decimal_precision_and_scale::<Decimal128Type>(precision, scale)
            }
            DataType::Decimal256(precision, scale) => {
                validate_decimal_precision_and_scale::<Decimal256Type>(precision, scale)
            }
            _ => Ok(()),
        }
        .is_err()
            || is_without_arrays(data_type)
    };
    let is_refused = |field: &Field| {
        has(field.data_type(), &is_impossible)
            // And whatever else there may be. Types that are not nested have arrays.
            || field.data_type().is_nested()
                && contain(|| new_empty_array(field.data_type())).is_err()
    };
    match schema.fields().iter().find(|field| is_refused(field)) {
        None => Ok(()),
        Some(field) => Err(unreadable(&format!(
            "the column {:?} has the type {}, which cannot be",
            field.name(),
            field.data_type()
        ))),
    }
}

/// Whether there are no arrays of the type, and not because of a type inside of it.
fn is_without_arrays(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(fields, _) => fields.is_empty(),
        DataType::Map(entries, _) => {
            !matches!(entries.data_type(), DataType::Struct(fields) if fields.len() == 2)
        }
        DataType::RunEndEncoded(ends, _) => !ends.data_type().is_run_ends_type(),
        DataType::Dictionary(keys, _) => !keys.is_dictionary_key_type(),
        DataType::FixedSizeBinary(size) | DataType::FixedSizeList(_, size) => *size < 0,
        _ => false,
    }
}

/// Whether `is` holds for the type or for one inside of it. Recurses as deep as types are nested, as those did that made
/// the schema: from IPC the verifier of flatbuffers bounds the depth.
fn has(data_type: &DataType, is: &impl Fn(&DataType) -> bool) -> bool {
    let field_has = |field: &Field| has(field.data_type(), is);
    is(data_type)
        || match data_type {
            DataType::Dictionary(_, values) => has(values, is),
            DataType::List(field)
            | DataType::LargeList(field)
            | DataType::ListView(field)
            | DataType::LargeListView(field)
            | DataType::FixedSizeList(field, _)
            | DataType::Map(field, _)
            | DataType::RunEndEncoded(_, field) => field_has(field),
            DataType::Struct(fields) => fields.iter().any(|field| field_has(field)),
            DataType::Union(fields, _) => fields.iter().any(|(_, field)| field_has(field)),
            _ => false,
        }
}
