//! Which program the helpers are: this one, started again.

use crate::collect::reader::{HostReader, ProcessReader};
use crate::collect::spaces::SpaceReader;
use crate::helper::{self, Kind, Program};
use crate::shared_file::FileKeeper;

/// The program of this process, for what has to ask in child processes: a host's facts, files of others.
///
/// Call it first of all in `main`: a child is this same program, and ends in here.
pub fn this_program() -> Program {
    if let Some(kind) = helper::kind_of_this_process() {
        let kinds = [
            (HostReader::NAME, helper::serve::<HostReader> as fn() -> bool),
            (ProcessReader::NAME, helper::serve::<ProcessReader>),
            (SpaceReader::NAME, helper::serve::<SpaceReader>),
            (FileKeeper::NAME, helper::serve::<FileKeeper>),
        ];
        let serve = kinds.iter().find(|(name, _)| kind == *name).map(|(_, serve)| *serve);
        std::process::exit(i32::from(!serve.is_some_and(|serve| serve())));
    }
    Program::of_this_process()
}
