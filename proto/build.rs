//! Compiles `proto/unum/v1/*.proto` with protox, so that no `protoc` is needed.

use std::path::PathBuf;

use prost::Message;

const FILES: [&str; 6] = [
    "unum/v1/admin.proto",
    "unum/v1/config.proto",
    "unum/v1/data.proto",
    "unum/v1/ingest.proto",
    "unum/v1/query.proto",
    "unum/v1/replica.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("unum_descriptor.bin");
    std::fs::write(&out, descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        // Ordered maps: equal messages have equal bytes.
        .btree_map(".")
        // Shared with the message that they came in, not copied.
        .bytes(".unum.v1.QueryReply.arrow_stream")
        .compile_fds(descriptors)?;
    Ok(())
}
