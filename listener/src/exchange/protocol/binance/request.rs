//! What a client asks, and the exact answers.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Carries;
use crate::exchange::protocol::{self, Answer, Asked, Change, Envelope};

/// Longest request id that is text.
const ID_CHARS_MAX: usize = 36;

/// Error codes of the documentation's table.
const UNKNOWN_PROPERTY: u8 = 0;
const INVALID_VALUE_TYPE: u8 = 1;
const INVALID_REQUEST: u8 = 2;
const INVALID_JSON: u8 = 3;

/// One connection's subscriptions.
#[derive(Debug)]
pub(super) struct Conversation {
    envelope: Envelope,
    /// In the order of subscription.
    streams: Vec<Box<str>>,
    streams_max: usize,
    /// Which streams its path really sends.
    carries: Carries,
}

#[derive(Deserialize)]
struct Request<'a> {
    method: Method,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Method {
    Subscribe,
    Unsubscribe,
    ListSubscriptions,
    SetProperty,
    GetProperty,
}

/// An error answer: code and text.
struct Refusal(u8, String);

type Outcome = Result<(Value, Change), Refusal>;

impl protocol::Conversation for Conversation {
    fn receive(&mut self, message: Asked<'_>) -> Answer {
        match message {
            Asked::Text(text) => self.receive(text),
            Asked::Binary(bytes) => self.receive(&String::from_utf8_lossy(bytes)),
        }
    }
}

impl Conversation {
    pub(super) fn new(envelope: Envelope, streams_max: usize, carries: Carries) -> Self {
        Self { envelope, streams: Vec::new(), streams_max, carries }
    }

    /// Adds the streams that are not subscribed yet. Nothing changes when they are too many.
    pub(super) fn subscribe(&mut self, streams: &[Box<str>]) -> Result<(), String> {
        let before = self.streams.len();
        for stream in streams {
            if !self.streams.contains(stream) {
                self.streams.push(stream.clone());
            }
        }
        if self.streams_max < self.streams.len() {
            self.streams.truncate(before);
            // That more are refused is documented, the words are ours.
            return Err(format!("too many streams, a connection carries at most {}", self.streams_max));
        }
        Ok(())
    }

    pub(super) fn receive(&mut self, text: &str) -> Answer {
        let id = match request_id(text) {
            Ok(id) => id,
            Err(refusal) => return refusal.answer(None),
        };
        match self.act(text) {
            Ok((result, change)) => Answer::text(format!(r#"{{"result":{result},"id":{id}}}"#)).with(change),
            Err(refusal) => refusal.answer(Some(&id)),
        }
    }

    fn act(&mut self, text: &str) -> Outcome {
        let request: Request<'_> = serde_json::from_str(text).map_err(|error| refused(&error))?;
        match request.method {
            Method::Subscribe => {
                let mut streams = names(request.params)?;
                self.subscribe(&streams).map_err(invalid)?;
                streams.retain(|stream| (self.carries)(stream));
                Ok((Value::Null, Change::Subscribe(streams)))
            }
            Method::Unsubscribe => {
                let streams = names(request.params)?;
                self.streams.retain(|stream| !streams.contains(stream));
                Ok((Value::Null, Change::Unsubscribe(streams)))
            }
            Method::ListSubscriptions => {
                Ok((self.streams.iter().map(|stream| Value::from(&**stream)).collect(), Change::Nothing))
            }
            Method::SetProperty => self.set_property(request.params),
            Method::GetProperty => match property(request.params)?.as_slice() {
                [_] => Ok((Value::Bool(self.envelope == Envelope::Whole), Change::Nothing)),
                _ => Err(invalid("too many parameters")),
            },
        }
    }

    fn set_property(&mut self, params: Option<&RawValue>) -> Outcome {
        self.envelope = match property(params)?.as_slice() {
            [_, Value::Bool(true)] => Envelope::Whole,
            [_, Value::Bool(false)] => Envelope::DataOnly,
            [_, _, _, ..] => return Err(invalid("too many parameters")),
            _ => return Err(Refusal(INVALID_VALUE_TYPE, "Invalid value type: expected Boolean".to_owned())),
        };
        Ok((Value::Null, Change::Envelope(self.envelope)))
    }
}

/// The request's id as it is to be repeated: an integer, a short text or null. None is as null.
fn request_id(text: &str) -> Result<String, Refusal> {
    #[derive(Deserialize)]
    struct Identified {
        #[serde(default)]
        id: Value,
    }
    let Identified { id } = serde_json::from_str(text).map_err(|error| refused(&error))?;
    let is_valid = match &id {
        Value::Null => true,
        Value::Number(number) => number.is_i64(),
        Value::String(text) => text.chars().count() <= ID_CHARS_MAX,
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    };
    if is_valid { Ok(id.to_string()) } else { Err(invalid("request ID must be an unsigned integer")) }
}

fn names(params: Option<&RawValue>) -> Result<Vec<Box<str>>, Refusal> {
    let params = params.ok_or_else(|| invalid("missing field `params`"))?;
    serde_json::from_str(params.get()).map_err(|error| refused(&error))
}

/// The parameters of a property request; the first names the only property there is.
fn property(params: Option<&RawValue>) -> Result<Vec<Value>, Refusal> {
    let params = params.ok_or_else(|| invalid("missing field `params`"))?;
    let values: Vec<Value> = serde_json::from_str(params.get()).map_err(|error| refused(&error))?;
    match values.first() {
        Some(Value::String(name)) if name == "combined" => Ok(values),
        Some(Value::String(_)) => Err(Refusal(UNKNOWN_PROPERTY, "Unknown property".to_owned())),
        _ => Err(invalid("property name must be a string")),
    }
}

fn invalid(problem: impl AsRef<str>) -> Refusal {
    Refusal(INVALID_REQUEST, format!("Invalid request: {}", problem.as_ref()))
}

/// The documented texts are this very parser's: `unknown variant ... at line 1 column 28`.
fn refused(error: &serde_json::Error) -> Refusal {
    if error.is_data() { invalid(error.to_string()) } else { Refusal(INVALID_JSON, format!("Invalid JSON: {error}")) }
}

impl Refusal {
    fn answer(self, id: Option<&str>) -> Answer {
        let Self(code, text) = self;
        let text = Value::from(text);
        let id = id.map(|id| format!(r#","id":{id}"#)).unwrap_or_default();
        Answer::text(format!(r#"{{"code":{code},"msg":{text}{id}}}"#))
    }
}
