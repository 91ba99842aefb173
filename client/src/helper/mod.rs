//! Child processes of this program that are asked what may never be answered: what lies on a mount whose server is gone.
//!
//! A thread that stands in such a call cannot be ended, and neither can its process: it keeps its ports and locks, and the place
//! of whoever waits for it. So a [`Helper`] asks a child of this same program, one question at a time. A child that does not
//! answer is left behind, and its kind of question is not asked again before it has ended.
//!
//! A [`Kind`] is what a child is asked and how it finds the answer; whoever asks has the kinds, in `collect` and `config`.
//! Nothing of the parent is in a child but its arguments, its environment and its directory.

mod child;
mod frame;
mod kind;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::timeout;

use self::child::Child;
pub(crate) use self::child::serve;
use self::kind::ARGUMENT;
pub(crate) use self::kind::Kind;

/// How long an end is waited for that should come at once.
const END_PAUSE: Duration = Duration::from_millis(100);

/// A program whose processes can be helpers.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
}

impl Program {
    /// The program of this process, whose `main` must have asked [`kind_of_this_process`].
    pub(crate) fn of_this_process() -> Self {
        let named = std::env::current_exe().ok();
        // What is at its path may be another version by now, or nothing.
        let own = Path::new("/proc/self/exe");
        let is_same = |path: &PathBuf| same_file(path, own) || !own.exists();
        Self { path: named.filter(is_same).unwrap_or_else(|| own.to_owned()) }
    }

    /// A program that calls [`crate::this_program`] first of all.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[cfg(unix)]
fn same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let file = |path: &Path| std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    file(a).is_some_and(|a| Some(a) == file(b))
}

#[cfg(not(unix))]
fn same_file(_a: &Path, _b: &Path) -> bool {
    true
}

/// The kind that this process is a helper of; none if it is no helper.
pub(crate) fn kind_of_this_process() -> Option<OsString> {
    let mut args = std::env::args_os().skip(1);
    args.next().filter(|first| first == OsStr::new(ARGUMENT)).and(args.next())
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Silence {
    /// A child was asked then, and stands there.
    Hangs { since: SystemTime },
    /// There is no child that could be asked.
    Fails(String),
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A time and no duration: the same fault is told in the same words.
            Self::Hangs { since } => write!(f, "no answer since {}", humantime::format_rfc3339_seconds(*since)),
            Self::Fails(why) => write!(f, "no answer: {why}"),
        }
    }
}

/// Asks children of one kind, one at a time.
#[derive(Debug)]
pub(crate) struct Helper<K> {
    program: Program,
    child: Option<Child>,
    /// A child that was asked then and has not answered: `child` is that one, and is being ended.
    asked: Option<SystemTime>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Helper<K> {
    /// One whose child starts with the first question.
    pub(crate) fn new(program: &Program) -> Self {
        Self { program: program.clone(), child: None, asked: None, kind: PhantomData }
    }

    /// Asks. A child that has not answered within the limit is ended, if it can be; until it has ended, every question is
    /// answered at once: it hangs. So it is, too, after this was dropped while it waited.
    pub(crate) async fn ask(&mut self, question: &K::Question, limit: Duration) -> Result<K::Answer, Silence> {
        if let Some(since) = self.hangs() {
            return Err(Silence::Hangs { since });
        }
        let since = SystemTime::now();
        self.asked = Some(since);
        let asked = async {
            let child = match &mut self.child {
                Some(child) => child,
                none => none.insert(Child::start(&self.program.path, K::NAME)?),
            };
            child.ask(question).await
        };
        match timeout(limit, asked).await {
            Ok(Ok(answer)) => {
                self.asked = None;
                Ok(answer)
            }
            Ok(Err(why)) => {
                (self.child, self.asked) = (None, None);
                Err(Silence::Fails(why))
            }
            Err(_) => {
                let ended = match &mut self.child {
                    Some(child) => child.end_within(END_PAUSE).await,
                    None => true,
                };
                if ended {
                    (self.child, self.asked) = (None, None);
                }
                Err(Silence::Hangs { since })
            }
        }
    }

    /// Since when a child hangs; none once it has ended, and if none does.
    pub(crate) fn hangs(&mut self) -> Option<SystemTime> {
        let since = self.asked?;
        if self.child.as_mut().is_none_or(Child::ended_when_told) {
            (self.child, self.asked) = (None, None);
            return None;
        }
        Some(since)
    }
}
