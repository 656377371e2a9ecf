//! Values that cannot be missing, and why: the only place where the core may panic.
//!
//! A default value would be worse than a panic: an empty encoding, a serial number of zeros.

use core::fmt::Debug;

/// A value that is always present.
pub(crate) trait Certain {
    /// The type of the value.
    type Value;

    /// Returns the value; `why` states why it cannot be missing.
    fn certain(self, why: &'static str) -> Self::Value;
}

impl<T> Certain for Option<T> {
    type Value = T;

    #[expect(clippy::expect_used, reason = "each caller says why it cannot be missing")]
    #[track_caller]
    fn certain(self, why: &'static str) -> T {
        self.expect(why)
    }
}

impl<T, E: Debug> Certain for Result<T, E> {
    type Value = T;

    #[expect(clippy::expect_used, reason = "each caller says why it cannot fail")]
    #[track_caller]
    fn certain(self, why: &'static str) -> T {
        self.expect(why)
    }
}
