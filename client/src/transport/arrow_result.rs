//! Results as Arrow.
//!
//! A small result is one reply with a whole Arrow IPC stream. Its schema takes longer to read than its rows, and is the
//! same as that of the statement before: those that an endpoint sent lately are kept, by their bytes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::{StreamDecoder, read_record_batch};
use arrow::ipc::{MessageHeader, root_as_message};
use bytes::Bytes;

/// Schemas that are kept.
const SCHEMAS_MAX: usize = 32;

/// Bytes of a schema that is kept.
const SCHEMA_BYTES_MAX: usize = 64 * 1024;

/// What stands before a message: a continuation mark, and the length of its metadata.
const PREFIX_BYTES: usize = 8;

/// The schemas of results that an endpoint sent lately. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schemas(Arc<Mutex<VecDeque<(Bytes, SchemaRef)>>>);

impl Schemas {
    fn get(&self, encoded: &[u8]) -> Option<SchemaRef> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(bytes, _)| bytes == encoded).map(|(_, schema)| Arc::clone(schema))
    }

    fn put(&self, encoded: &[u8], schema: &SchemaRef) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if encoded.len() > SCHEMA_BYTES_MAX || known.iter().any(|(bytes, _)| bytes == encoded) {
            return;
        }
        known.truncate(SCHEMAS_MAX - 1);
        known.push_front((Bytes::copy_from_slice(encoded), Arc::clone(schema)));
    }
}

/// Reads a whole stream: its columns, and its rows. What was cut off is an error; bytes that a replica never wrote may
/// panic in arrow, which trusts who sent them.
pub(crate) fn decode(stream: Bytes, schemas: &Schemas) -> Result<(SchemaRef, Vec<RecordBatch>), ArrowError> {
    let head = first_message(&stream).ok_or_else(|| cut_off("its schema"))?;
    if let Some(schema) = schemas.get(&stream[..head]) {
        let batches = rows(&Buffer::from(stream), head, &schema)?;
        return Ok((schema, batches));
    }
    let mut decoder = StreamDecoder::new();
    let mut batches = Vec::new();
    let mut buffer = Buffer::from(stream.clone());
    while !buffer.is_empty()
        && let Some(batch) = decoder.decode(&mut buffer)?
    {
        batches.push(batch);
    }
    let schema = decoder.schema().ok_or_else(|| cut_off("its schema"))?;
    schemas.put(&stream[..head], &schema);
    Ok((schema, batches))
}

/// Where the first message ends, which has no body: a schema.
fn first_message(stream: &[u8]) -> Option<usize> {
    let end = PREFIX_BYTES + metadata_bytes(stream)?;
    (end <= stream.len()).then_some(end)
}

fn metadata_bytes(message: &[u8]) -> Option<usize> {
    let length = message.get(4..PREFIX_BYTES)?;
    Some(u32::from_le_bytes(length.try_into().ok()?) as usize)
}

/// The batches of a stream from a place on.
fn rows(stream: &Buffer, mut from: usize, schema: &SchemaRef) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut batches = Vec::new();
    loop {
        let rest = &stream.as_slice()[from..];
        let metadata = match metadata_bytes(rest) {
            Some(0) => return Ok(batches),
            Some(bytes) => bytes,
            None => return Err(cut_off("its end")),
        };
        let encoded = rest.get(PREFIX_BYTES..PREFIX_BYTES + metadata).ok_or_else(|| cut_off("a message"))?;
        let message = root_as_message(encoded).map_err(|e| ArrowError::IpcError(e.to_string()))?;
        let body = usize::try_from(message.bodyLength()).map_err(|_| cut_off("a body"))?;
        let start = PREFIX_BYTES + metadata;
        if rest.len() - start < body {
            return Err(cut_off("a body"));
        }
        let batch = message.header_as_record_batch().filter(|_| message.header_type() == MessageHeader::RecordBatch);
        let batch = batch.ok_or_else(|| ArrowError::IpcError("a message that is no rows".into()))?;
        let buffer = stream.slice_with_length(from + start, body);
        let schema = Arc::clone(schema);
        batches.push(read_record_batch(&buffer, batch, schema, &HashMap::new(), None, &message.version())?);
        from += start + body;
    }
}

fn cut_off(what: &str) -> ArrowError {
    ArrowError::IpcError(format!("a result that is cut off before {what}"))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, Float64Array, StringArray};
    use arrow::ipc::writer::StreamWriter;

    use super::*;

    fn stream(batches: &[RecordBatch]) -> Bytes {
        let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.into_inner().unwrap().into()
    }

    fn batch(column: &str, texts: &[Option<&str>]) -> RecordBatch {
        let numbers: Float64Array = texts.iter().map(|text| text.map(|text| text.len() as f64)).collect();
        let texts: StringArray = texts.iter().copied().collect();
        let columns = [(column, Arc::new(texts) as Arc<dyn Array>, true), ("n", Arc::new(numbers), true)];
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    }

    #[test]
    fn a_result_reads_the_same_whether_its_schema_is_known_or_not() {
        let schemas = Schemas::default();
        for batches in [
            vec![batch("a", &[Some("x"), None])],
            vec![batch("a", &[Some("yz")]), batch("a", &[]), batch("a", &[None, None, Some("")])],
            vec![batch("b", &[Some("other columns")])],
        ] {
            for _ in 0..2 {
                let (schema, read) = decode(stream(&batches), &schemas).unwrap();
                assert_eq!((schema, read), (batches[0].schema(), batches.clone()));
            }
        }
        assert_eq!(schemas.0.lock().unwrap().len(), 2);
    }

    #[test]
    fn a_result_that_is_cut_off_is_an_error() {
        let schemas = Schemas::default();
        let whole = stream(&[batch("a", &[Some("x"), None])]);
        decode(whole.clone(), &schemas).unwrap();
        let end = whole.len() - PREFIX_BYTES;
        for length in 0..end {
            assert!(decode(whole.slice(..length), &schemas).is_err(), "{length} of {} bytes", whole.len());
        }
    }

    #[test]
    fn schemas_are_bounded() {
        let schemas = Schemas::default();
        for number in 0..2 * SCHEMAS_MAX {
            decode(stream(&[batch(&format!("c{number}"), &[None])]), &schemas).unwrap();
        }
        assert_eq!(schemas.0.lock().unwrap().len(), SCHEMAS_MAX);
    }
}
