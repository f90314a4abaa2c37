//! What the client's errors mean to us.

use redis::{ErrorKind, RedisError};

use crate::broker::BrokerError;

/// Sorts a client's error by what a caller can do about it. `place` carries no secret.
pub(super) fn classified(place: &str, error: RedisError) -> BrokerError {
    let place = place.to_owned();
    match Meaning::of(&error) {
        Meaning::Unavailable => BrokerError::Unavailable { place, source: error.into() },
        Meaning::OutOfRoom => BrokerError::OutOfRoom { place, source: error.into() },
        Meaning::Denied => BrokerError::Denied { place, source: error.into() },
        Meaning::ManyNodes => BrokerError::Unfit {
            place,
            problem: "it is a node of a Redis Cluster and holds only some of the keys".to_owned(),
            fix: "give the URL of a Redis that holds all keys".to_owned(),
        },
        Meaning::Unexpected => BrokerError::Unexpected { place, answer: error.to_string() },
    }
}

/// Whether our login is refused.
pub(super) fn is_denied(error: &RedisError) -> bool {
    Meaning::of(error) == Meaning::Denied
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Unavailable,
    OutOfRoom,
    Denied,
    ManyNodes,
    Unexpected,
}

impl Meaning {
    /// Redis' own error codes first; the library's kinds where there was no answer.
    fn of(error: &RedisError) -> Self {
        match error.code() {
            Some("OOM") => Self::OutOfRoom,
            Some("NOAUTH" | "WRONGPASS" | "NOPERM") => Self::Denied,
            // It came between the queueing of a transaction's commands and its end; in these words since Redis 7.
            Some("EXECABORT") if error.to_string().contains("OOM") => Self::OutOfRoom,
            Some(
                "LOADING" | "READONLY" | "MASTERDOWN" | "MISCONF" | "BUSY" | "NOREPLICAS" | "CLUSTERDOWN" | "TRYAGAIN"
                | "UNBLOCKED" | "NOSCRIPT" | "EXECABORT",
            ) => Self::Unavailable,
            Some("MOVED" | "ASK" | "CROSSSLOT") => Self::ManyNodes,
            Some(_) => Self::Unexpected,
            None if error.kind() == ErrorKind::AuthenticationFailed => Self::Denied,
            None if matches!(error.kind(), ErrorKind::UnexpectedReturnType | ErrorKind::Parse) => Self::Unexpected,
            None => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(line: &str) -> Meaning {
        let error = redis::parse_redis_value(line.as_bytes())
            .and_then(redis::Value::extract_error)
            .expect_err("the line is an error");
        Meaning::of(&error)
    }

    #[test]
    fn every_trouble_of_redis_has_its_meaning() {
        for (line, expected) in [
            ("-OOM command not allowed when used memory > 'maxmemory'.\r\n", Meaning::OutOfRoom),
            ("-EXECABORT Transaction discarded because of: OOM command not allowed\r\n", Meaning::OutOfRoom),
            ("-EXECABORT Transaction discarded because of previous errors.\r\n", Meaning::Unavailable),
            ("-NOAUTH Authentication required.\r\n", Meaning::Denied),
            ("-WRONGPASS invalid username-password pair or user is disabled.\r\n", Meaning::Denied),
            ("-NOPERM this user has no permissions to run the 'evalsha' command\r\n", Meaning::Denied),
            ("-LOADING Redis is loading the dataset in memory\r\n", Meaning::Unavailable),
            ("-READONLY You can't write against a read only replica.\r\n", Meaning::Unavailable),
            ("-MASTERDOWN Link with MASTER is down\r\n", Meaning::Unavailable),
            ("-MISCONF Errors writing to the AOF file: No space left on device\r\n", Meaning::Unavailable),
            ("-BUSY Redis is busy running a script.\r\n", Meaning::Unavailable),
            ("-NOSCRIPT No matching script. Please use EVAL.\r\n", Meaning::Unavailable),
            ("-NOREPLICAS Not enough good replicas to write.\r\n", Meaning::Unavailable),
            ("-MOVED 3999 127.0.0.1:6381\r\n", Meaning::ManyNodes),
            ("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", Meaning::Unexpected),
            ("-ERR settlement of 3 tasks for a batch of 2\r\n", Meaning::Unexpected),
        ] {
            assert_eq!(meaning(line), expected, "{line}");
        }
    }

    #[test]
    fn silence_and_refused_connections_mean_unavailable() {
        for kind in [std::io::ErrorKind::TimedOut, std::io::ErrorKind::ConnectionRefused] {
            assert_eq!(Meaning::of(&std::io::Error::from(kind).into()), Meaning::Unavailable);
        }
    }
}
