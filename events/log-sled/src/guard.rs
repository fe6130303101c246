//! Keeps sled's panics from spreading.

use crate::HeadError;
use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a guarded call, whose panic becomes an error.
///
/// A program's panic hook keeps silent then: the error tells what the panic said.
pub fn is_guarded() -> bool {
    GUARDED.get()
}

/// Runs a call into sled; a panic becomes an error that names the head.
///
/// What the call worked on must not be used any more after a panic.
pub(crate) fn guarded<T>(
    dir: &Path,
    call: impl FnOnce() -> Result<T, HeadError>,
) -> Result<T, HeadError> {
    let before = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(before);
    result.unwrap_or_else(|panic| {
        Err(HeadError::Panicked { path: dir.to_owned(), message: message(panic.as_ref()) })
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let made = || panic.downcast_ref::<String>().cloned();
    literal.or_else(made).unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_says_what_it_said() {
        let dir = Path::new("head");
        let failed = guarded::<()>(dir, || panic!("at {}", 7));
        assert!(matches!(failed, Err(HeadError::Panicked { message, .. }) if message == "at 7"));
        assert!(!is_guarded());
        assert!(guarded(dir, || Ok(is_guarded())).is_ok_and(|inside| inside));
    }
}
