//! The command line's grammar, its help, and the way to each command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use common::settings::Flags;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::complain;
use crate::{
    audit, bench, chaos, config, dead, doctor, exchange, feed, fsck, gaps, instruments, listener, migrate, queue,
    record, start, status, symbol, token, worker,
};

/// Stream market data into a database without losing ticks.
#[derive(Debug, Parser)]
#[command(name = "tidemill", bin_name = "tidemill", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(arg_required_else_help = true, subcommand_required = true, infer_subcommands = false)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Settings file [default: `./tidemill.toml`, then `$XDG_CONFIG_HOME/tidemill/tidemill.toml`]
    #[arg(short, long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub(crate) config: Option<PathBuf>,
    /// Log level or filter, e.g. `debug` or `info,worker=debug`
    #[arg(long, alias = "log-level", global = true, value_name = "LEVEL", help_heading = "Global options")]
    loglevel: Option<String>,
    /// More detail; twice for all of it
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Global options")]
    verbose: u8,
    /// Less detail; twice for errors only
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "verbose")]
    #[arg(help_heading = "Global options")]
    quiet: u8,
    /// When to use colour (`NO_COLOR` is respected)
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Global options")]
    #[arg(hide_possible_values = false, hide_default_value = true)]
    color: Color,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// The commands. Each lives in the file of its name.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Start(start::Arguments),
    Listener(listener::Arguments),
    Worker(worker::Arguments),
    Exchange(exchange::Arguments),
    Record(record::Arguments),
    Status(status::Arguments),
    Doctor(doctor::Arguments),
    Migrate(migrate::Arguments),
    Feed(feed::Arguments),
    Queue(queue::Arguments),
    Dead(dead::Arguments),
    Audit(audit::Arguments),
    Fsck(fsck::Arguments),
    Gaps(gaps::Arguments),
    Symbol(symbol::Arguments),
    Instruments(instruments::Arguments),
    Token(token::Arguments),
    Config(config::Arguments),
    Bench(bench::Arguments),
    Chaos(chaos::Arguments),
}

fn dispatch(command: &Command, global: &Global) -> Result<Exit, Failure> {
    match command {
        Command::Start(arguments) => start::run(arguments, global),
        Command::Listener(arguments) => listener::run(arguments, global),
        Command::Worker(arguments) => worker::run(arguments, global),
        Command::Exchange(arguments) => exchange::run(arguments, global),
        Command::Record(arguments) => record::run(arguments, global),
        Command::Status(arguments) => status::run(arguments, global),
        Command::Doctor(arguments) => doctor::run(arguments, global),
        Command::Migrate(arguments) => migrate::run(arguments, global),
        Command::Feed(arguments) => feed::run(arguments, global),
        Command::Queue(arguments) => queue::run(arguments, global),
        Command::Dead(arguments) => dead::run(arguments, global),
        Command::Audit(arguments) => audit::run(arguments, global),
        Command::Fsck(arguments) => fsck::run(arguments, global),
        Command::Gaps(arguments) => gaps::run(arguments, global),
        Command::Symbol(arguments) => symbol::run(arguments, global),
        Command::Instruments(arguments) => instruments::run(arguments, global),
        Command::Token(arguments) => token::run(arguments, global),
        Command::Config(arguments) => config::run(arguments, global),
        Command::Bench(arguments) => bench::run(arguments, global),
        Command::Chaos(arguments) => chaos::run(arguments, global),
    }
}

/// Commands in the help, by what people want. Names without a command are left out.
const GROUPS: &[(&str, &[&str])] = &[
    ("Start here", &["start", "status", "doctor"]),
    ("Run one part", &["listener", "worker", "gateway", "exchange", "record", "migrate"]),
    (
        "Look inside and repair",
        &[
            "feed",
            "queue",
            "dead",
            "audit",
            "fsck",
            "gaps",
            "symbol",
            "instruments",
            "token",
            "config",
            "top",
            "bench",
            "chaos",
        ],
    ),
];

const AFTER_HELP: &str = "\
Exit codes: 0 ok · 1 failed · 2 usage · 3 config · 4 unreachable · 5 degraded · 6 loss";

/// Runs a command line.
pub(crate) fn run(args: &[OsString]) -> Exit {
    let parsed = command().try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads to its end (`--help | head`) is no error.
            drop(error.print());
            return if error.use_stderr() { Exit::Usage } else { Exit::Ok };
        }
    };
    cli.global.use_color();
    match dispatch(&cli.command, &cli.global) {
        Ok(exit) => exit,
        Err(Failure::ReaderGone) => Exit::Ok,
        Err(Failure::Told { exit, diagnostics }) => {
            let screens: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
            complain(&screens.join("\n\n"));
            exit
        }
    }
}

/// The grammar with the grouped list of commands in its help.
fn command() -> clap::Command {
    let command = Cli::command();
    let list = command_list(&command);
    command
        .before_help(list)
        .after_help(AFTER_HELP)
        .help_template("{about}\n\n{before-help}Options:\n{options}{after-help}\n")
}

fn command_list(command: &clap::Command) -> String {
    let group = |(title, names): &(&str, &[&str])| {
        let known = names.iter().filter_map(|name| command.find_subcommand(name));
        let lines: Vec<String> = known.map(line).collect();
        (!lines.is_empty()).then(|| format!("{title}:\n{}", lines.join("\n")))
    };
    GROUPS.iter().filter_map(group).collect::<Vec<String>>().join("\n\n")
}

fn line(command: &clap::Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    format!("  {:<11} {about}", command.get_name())
}

impl Global {
    /// The settings that these options are.
    pub(crate) fn flags(&self) -> Flags {
        let level = match (self.verbose, self.quiet) {
            (0, 0) => None,
            (1, _) => Some("debug"),
            (2.., _) => Some("trace"),
            (0, 1) => Some("warn"),
            (0, 2..) => Some("error"),
        };
        match &self.loglevel {
            Some(said) => Flags::new().set("log.level", "--loglevel", Some(said)),
            None => Flags::new().set("log.level", if 0 < self.verbose { "--verbose" } else { "--quiet" }, level),
        }
    }

    fn use_color(&self) {
        let choice = match self.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn the_help_begins_with_what_people_want_first() {
        insta::assert_snapshot!(command().term_width(100).render_help(), @r#"
        Stream market data into a database without losing ticks

        Start here:
          start       Run everything here: listener, workers, and a simulated exchange until symbols are set
          status      Show health once: what runs, how fresh it is, and whether anything was lost
          doctor      Check settings, queue, store and feed; say what to fix

        Run one part:
          listener    Read feeds over WebSocket and queue their messages
          worker      Store queued ticks. Run as many as you like, on as many machines as you like
          exchange    Serve simulated or recorded market data in a provider's own protocol
          record      Write a feed's raw frames, with their receive time, to compressed files
          migrate     Create or upgrade the tables of the store

        Look inside and repair:
          feed        Try a feed; show what listeners carry; subscribe, unsubscribe, pause, resume
          queue       Show the queues; pause and resume them
          dead        Show, retry, purge and export dead letters: ticks that could not be stored
          audit       Show the ledger stage by stage, with the equations that must hold
          fsck        Check the queue's structure for tasks that nothing would take; put them back
          gaps        List holes in the streams: messages that were sent and never arrived
          symbol      Show what a provider's symbols mean
          instruments Show, refresh and search the lists of instruments that providers publish
          token       Give listeners a provider's token; show which one they use
          config      Show and check the settings
          bench       Measure ticks per second, CPU time and memory on this machine
          chaos       Break a system of its own in every way, and count what was lost

        Options:
          -c, --config <FILE>     Settings file [default: `./tidemill.toml`, then
                                  `$XDG_CONFIG_HOME/tidemill/tidemill.toml`]
              --loglevel <LEVEL>  Log level or filter, e.g. `debug` or `info,worker=debug`
          -v, --verbose...        More detail; twice for all of it
          -q, --quiet...          Less detail; twice for errors only
              --color <WHEN>      When to use colour (`NO_COLOR` is respected) [possible values: auto,
                                  always, never]
          -h, --help              Print help
          -V, --version           Print version

        Exit codes: 0 ok · 1 failed · 2 usage · 3 config · 4 unreachable · 5 degraded · 6 loss
        "#);
    }

    #[test]
    fn every_command_is_in_the_help() {
        let listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        for known in command().get_subcommands() {
            assert!(listed.contains(&known.get_name()), "`{}` is in no group", known.get_name());
            assert!(known.get_about().is_some(), "`{}` has no about", known.get_name());
        }
    }

    #[test]
    fn detail_is_a_log_level() {
        let global = |args: &[&str]| {
            let args = ["tidemill"].iter().chain(args).chain(&["doctor"]);
            Cli::try_parse_from(args).unwrap().global
        };
        for (args, level) in [
            (&["-v"][..], "debug"),
            (&["-vv"], "trace"),
            (&["-q"], "warn"),
            (&["-qq"], "error"),
            (&["--loglevel", "WARNING", "-v"], "warn"),
            (&["--log-level", "info"], "info"),
            (&[], "info"),
        ] {
            let sources = common::settings::Sources { flags: global(args).flags(), ..Default::default() };
            assert_eq!(common::settings::resolve(&sources).unwrap().settings.log.level, level, "{args:?}");
        }
    }
}
