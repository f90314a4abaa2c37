//! The launcher under the name it had in the replaced system: `start_system ...` is `tidemill start ...`.
//!
//! It runs its parts as processes of this same program, which is then told to be `tidemill`.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    let is_part = args.get(1).is_some_and(|first| first == tidemill::AS_TIDEMILL);
    if is_part {
        args.remove(1);
    } else {
        args.insert(args.len().min(1), "start".into());
    }
    tidemill::run(args)
}
