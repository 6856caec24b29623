//! CSV files.

mod annotated;
mod column_rendering;
mod dialect;
mod header;
mod infer;
mod row_block;
mod row_reader;
mod scan;

use std::io::Read;

use self::column_rendering::{BadRows, CellRules, ColumnRendering};
use self::dialect::Dialect;
use self::header::CsvHeader;
use self::row_reader::RowReader;
use super::byte_counter::ByteCounter;
use super::file_compression::FileCompression;
use super::input::{Input, Origin};
use super::null_texts::NullTexts;
use super::summary::{FileColumn, Skipped, Summary};
use super::type_inference::TypeInference;
use super::{LineSource, ReadOptions};
use crate::columns::{BLOCK_ROWS, ColumnRole, RenderedColumn, RowSink, TableLayout};
use crate::line_protocol::{TagRules, escape};
use crate::record::Lines;
use crate::{ColumnType, Error, Precision, Result};

/// Opens a file, and reads it once if that takes to know the types of its columns.
pub(super) fn open<'a>(
    origin: &Origin<'a>,
    compression: FileCompression,
    read_options: &ReadOptions,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn LineSource + 'a>> {
    let dialect = Dialect {
        delimiter: read_options.delimiter,
        comment: read_options.comment,
        skip_lines: read_options.skip_lines,
        trims: read_options.trims,
    };
    let reader = || -> Result<_> {
        let input = Input::open(origin)?;
        let counter = input.counter.clone();
        Ok((RowReader::new(input.decompressed(compression), dialect.clone()), counter))
    };
    let (mut first, counter) = reader()?;
    let header = match &read_options.column_names {
        Some(names) => CsvHeader::given(names),
        None => match first.next(1)? {
            None => return Ok(Box::new(EmptyCsv(counter))),
            Some(row) if read_options.comment != Some(b'#') && annotated::is_annotated(row) => {
                let (reader, counter) = reader()?;
                return Ok(annotated::open(reader, counter, read_options));
            }
            Some(row) => CsvHeader::read(row, &read_options.layout),
        },
    };
    let width = header.columns(read_options);
    first.set_columns(width);
    let names: Vec<&str> = header.names().collect();
    let layout = TableLayout::new(&read_options.layout, &names, rules, precision)
        .map_err(|error| header.explain(error))?;
    if let Some((name, _)) = read_options
        .types
        .iter()
        .find(|(name, _)| !names.iter().any(|known| read_options.layout.new_name(known) == name))
    {
        return Err(Error::config(format!(
            "column_type names the column {}, which is not there",
            escape::quoted(name)
        )));
    }
    let cell_rules = CellRules {
        nulls: NullTexts::new(read_options),
        swaps_marks: read_options.decimal_comma,
        time_format: read_options.time_format.clone(),
    };
    let mut columns = CsvColumns::new(&layout, &header, read_options);
    if columns.types.contains(&None) {
        let (mut reader, _) = reader()?;
        if read_options.column_names.is_none() {
            reader.next(1)?;
        }
        reader.set_columns(width);
        let inference = infer::look_at(reader, &columns, &cell_rules, read_options);
        columns.settle(&layout, inference, read_options)?;
    }
    let rendered = vec![RenderedColumn::default(); layout.columns().len()];
    let unnamed = header.is_first_unnamed().then_some(1);
    let skipped = Skipped::new(read_options.skip_bad_rows);
    Ok(Box::new(CsvSource {
        reader: first,
        header,
        layout,
        columns,
        cell_rules,
        rendered,
        skipped,
        unnamed,
        counter,
    }))
}

/// Where the columns of the layout are in the file, and what they are.
struct CsvColumns {
    places: Vec<usize>,
    /// None where the values are to decide.
    types: Vec<Option<ColumnType>>,
}

impl CsvColumns {
    fn new(layout: &TableLayout, header: &CsvHeader, read_options: &ReadOptions) -> Self {
        let column_type = |name: &str, role: &ColumnRole| match role {
            ColumnRole::Field(_) => read_options.column_type(name),
            ColumnRole::Measurement(_) | ColumnRole::Tag(_) | ColumnRole::Time(_) => {
                Some(ColumnType::Text)
            }
        };
        let columns = layout.columns();
        Self {
            places: columns.iter().map(|column| header.place(column.index)).collect(),
            types: columns.iter().map(|column| column_type(&column.name, &column.role)).collect(),
        }
    }

    /// Chooses the types that are not known yet.
    fn settle(
        &mut self,
        layout: &TableLayout,
        inference: Vec<TypeInference>,
        read_options: &ReadOptions,
    ) -> Result<()> {
        let mark = if read_options.decimal_comma { ',' } else { '.' };
        for ((column, found), inference) in
            layout.columns().iter().zip(&mut self.types).zip(inference)
        {
            if found.is_none() {
                *found = Some(inference.column_type("column", &column.name, mark)?);
            }
        }
        Ok(())
    }
}

struct CsvSource<R> {
    reader: RowReader<R>,
    header: CsvHeader,
    layout: TableLayout,
    columns: CsvColumns,
    cell_rules: CellRules,
    rendered: Vec<RenderedColumn>,
    skipped: Skipped,
    unnamed: Option<usize>,
    counter: ByteCounter,
}

impl<R: Read> LineSource for CsvSource<R> {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool> {
        let block = match self.reader.next(BLOCK_ROWS) {
            Ok(Some(block)) => block,
            Ok(None) => return Ok(false),
            Err(error) => {
                let line = self.reader.line();
                if !self.skipped.is_on() || !self.reader.pass_over() {
                    return Err(error);
                }
                self.skipped.take(line, error)?;
                lines.skip_row();
                return Ok(true);
            }
        };
        let mut bad = BadRows::new(self.skipped.is_on());
        self.header.check(block, &mut bad);
        let cell_rules = &self.cell_rules;
        let columns =
            self.layout.columns().iter().zip(&self.columns.places).zip(&self.columns.types);
        for (((column, &place), column_type), rendered) in columns.zip(&mut self.rendered) {
            rendered.clear();
            let mut rendering =
                ColumnRendering { block, place, name: &column.name, rendered, bad: &mut bad };
            rendering.column(&column.role, column_type.unwrap_or(ColumnType::Text), cell_rules);
        }
        let mut next = 0;
        for (row, error) in bad.in_order() {
            lines.push_rows(&self.layout, &self.rendered, next..row);
            self.skipped.take(block.line(row), error)?;
            lines.skip_row();
            next = row + 1;
        }
        lines.push_rows(&self.layout, &self.rendered, next..block.rows());
        Ok(true)
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }

    fn summary(&self) -> Summary {
        let fields = self.layout.columns().iter().zip(&self.columns.types);
        let fields = fields.filter(|(column, _)| matches!(column.role, ColumnRole::Field(_)));
        let columns =
            fields.filter_map(|(column, found)| Some(FileColumn::new(&column.name, (*found)?)));
        Summary {
            columns: columns.collect(),
            unnamed_column: self.unnamed,
            skipped: self.skipped.clone(),
        }
    }
}

/// A file without a row.
struct EmptyCsv(ByteCounter);

impl LineSource for EmptyCsv {
    fn read(&mut self, _: &mut Lines<'_>) -> Result<bool> {
        Ok(false)
    }

    fn bytes_read(&self) -> u64 {
        self.0.get()
    }
}
