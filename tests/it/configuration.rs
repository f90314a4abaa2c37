//! Where settings come from, and what happens when they are wrong.

use crate::context::Place;

fn line<'o>(shown: &'o str, key: &str) -> &'o str {
    let start = format!("{key} = ");
    shown.lines().find(|line| line.starts_with(&start)).expect("the key is shown")
}

#[test]
fn each_value_says_where_it_comes_from() {
    let place = Place::new();
    place.write("tidemill.toml", "[worker]\nconcurrency = 8\nlease = \"20s\"\n");
    let variables = [("TIDEMILL_WORKER__LEASE", "30"), ("DATABASE_URL", "postgres://u:CANARY@db/market")];
    let ran = place.run(&["config", "show", "--origin", "--loglevel", "debug"], &variables);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(line(&ran.out, "concurrency").ends_with("# tidemill.toml:2:15"));
    assert!(
        line(&ran.out, "lease").starts_with("lease = \"30s\"")
            && ran.out.contains("environment TIDEMILL_WORKER__LEASE")
    );
    assert!(line(&ran.out, "level").ends_with("# flag --loglevel"));
    assert!(line(&ran.out, "drain").ends_with("# default"));
    assert!(ran.out.contains("postgres://u:***@db/market") && !ran.out.contains("CANARY"));
}

#[test]
fn the_users_own_file_is_used_where_there_is_none_here() {
    let place = Place::new();
    place.write("home/tidemill/tidemill.toml", "[queue]\nname = \"mine\"\n");
    let home = place.path().join("home");
    let variables = [("XDG_CONFIG_HOME", home.to_str().unwrap())];
    assert_eq!(line(&place.run(&["config", "show"], &variables).out, "name"), "name = \"mine\"");
    place.write("tidemill.toml", "[queue]\nname = \"here\"\n");
    assert_eq!(line(&place.run(&["config", "show"], &variables).out, "name"), "name = \"here\"");
    place.write("other.toml", "[queue]\nname = \"named\"\n");
    assert_eq!(line(&place.run(&["config", "show", "-c", "other.toml"], &variables).out, "name"), "name = \"named\"");
}

#[test]
fn all_problems_are_told_at_once_with_exit_code_3() {
    let place = Place::new();
    place.write("tidemill.toml", "[listener]\nstocks_per_conection = 40\n[worker]\nconcurrency = \"four\"\n");
    let ran = place.run(&["config", "check"], &[("TIDEMILL_BROKER__URL", "http://:CANARY@h")]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""));
    for said in [
        "error[TM-101]: unknown key `stocks_per_conection` in [listener]\n  --> tidemill.toml:2:1\n",
        "fix   did you mean `stocks_per_connection`?",
        "error[TM-102]: `worker.concurrency` must be a whole number from 1 to 256, not `\"four\"`\n  --> tidemill.toml:4:15\n",
        "error[TM-102]: `broker.url` must be a URL that starts with redis://, rediss://, sqlite:",
    ] {
        assert!(ran.err.contains(said), "{said}\nis not in\n{}", ran.err);
    }
    assert!(!ran.err.contains("CANARY"));
}

#[test]
fn a_wrong_flag_is_a_usage_error_and_a_missing_file_is_not() {
    let place = Place::new();
    assert_eq!(place.run(&["config", "check", "--loglevel", "loud"], &[]).code, Some(2));
    let missing = place.run(&["config", "check", "--config", "nowhere.toml"], &[]);
    assert_eq!(missing.code, Some(3));
    assert!(missing.err.contains("cannot read the settings file nowhere.toml"), "{}", missing.err);
    assert_eq!(place.run(&["config", "check"], &[("TIDEMILL_LISTENER__FEED", "binanse")]).code, Some(3));
    assert_eq!(place.run(&["config", "check"], &[]).code, Some(0));
}

#[test]
fn the_page_of_settings_is_what_the_program_prints() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let ran = Place::new().run(&["config", "reference"], &[]);
    assert_eq!(ran.out, std::fs::read_to_string(page).unwrap());
}
