//! What a text is, before anything is known of tables or plans: tokens, names, and how much of them there may be.

pub mod call;
pub mod complexity;
pub mod cursor;
pub mod dialect;
mod digest;
pub mod fingerprint;
pub mod names;
pub mod tokens;

pub use digest::Digest;
pub use fingerprint::Fingerprint;
pub use tokens::Tokens;
