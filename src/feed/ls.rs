//! One look at the groups of a broker.

use common::broker::shards::GroupName;
use common::clock;
use common::roster::Roster;
use serde_json::json;

use super::view::GroupView;
use super::{base_of, text};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{print, print_json, print_line};

/// Shows all groups, or the wanted one.
pub(super) async fn run(context: &Context, wanted: Option<&GroupName>, as_json: bool) -> Result<Exit, Failure> {
    let views = look(context, wanted).await?;
    if as_json {
        print_json(&json!({ "schema": 1, "groups": views }))?;
    } else if views.is_empty() {
        let whose = wanted.map_or_else(String::new, |group| format!(" {group}"));
        print_line(&format!("no group{whose} yet: no listener has shared symbols, and nobody has subscribed any"))?;
    } else {
        let blocks: Vec<String> = views.iter().map(|view| text::render(view, clock::now())).collect();
        print(&blocks.join("\n"))?;
    }
    Ok(Exit::Ok)
}

async fn look(context: &Context, wanted: Option<&GroupName>) -> Result<Vec<GroupView>, Failure> {
    if context.missing_broker_file().is_some() {
        return Ok(Vec::new()); // opening it would create it
    }
    let broker = context.broker().await?;
    let mut groups = broker.groups().await?;
    groups.retain(|group| wanted.is_none_or(|wanted| wanted == group));
    let presences = if groups.is_empty() { Vec::new() } else { broker.presences().await? };
    let mut views = Vec::new();
    for group in groups {
        let base = base_of(&group, context);
        let mut roster = Roster::new(base.as_deref().unwrap_or_default());
        roster.catch_up(&broker.roster_since(&group, 0).await?);
        let map = broker.shard_map(&group).await?;
        views.push(GroupView::of(group, base.is_some(), &roster, &map, &presences));
    }
    Ok(views)
}
