//! What cannot be otherwise, and why: the only place where the core would stop by itself.
//!
//! A default in its place would be worse: an empty encoding, a serial of zeros.

use core::fmt::Debug;

/// Something that is always there.
pub(crate) trait Certain {
    /// What is there.
    type Value;

    /// What is there; `why` says why it cannot be missing.
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
