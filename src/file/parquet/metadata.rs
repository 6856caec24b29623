//! What the footer of a Parquet file says, mended where writers are known to have got it wrong.

use std::sync::Arc;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Compression;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};

use super::parquet_bytes::ParquetBytes;
use crate::Result;
use crate::file::damaged::{damaged, guarded};
use crate::file::unreadable;

pub(super) fn load(bytes: &ParquetBytes) -> Result<ArrowReaderMetadata> {
    let end = bytes.0.len().saturating_sub(4);
    if bytes.0.bytes_at(end, 4).is_ok_and(|magic| magic == b"PARE") {
        return Err(unreadable("it is encrypted, and is read here when it is not"));
    }
    let metadata = ParquetMetaDataReader::new().parse_and_finish(bytes).map_err(damaged)?;
    let metadata = without_wrong_dictionaries(metadata).map_err(damaged)?;
    let metadata = Arc::new(metadata);
    let arrow = |options| {
        let metadata = Arc::clone(&metadata);
        guarded(|| ArrowReaderMetadata::try_new(metadata, options).map_err(damaged))
    };
    // The Arrow schema that writers add may have a type that the reader does not know.
    arrow(ArrowReaderOptions::new())
        .or_else(|_| arrow(ArrowReaderOptions::new().with_skip_arrow_metadata(true)))
}

/// Some writers say that a dictionary is where the file begins, and mean that there is none.
fn without_wrong_dictionaries(metadata: ParquetMetaData) -> ParquetResult<ParquetMetaData> {
    let is_wrong = |column: &ColumnChunkMetaData| column.dictionary_page_offset() == Some(0);
    let groups = metadata.row_groups();
    if !groups.iter().any(|group| group.columns().iter().any(is_wrong)) {
        return Ok(metadata);
    }
    let mend = |column: &ColumnChunkMetaData| match is_wrong(column) {
        true => column.clone().into_builder().set_dictionary_page_offset(None).build(),
        false => Ok(column.clone()),
    };
    let mend_group = |group: &RowGroupMetaData| {
        let columns = group.columns().iter().map(mend).collect::<ParquetResult<Vec<_>>>()?;
        group.clone().into_builder().set_column_metadata(columns).build()
    };
    let mended = groups.iter().map(mend_group).collect::<ParquetResult<Vec<_>>>()?;
    Ok(metadata.into_builder().set_row_groups(mended).build())
}

/// Refuses data pages of version 2 of Arrow C++ before 3.0: they are compressed and say that they are not.
pub(super) fn check_pages(bytes: &ParquetBytes, metadata: &ArrowReaderMetadata) -> Result<()> {
    let metadata = metadata.metadata();
    if !is_of_old_arrow(metadata.file_metadata()) {
        return Ok(());
    }
    let columns = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    for column in columns.filter(|column| column.compression() != Compression::UNCOMPRESSED) {
        let Ok(place) = u64::try_from(column.data_page_offset()) else { continue };
        // The header of a page begins with its type: the number of the field and its kind, then 3 in zigzag.
        if bytes.0.bytes_at(place, 2).is_ok_and(|header| header == [0x15, 0x06]) {
            return Err(unreadable(
                "its data pages are of version 2 and written by Arrow before 3.0, which says of compressed pages that they \
                 are not: write it again with a newer Arrow, or with data_page_version=\"1.0\"",
            ));
        }
    }
    Ok(())
}

/// Whether the writer is Arrow C++ before 3.0, which for long named the version of the Parquet library.
fn is_of_old_arrow(metadata: &FileMetaData) -> bool {
    let Some(writer) = metadata.created_by() else { return false };
    if writer.starts_with("parquet-cpp version") {
        return true;
    }
    let version = writer.strip_prefix("parquet-cpp-arrow version ");
    let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    major.is_some_and(|major| major < 3)
}
