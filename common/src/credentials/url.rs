//! A server that answers with JSON that holds the token.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Answer;
use super::file::parsed;
use crate::feed::HttpRequest;
use crate::http::{self, HttpLimits};
use crate::redact::Redactor;
use crate::settings::TokenUrl;

/// No redirects: the token, or what it is asked for with, goes to the named server only.
const LIMITS: HttpLimits =
    HttpLimits { patience: Duration::from_secs(15), answer_bytes_max: 1 << 20, redirects_max: 0 };

/// Of a refusal, this much is shown, without anything that looks like a secret.
const BODY_CHARS_MAX: usize = 120;

/// The server.
#[derive(Debug)]
pub(super) struct UrlSource(pub(super) TokenUrl);

impl UrlSource {
    /// The address without user, password and query.
    pub(super) fn place(&self) -> String {
        Redactor::default().redact(self.0.url.expose_secret())
    }

    pub(super) async fn ask(&self) -> Answer {
        let answer = match http::send(self.request(), LIMITS).await {
            Ok(answer) => answer,
            Err(error) => return Answer::Trouble(error.to_string()),
        };
        if answer.status / 100 != 2 {
            return Answer::Trouble(format!("HTTP status {}{}", answer.status, self.excerpt(&answer.body)));
        }
        let Ok(json) = serde_json::from_str::<Value>(&answer.body) else {
            return Answer::Trouble("the answer is no JSON".to_owned());
        };
        match json.pointer(&self.0.pointer) {
            Some(Value::String(text)) => parsed(text, |token| token),
            Some(Value::Null) => Answer::Nothing(format!("the answer has null at {}", self.0.pointer)),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => {
                Answer::Trouble(format!("the answer has no text at {}", self.0.pointer))
            }
        }
    }

    fn request(&self) -> HttpRequest {
        let TokenUrl { url, method, authorization, body, .. } = &self.0;
        let exposed = |secret: &SecretString| secret.expose_secret().to_owned();
        let mut headers = vec![("Accept", "application/json".to_owned())];
        headers.extend(authorization.as_ref().map(|value| ("Authorization", exposed(value))));
        HttpRequest { method: *method, url: exposed(url), headers, body: body.as_ref().map(exposed) }
    }

    /// What the server says about it: it may echo what it was asked with.
    fn excerpt(&self, text: &str) -> String {
        let TokenUrl { url, authorization, body, .. } = &self.0;
        let known = std::iter::once(url).chain(authorization).chain(body);
        let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let shown: String = Redactor::new(known).redact(shown.trim()).chars().take(BODY_CHARS_MAX).collect();
        if shown.is_empty() { shown } else { format!(": {shown}") }
    }
}
