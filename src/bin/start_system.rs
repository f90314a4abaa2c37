//! The launcher under the name it had in the replaced system: `start_system ...` is `tidemill start ...`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let program = args.next();
    tidemill::run(program.into_iter().chain(["start".into()]).chain(args))
}
