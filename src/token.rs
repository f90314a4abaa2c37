//! `tidemill token`: give listeners a provider's token, and see which one they use.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use common::clock;
use common::credentials::{Asked, CredentialSources, SourceKind, Token};
use common::feed::{self, Feed};
use common::settings::{Environment, Flags};

use crate::amount::age;
use crate::cli::Global;
use crate::context::{Context, block_on, feed_names, unknown_feed};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{complain, print, print_json, print_line};

mod read;
mod show;

/// Give listeners a provider's token; show which one they use
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidemill token set fyers < token.txt          running listeners take it within 2 s
  ./login | tidemill token set fyers
  tidemill token set fyers --from-file /run/secrets/fyers
  tidemill token show fyers                     where it comes from and until when; never the token itself

A token is never an argument: everybody on the machine can read those.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Store a token, read from standard input, in the table `access_token`
    Set {
        /// Whose token
        feed: String,
        /// Read it from this file instead of standard input
        #[arg(long, value_name = "FILE")]
        from_file: Option<PathBuf>,
    },
    /// Ask the sources as a listener does and show what each of them says
    Show {
        /// Whose token
        feed: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Does what the verb says.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    match &arguments.verb {
        Verb::Set { feed, from_file } => {
            let feed = known(feed)?;
            let token = usable(feed, read::token(feed.name(), from_file.as_deref())?)?;
            let context = Context::load_quietly(global, Flags::new())?;
            block_on(set(&context, feed, &token))
        }
        Verb::Show { feed, json } => {
            let feed = known(feed)?;
            let context = Context::load_quietly(global, Flags::new())?;
            block_on(show(&context, feed, *json))
        }
    }
}

fn known(name: &str) -> Result<&'static dyn Feed, Failure> {
    feed::by_name(name).ok_or_else(|| Failure::new(unknown_feed(name, feed_names().into_iter())))
}

fn usable(feed: &dyn Feed, token: Token) -> Result<Token, Failure> {
    let now = clock::now();
    match token.expires_at {
        Some(at) if token.has_expired(now) => {
            let title = format!("this token of {} ran out {} ago, at {at}", feed.name(), age(at.age_at(now)));
            let diagnostic = Diagnostic::new(Code::BadToken, title).safe("nothing was stored");
            Err(Failure::new(diagnostic.fix("log in at the provider and store the new token")))
        }
        Some(_) | None => Ok(token),
    }
}

async fn set(context: &Context, feed: &dyn Feed, token: &Token) -> Result<Exit, Failure> {
    let is_new = context.missing_store_file().is_some();
    let store = context.store().await?;
    if is_new {
        store.migrate().await?;
    }
    store.add_token(feed.name(), &token.secret, token.expires_at).await?;
    let until = show::until(token, clock::now()).map(|until| format!(", {until}")).unwrap_or_default();
    print_line(&format!("token {} of {} is stored{until}", token.fingerprint, feed.name()))?;
    for note in notes(context, feed, token).await {
        complain(&format!("note: {note}"));
    }
    Ok(Exit::Ok)
}

/// Why listeners may not use the token all the same.
async fn notes(context: &Context, feed: &dyn Feed, token: &Token) -> Vec<String> {
    let mut notes = Vec::new();
    if feed.credential().is_none() {
        notes.push(format!("{} wants no token", feed.name()));
    }
    if !context.settings.credentials.table {
        notes.push("listeners do not read it: credentials.table is false".to_owned());
        return notes;
    }
    let asked = sources(context, feed).ask(clock::now(), |_| false).await;
    let winner = asked.last().filter(|asked| asked.source != SourceKind::Table);
    if let Some(winner) = winner.filter(|winner| winner.token().is_some_and(|won| won.fingerprint != token.fingerprint))
    {
        notes.push(format!("listeners use another one first: {winner}"));
    }
    notes
}

async fn show(context: &Context, feed: &dyn Feed, as_json: bool) -> Result<Exit, Failure> {
    let sources = sources(context, feed);
    let asked = sources.ask(clock::now(), |_| false).await;
    let behind = sources.behind(&asked);
    if as_json {
        print_json(&show::as_json(feed.name(), &asked, &behind))?;
    } else {
        print(&show::as_text(feed.name(), &asked, &behind, clock::now()))?;
    }
    if asked.last().and_then(Asked::token).is_some() {
        return Ok(Exit::Ok);
    }
    if feed.credential().is_none() {
        complain(&format!("note: {} wants no token", feed.name()));
        return Ok(Exit::Ok);
    }
    let title = format!("no source has a token of {}", feed.name());
    let diagnostic = Diagnostic::new(Code::NoToken, title).what("listeners of it wait until there is one");
    Err(Failure::new(diagnostic.fix(format!("tidemill token set {}", feed.name()))))
}

fn sources(context: &Context, feed: &dyn Feed) -> CredentialSources {
    CredentialSources::new(&context.settings, feed.name(), &Environment::of_process())
}
