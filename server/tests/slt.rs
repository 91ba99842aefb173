//! The SQL tests of `slt/` on a state in memory. `chaos-tests` runs the same files over gRPC on three replicas.
//!
//! `UNUM_SLT_UPDATE=1` writes what was answered into the files: look at the difference before it is committed.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

// This one needs a part of the fixture only.
#[allow(dead_code)]
#[path = "slt/fixture.rs"]
mod fixture;
#[path = "slt/harness.rs"]
mod harness;

use fixture::{Fixture, LIMITS};
use sqllogictest::Runner;

#[tokio::test]
async fn the_sql_tests_pass_on_a_state_in_memory() {
    let files = harness::files();
    assert!(files.len() >= 10, "the SQL tests were not found");
    for file in files {
        let mut runner = Runner::new(async || Ok(Fixture::new(LIMITS)));
        if std::env::var_os("UNUM_SLT_UPDATE").is_some() {
            let updated = runner.update_test_file(
                &file,
                " ",
                sqllogictest::default_validator,
                sqllogictest::default_normalizer,
                sqllogictest::strict_column_validator,
            );
            updated.await.unwrap();
            continue;
        }
        runner.with_column_validator(sqllogictest::strict_column_validator);
        if let Err(error) = runner.run_file_async(&file).await {
            panic!("{}: {}", file.display(), error.display(false));
        }
    }
}
