//! One Arrow IPC stream, written piece by piece.
//!
//! It writes what arrow's `StreamWriter` writes. That one encodes the schema each time, which takes longer than a small
//! result's rows: here results of one plan share it.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ipc::MetadataVersion;
use arrow::ipc::writer::{
    DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, StreamWriter, write_message,
};
use tonic::Status;

use crate::sql::EncodedSchema;

/// What buffers are padded to: the least that Arrow allows. A row of many columns would be mostly padding otherwise.
const ALIGNMENT: usize = 8;

/// What ends a stream: a continuation mark and a message of no bytes.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// A stream that has begun.
pub struct ArrowStream {
    options: IpcWriteOptions,
    generator: IpcDataGenerator,
    dictionaries: DictionaryTracker,
    context: IpcWriteContext,
}

impl ArrowStream {
    /// Begins a stream with its schema, which is encoded if it was not before.
    pub fn begin(schema: &Schema, encoded: &EncodedSchema, out: &mut Vec<u8>) -> Result<Self, Status> {
        let options =
            IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5).map_err(|e| does_not_encode(&e))?;
        match encoded.get() {
            Some(bytes) => out.extend_from_slice(bytes),
            None => {
                let writer = StreamWriter::try_new_with_options(Vec::new(), schema, options.clone());
                let bytes = writer.map_err(|e| does_not_encode(&e))?.get_ref().clone();
                out.extend_from_slice(&bytes);
                // Another result of the plan may have been quicker.
                let _ = encoded.set(bytes);
            }
        }
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
