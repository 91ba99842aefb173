//! `unumd` with the one bug that `UNUM_PLANTED_BUG` names: see `unum_server::base::planted`.

#[path = "../main.rs"]
mod unumd;

fn main() -> std::process::ExitCode {
    unumd::main()
}
