//! An error in words.

use std::error::Error;

/// An error and its sources on one line; a source that only repeats the one above is left out.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let text = source.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        next = source.source();
    }
    said
}
