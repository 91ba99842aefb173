//! One Arrow IPC stream, written piece by piece.
//!
//! It writes what arrow's `StreamWriter` writes. That one encodes the schema each time, which takes longer than a small
//! result's rows: here results of one plan share it, as they share their [`SchemaRef`].

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::MetadataVersion;
use arrow::ipc::writer::{
    DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, StreamWriter, write_message,
};
use bytes::Bytes;
use lru::LruCache;
use tonic::Status;

/// What buffers are padded to: the least that Arrow allows. A row of many columns would be mostly padding otherwise.
const ALIGNMENT: usize = 8;

/// What ends a stream: a continuation mark and a message of no bytes.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// Schemas that are kept as they are sent: as many as there are plans of one value each in the plan cache.
const SCHEMAS_MAX: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// Larger schemas are not kept: beside the rows of so many columns they cost little.
const KEPT_SCHEMA_BYTES_MAX: usize = 16 * 1024;

/// Schemas as they are sent, by the identity of the schema. The one that was not used for longest is forgotten.
#[derive(Debug)]
pub struct EncodedSchemas(Mutex<LruCache<usize, (SchemaRef, Bytes)>>);

impl Default for EncodedSchemas {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(SCHEMAS_MAX)))
    }
}

impl EncodedSchemas {
    fn get(&self, schema: &SchemaRef) -> Result<Bytes, Status> {
        // What is kept holds its schema: no other one has its address meanwhile.
        let identity = Arc::as_ptr(schema).addr();
        // Nothing panics while it is held.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = lock().get(&identity) {
            return Ok(bytes.clone());
        }
        let bytes = encode(schema)?;
        if bytes.len() <= KEPT_SCHEMA_BYTES_MAX {
            lock().put(identity, (Arc::clone(schema), bytes.clone()));
        }
        Ok(bytes)
    }
}

fn encode(schema: &Schema) -> Result<Bytes, Status> {
    let writer = StreamWriter::try_new_with_options(Vec::new(), schema, options()?).map_err(|e| does_not_encode(&e))?;
    Ok(Bytes::copy_from_slice(writer.get_ref()))
}

fn options() -> Result<IpcWriteOptions, Status> {
    IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5).map_err(|e| does_not_encode(&e))
}

/// A stream that has begun.
pub struct ArrowStream {
    options: IpcWriteOptions,
    generator: IpcDataGenerator,
    dictionaries: DictionaryTracker,
    context: IpcWriteContext,
}

impl ArrowStream {
    /// Begins a stream with its schema, which is encoded if it was not before.
    pub fn begin(schema: &SchemaRef, encoded: &EncodedSchemas, out: &mut Vec<u8>) -> Result<Self, Status> {
        let options = options()?;
        out.extend_from_slice(&encoded.get(schema)?);
        Ok(Self {
            options,
            generator: IpcDataGenerator::default(),
            dictionaries: DictionaryTracker::new(false),
            context: IpcWriteContext::default(),
        })
    }

    /// Writes rows.
    pub fn write(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), Status> {
        let Self { options, generator, dictionaries, context } = self;
        let encoded = generator.encode(batch, dictionaries, options, context);
        let (dictionaries, rows) = encoded.map_err(|e| does_not_encode(&e))?;
        for message in dictionaries.into_iter().chain([rows]) {
            write_message(&mut *out, message, options).map_err(|e| does_not_encode(&e))?;
        }
        Ok(())
    }

    /// Writes the end.
    pub fn end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&END);
    }
}

fn does_not_encode(error: &ArrowError) -> Status {
    Status::internal(format!("the result does not encode: {error}"))
}
