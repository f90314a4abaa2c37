//! `tidemill doctor`: check what a start needs, and say what to fix.

use std::path::{Path, PathBuf};

use clap::Args;
use common::settings::Flags;

use crate::calendar;
use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{complain, print_line, printable};

/// Check settings, queue, store and feed; say what to fix
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// What a check found.
#[derive(Debug)]
enum Finding {
    /// As it should be, in words.
    Good(String),
    /// Works, but somebody should know.
    Warning(String),
    /// A start would fail or wait.
    Bad(Box<Diagnostic>),
}

/// Makes every check, whatever the others find. The exit code is the first bad finding's.
pub(crate) fn run(_arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let context = match Context::load(global, Flags::new()) {
        Ok(context) => context,
        Err(failure) => {
            print_line(&line("settings", Mark::Bad, "cannot be used"))?;
            return Err(failure);
        }
    };
    let given = context.resolved.entries().iter().filter(|entry| entry.origin != common::settings::Origin::Default);
    let settings = Finding::Good(format!("{} given, the others by default", given.count()));
    let folder = writable(&context.settings.data_dir);
    let feed = feed(&context);
    let mut worst = Exit::Ok;
    worst = tell("settings", settings, worst)?;
    worst = tell("data dir", folder, worst)?;
    worst = tell("feed", feed, worst)?;
    worst = tell("calendar", calendar(&context), worst)?;
    let (queue, store) = block_on(async { Ok((queue(&context).await, store(&context).await)) })?;
    for finding in queue {
        worst = tell("queue", finding, worst)?;
    }
    tell("store", store, worst)
}

fn tell(name: &str, finding: Finding, worst: Exit) -> Result<Exit, Failure> {
    match finding {
        Finding::Good(text) => print_line(&line(name, Mark::Good, &text)).map(|()| worst),
        Finding::Warning(text) => print_line(&line(name, Mark::Warning, &text)).map(|()| worst),
        Finding::Bad(diagnostic) => {
            print_line(&line(name, Mark::Bad, &diagnostic.title))?;
            for (label, text) in [("why", diagnostic.the_why()), ("fix", diagnostic.the_fix())] {
                for (index, text) in text.into_iter().flat_map(str::lines).enumerate() {
                    let label = if index == 0 { label } else { "" };
                    print_line(&format!("               {label:<3}  {}", printable(text)))?;
                }
            }
            Ok(if worst == Exit::Ok { diagnostic.code.exit() } else { worst })
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Mark {
    Good,
    Warning,
    Bad,
}

fn line(name: &str, mark: Mark, text: &str) -> String {
    let mark = match mark {
        Mark::Good => "\u{1b}[32m✓\u{1b}[0m",
        Mark::Warning => "\u{1b}[33m!\u{1b}[0m",
        Mark::Bad => "\u{1b}[31m✗\u{1b}[0m",
    };
    format!("  {mark} {name:<10} {}", printable(text))
}

fn feed(context: &Context) -> Finding {
    match context.feed() {
        Ok(feed) => Finding::Good(format!("{} at {}", feed.name(), endpoint(context, feed.endpoints().socket))),
        Err(failure) => bad(failure),
    }
}

fn calendar(context: &Context) -> Finding {
    let calendar = match calendar::load(&context.settings) {
        Ok(calendar) => calendar,
        Err(failure) => return bad(failure),
    };
    let own = context.settings.market.calendar.as_ref();
    let source = own.map_or_else(|| "built in".to_owned(), |path| format!("built in and {}", path.display()));
    match &*calendar::unknown(&calendar, common::clock::now()) {
        [] => Finding::Good(format!("{source}, with this year's holidays")),
        unknown => Finding::Warning(format!("{source}; this year's holidays are not known of {}", unknown.join(", "))),
    }
}

fn endpoint<'e>(context: &'e Context, usual: &'e str) -> &'e str {
    context.settings.listener.endpoint.as_deref().unwrap_or(usual)
}

async fn queue(context: &Context) -> Vec<Finding> {
    if let Some(path) = context.missing_broker_file() {
        return vec![Finding::Good(format!("embedded; the first start creates {}", path.display()))];
    }
    let checked = async {
        let broker = context.broker().await?;
        let warnings = broker.preflight().await?;
        Ok::<_, Failure>(warnings)
    };
    match checked.await {
        Ok(warnings) => {
            let good = Finding::Good(format!("{} answers and can be trusted with tasks", context.broker_place()));
            std::iter::once(good).chain(warnings.into_iter().map(Finding::Warning)).collect()
        }
        Err(failure) => vec![bad(failure)],
    }
}

async fn store(context: &Context) -> Finding {
    if let Some(path) = context.missing_store_file() {
        return Finding::Good(format!("embedded; the first start creates {}", path.display()));
    }
    let checked = async {
        let store = context.store().await?;
        Ok::<_, Failure>(store.census().await?)
    };
    match checked.await {
        Ok(census) => Finding::Good(format!("{} at {}, {} prices", census.kind, census.place, census.priced)),
        Err(failure) => bad(failure),
    }
}

/// Whether files can be created in `folder`, or, while it does not exist, in the nearest folder above it.
fn writable(folder: &Path) -> Finding {
    let existing = folder.ancestors().map(or_here).find(|above| above.exists());
    let existing = existing.unwrap_or_else(|| PathBuf::from("."));
    match tempfile_in(&existing) {
        Ok(()) if folder.exists() => Finding::Good(format!("{} is writable", folder.display())),
        Ok(()) => Finding::Good(format!("{} will be created", folder.display())),
        Err(error) => {
            let title = format!("cannot write in {}", existing.display());
            let diagnostic = Diagnostic::new(Code::DataDir, title).why(error.to_string());
            Finding::Bad(Box::new(diagnostic.fix("give this user the right to write there, or set data_dir")))
        }
    }
}

fn or_here(folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

/// Creates a file and removes it again: the only test that counts file systems, rights and quotas.
fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(format!(".tidemill-doctor-{}", std::process::id()));
    drop(std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?);
    std::fs::remove_file(&path)
}

fn bad(failure: Failure) -> Finding {
    match failure {
        Failure::Told { mut diagnostics, .. } if diagnostics.len() == 1 => {
            Finding::Bad(Box::new(diagnostics.remove(0)))
        }
        Failure::Told { diagnostics, .. } => {
            for diagnostic in &diagnostics {
                complain(&diagnostic.to_string());
            }
            Finding::Bad(Box::new(Diagnostic::new(Code::Runtime, "several problems, see above")))
        }
        Failure::ReaderGone => Finding::Warning("nobody reads the output".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_does_not_exist_is_judged_by_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a").join("b");
        let Finding::Good(text) = writable(&below) else { panic!("not good") };
        assert!(text.ends_with("will be created") && !below.exists(), "{text}");
        assert!(matches!(writable(folder.path()), Finding::Good(text) if text.ends_with("is writable")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_bad() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(matches!(writable(&file.join("data")), Finding::Bad(_)));
    }

    #[test]
    fn the_first_bad_finding_decides_the_exit_code() {
        let unreachable = Finding::Bad(Box::new(Diagnostic::new(Code::BrokerUnreachable, "x")));
        let misconfigured = Finding::Bad(Box::new(Diagnostic::new(Code::StoreUnfit, "x")));
        let worst = tell("queue", unreachable, Exit::Ok).unwrap();
        assert_eq!(tell("store", misconfigured, worst).unwrap(), Exit::Unreachable);
    }
}
