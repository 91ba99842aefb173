//! What a child is asked, and how it is told what it is.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The first argument of a child; the second is its kind.
pub(super) const ARGUMENT: &str = "--unum-helper";

/// What children of one kind are asked, and what they are while they find answers.
pub(crate) trait Kind: Sized {
    /// Its name, by which a child knows what it is.
    const NAME: &'static str;
    type Question: Serialize + DeserializeOwned;
    type Answer: Serialize + DeserializeOwned;

    /// In the child: before the first question.
    fn start() -> Self;

    /// In the child: may take for ever.
    fn answer(&mut self, question: Self::Question) -> Self::Answer;
}
