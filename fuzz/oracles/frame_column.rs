//! Columns of polars, and what each of their rows means, kept beside the series.

use arbitrary::{Arbitrary, Result, Unstructured};
use influxdb3_blocking::FieldValue;
use influxdb3_blocking::polars_core::prelude::{
    Categories, DataType, IntoSeries as _, NamedFrom, NewChunkedArray as _, Series, StringChunked,
    TimeUnit, TimeZone,
};

use super::cells::{Cell, Cells, Class};
use super::column::draw_values;
use super::model::name;
use super::table::{Kind, Size, tame_name};

/// A series, and as many other values before and behind its rows as the size says.
pub fn draw(u: &mut Unstructured<'_>, kind: Option<Kind>, size: Size) -> Result<(Series, Cells)> {
    let Size { rows, offset, tame } = size;
    let is_time = kind == Some(Kind::Time);
    let kind: u8 = match kind {
        Some(Kind::Text) => *u.choose(&[0, 1, 2])?,
        Some(Kind::Time) => *u.choose(&[3, 4, 5, 6, 7])?,
        None => u.int_in_range(0..=if tame { REFUSED - 1 } else { REFUSED })?,
    };
    let nulls = u.ratio(1, 2)? && !(tame && is_time);
    let (series, class, cells) = any_series(u, kind, rows + 2 * offset, nulls, tame)?;
    Ok((series, Cells { class, rows: cells[offset..offset + rows].to_vec() }))
}

/// The first kind that no column of InfluxDB can hold.
const REFUSED: u8 = 25;

fn any_series(
    u: &mut Unstructured<'_>,
    kind: u8,
    length: usize,
    nulls: bool,
    tame: bool,
) -> Result<(Series, Class, Vec<Cell>)> {
    use DataType::{Date, Datetime, Decimal, Duration, Int128, Time};
    // Small ones are times that can be written in every unit.
    let instant = |u: &mut Unstructured<'_>| match tame {
        true => Ok(u.arbitrary::<i32>()?.into()),
        false => u.arbitrary::<i64>(),
    };
    let name = |u: &mut Unstructured<'_>| match tame {
        true => tame_name(u),
        false => name(u),
    };
    fn plain<T: for<'a> Arbitrary<'a>>(u: &mut Unstructured<'_>) -> Result<T> {
        u.arbitrary()
    }
    /// Values of one Rust type, and what they mean.
    macro_rules! values {
        ($draw:expr, $class:ident, $cell:expr, $to:expr) => {{
            let values = draw_values(u, length, nulls, $draw)?;
            let cells = values.iter().cloned().map(|value| value.map_or_else(null, $cell));
            let (cells, to): (Vec<Cell>, Option<DataType>) = (cells.collect(), $to);
            let series = Series::new("".into(), values);
            (to.map_or_else(|| series.clone(), |to| cast(&series, &to)), Class::$class, cells)
        }};
    }
    let times = |unit: i128| move |value: i64| Cell::Instant(i128::from(value) * unit);
    let utc = || TimeZone::opt_try_new(Some("UTC")).expect("a zone");
    Ok(match kind {
        0 => values!(name, Text, text, None),
        1 => values!(name, Text, text, Some(DataType::from_categories(Categories::global()))),
        // Long enough not to be kept in place.
        2 => values!(|u| Ok(format!("{} and so on, and on", name(u)?)), Text, text, None),
        3 => values!(instant, Exact, field, None),
        4 => values!(|u| Ok(instant(u)?.unsigned_abs()), Exact, field, None),
        5 => {
            values!(instant, Exact, times(1_000_000), Some(Datetime(TimeUnit::Milliseconds, None)))
        }
        6 => values!(instant, Exact, times(1_000), Some(Datetime(TimeUnit::Microseconds, utc()))),
        7 => values!(instant, Exact, times(1), Some(Datetime(TimeUnit::Nanoseconds, None))),
        8 => values!(plain::<i8>, Exact, field, None),
        9 => values!(plain::<i16>, Exact, field, None),
        10 => values!(plain::<i32>, Exact, field, None),
        11 => values!(plain::<u8>, Exact, field, None),
        12 => values!(plain::<u16>, Exact, field, None),
        13 => values!(plain::<u32>, Exact, field, None),
        14 => values!(instant, Exact, field, Some(Int128)),
        15 => values!(plain::<f32>, Float, field, None),
        16 => values!(plain::<f64>, Float, field, None),
        17 => values!(plain::<bool>, Plain, field, None),
        18 => values!(plain::<i64>, Plain, field, Some(Duration(TimeUnit::Milliseconds))),
        19 => values!(
            |u| Ok((instant(u)? >> if tame { 16 } else { 0 }) as i32),
            Exact,
            Cell::Day,
            Some(Date)
        ),
        20 => {
            values!(|u| u.int_in_range(0..=86_399_999_999_999_i64), Plain, Cell::Clock, Some(Time))
        }
        21 => {
            // Through text, so that no arithmetic of floats is in between.
            let values = draw_values(u, length, nulls, |u| u.int_in_range(-999_999_i64..=999_999))?;
            let decimal = |value: i64| {
                format!(
                    "{}{}.{:03}",
                    if value < 0 { "-" } else { "" },
                    value.abs() / 1000,
                    value.abs() % 1000
                )
            };
            let texts = values.iter().map(|value| value.map(decimal));
            let texts = StringChunked::from_iter_options("".into(), texts).into_series();
            let cell =
                |value: &Option<i64>| value.map_or_else(null, |v| Cell::Decimal(v.into(), 3));
            let cells = values.iter().map(cell).collect();
            (cast(&texts, &Decimal(12, 3)), Class::Decimal, cells)
        }
        22 => (Series::new_null("".into(), length), Class::Plain, vec![null(); length]),
        23 | 24 => {
            let bytes = |u: &mut Unstructured<'_>| match tame || u.ratio(7, 8)? {
                true => name(u).map(|name| name.into_bytes()),
                false => u.arbitrary::<Vec<u8>>(),
            };
            let values = draw_values(u, length, nulls, bytes)?;
            let cells = values.iter().cloned().map(|value| value.map_or_else(null, Cell::Bytes));
            let cells = cells.collect();
            let slices: Vec<Option<&[u8]>> = values.iter().map(Option::as_deref).collect();
            (Series::new("".into(), slices), Class::Binary, cells)
        }
        _ => {
            let one = Series::new("".into(), [1_i64]);
            // Of no list polars does not know the type.
            let lists = Series::new("".into(), vec![one; length.max(1)]).slice(0, length);
            (lists, Class::Refused, vec![Cell::Unwritable; length])
        }
    })
}

fn cast(series: &Series, to: &DataType) -> Series {
    series.strict_cast(to).expect("values of the type")
}

fn null() -> Cell {
    Cell::Field(FieldValue::Null)
}

fn text(value: String) -> Cell {
    Cell::Field(FieldValue::Text(value.into()))
}

fn field(value: impl Into<FieldValue<'static>>) -> Cell {
    Cell::Field(value.into())
}
