//! What a trial is, and how it runs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::promise::BROKEN;

/// Cases that have something in common.
#[derive(Debug)]
pub struct Trial {
    /// What it is called by.
    pub name: &'static str,
    /// What it finds out.
    pub about: &'static str,
    /// Its cases, in order.
    pub cases: &'static [Case],
}

/// What comes of a case.
pub type Ran = Pin<Box<dyn Future<Output = anyhow::Result<()>>>>;

/// One thing that is tried.
pub struct Case {
    /// What it is called by.
    pub name: &'static str,
    /// Whether CI runs it.
    pub in_slice: bool,
    /// How long it may take.
    pub limit: Duration,
    /// Tries it, with this seed.
    pub run: fn(u64) -> Ran,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A case: `slice` or `long`, how many seconds it may take, and the function that tries it.
macro_rules! case {
    (slice $seconds:literal $name:ident) => {
        $crate::trials::trial::case!(true, $seconds, $name)
    };
    (long $seconds:literal $name:ident) => {
        $crate::trials::trial::case!(false, $seconds, $name)
    };
    ($in_slice:literal, $seconds:literal, $name:ident) => {
        $crate::trials::trial::Case {
            name: stringify!($name),
            in_slice: $in_slice,
            limit: std::time::Duration::from_secs($seconds),
            run: |seed| Box::pin($name(seed)),
        }
    };
}
pub(super) use case;

/// Why a case cannot run here.
#[derive(Debug)]
struct NotRun(String);

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotRun {}

/// Ends a case that cannot run here, if there is a reason.
pub(super) fn cannot_run(why: Option<String>) -> anyhow::Result<()> {
    why.map_or(Ok(()), |why| Err(NotRun(why).into()))
}

/// How many cases came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// They held.
    pub passed: usize,
    /// They did not.
    pub failed: usize,
    /// They cannot run here.
    pub skipped: usize,
    /// A promise to users was broken.
    pub broken: bool,
}

impl Trial {
    /// Runs those of its cases that are wanted, in turn, and says what came of each.
    pub fn run(&self, wanted: impl Fn(&Case) -> bool, seed: u64, say: impl Fn(&str)) -> Tally {
        let mut tally = Tally::default();
        for case in self.cases.iter().filter(|case| wanted(case)) {
            let started = Instant::now();
            let name = format!("{}/{}", self.name, case.name);
            let ended = case.run_alone(seed);
            let took = started.elapsed().as_secs_f64();
            match ended {
                Ok(()) => {
                    tally.passed += 1;
                    say(&format!("ok: {name} ({took:.1} s, seed {seed})"));
                }
                Err(why) if why.is::<NotRun>() => {
                    tally.skipped += 1;
                    say(&format!("not run: {name}: {why}"));
                }
                Err(why) => {
                    tally.failed += 1;
                    tally.broken |= format!("{why:#}").contains(BROKEN);
                    say(&format!("FAILED: {name} ({took:.1} s, seed {seed}): {why:#}"));
                }
            }
        }
        tally
    }
}

impl Case {
    /// Runs it on threads of its own: what panics there is a failure of this case alone.
    fn run_alone(&self, seed: u64) -> anyhow::Result<()> {
        let (run, limit) = (self.run, self.limit);
        let threads = std::thread::spawn(move || {
            let ended =
                tokio::runtime::Runtime::new()?.block_on(async { tokio::time::timeout(limit, run(seed)).await });
            ended.unwrap_or_else(|_| anyhow::bail!("it is not over within its {} s", limit.as_secs()))
        });
        threads.join().unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            anyhow::bail!("it panicked: {}", text.unwrap_or_default())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::Promise;

    async fn holds(_: u64) -> anyhow::Result<()> {
        Ok(())
    }
    async fn fails(_: u64) -> anyhow::Result<()> {
        anyhow::bail!("planted")
    }
    async fn breaks(_: u64) -> anyhow::Result<()> {
        Err(Promise::Lost.broken("planted").context("after a while"))
    }
    async fn hangs(_: u64) -> anyhow::Result<()> {
        std::future::pending().await
    }
    async fn lacks(_: u64) -> anyhow::Result<()> {
        cannot_run(Some("it needs root".to_owned()))
    }

    async fn panics(_: u64) -> anyhow::Result<()> {
        panic!("planted")
    }

    #[test]
    fn each_case_is_counted_as_what_it_is() {
        const TRIAL: Trial = Trial {
            name: "planted",
            about: "",
            cases: &[
                case!(slice 60 holds),
                case!(slice 60 fails),
                case!(slice 1 hangs),
                case!(slice 60 lacks),
                case!(slice 60 panics),
                case!(long 60 breaks),
            ],
        };
        let slice = TRIAL.run(|case| case.in_slice, 1, |_| ());
        assert_eq!(slice, Tally { passed: 1, failed: 3, skipped: 1, broken: false });
        let broken = TRIAL.run(|case| case.name == "breaks", 1, |_| ());
        assert_eq!(broken, Tally { failed: 1, broken: true, ..Tally::default() });
    }
}
