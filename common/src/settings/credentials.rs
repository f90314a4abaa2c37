//! Where the provider's token comes from, as the settings say it.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::resolve::Resolved;
use crate::feed::HttpMethod;

/// `[credentials]`
#[derive(Debug, Clone)]
pub struct CredentialSettings {
    /// File that holds the token and nothing else.
    pub file: Option<PathBuf>,
    /// Environment variable that holds it.
    pub variable: Option<String>,
    /// Whether the store's `access_token` is asked.
    pub table: bool,
    /// The replaced system's table.
    pub legacy_table: Option<String>,
    /// Program and arguments that print it; empty for none.
    pub command: Vec<String>,
    /// Server that has it.
    pub url: Option<TokenUrl>,
}

/// How a server is asked for a token.
#[derive(Debug, Clone)]
pub struct TokenUrl {
    /// Where. May hold a secret.
    pub url: SecretString,
    /// How.
    pub method: HttpMethod,
    /// The header of that name.
    pub authorization: Option<SecretString>,
    /// JSON to send.
    pub body: Option<SecretString>,
    /// JSON pointer (RFC 6901) to the token in the answer.
    pub pointer: String,
}

impl CredentialSettings {
    pub(super) fn from_resolved(from: &Resolved) -> Self {
        let text = |key| Some(from.text(key)).filter(|text| !text.is_empty());
        let secret = |key| Some(from.secret(key)).filter(|secret| !secret.expose_secret().is_empty());
        Self {
            file: text("credentials.file").map(PathBuf::from),
            variable: text("credentials.variable"),
            table: from.flag("credentials.table"),
            legacy_table: text("credentials.legacy_table"),
            command: from.list("credentials.command"),
            url: secret("credentials.url").map(|url| TokenUrl {
                url,
                method: if from.text("credentials.url_method") == "post" { HttpMethod::Post } else { HttpMethod::Get },
                authorization: secret("credentials.url_authorization"),
                body: secret("credentials.url_body"),
                pointer: from.text("credentials.url_pointer"),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::{Environment, SettingsFile, Sources, resolve};

    #[test]
    fn nothing_said_means_a_variable_and_the_table() {
        let credentials = resolve(&Sources::default()).unwrap().settings.credentials;
        assert_eq!(credentials.variable.as_deref(), Some("TIDEMILL_TOKEN"));
        assert!(credentials.table && credentials.file.is_none() && credentials.legacy_table.is_none());
        assert!(credentials.command.is_empty() && credentials.url.is_none());
    }

    #[test]
    fn all_of_it_can_be_said_and_its_secrets_are_never_shown() {
        let text = r#"
            [credentials]
            file = "/run/secrets/fyers"
            command = ["./login", "--feed", "fyers"]
            url = "https://u:CANARY@tokens.example/fyers?code=CANARY"
            url_method = "post"
            url_authorization = "Bearer CANARY://CANARY"
            url_body = "{\"pin\":\"CANARY\"}"
            url_pointer = "/data/token"
        "#;
        let file = Some(SettingsFile { path: "tidemill.toml".into(), text: text.to_owned() });
        let environment = Environment::from([("TIDEMILL_TOKEN", "CANARY")]);
        let loaded = resolve(&Sources { environment, file, ..Sources::default() }).unwrap();
        let credentials = &loaded.settings.credentials;
        assert_eq!(credentials.command, ["./login", "--feed", "fyers"]);
        let url = credentials.url.as_ref().unwrap();
        assert_eq!(
            (url.pointer.as_str(), url.body.is_some(), url.authorization.is_some()),
            ("/data/token", true, true)
        );
        let shown: Vec<String> = loaded.resolved.entries().iter().map(|entry| entry.value.to_string()).collect();
        assert!(!format!("{shown:?} {loaded:?}").contains("CANARY"), "{shown:?}");
    }
}
