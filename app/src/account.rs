//! The viewer's account: sign-in, sign-out and display settings.

mod changes;
pub mod codes;
pub mod fns;
mod more_page;
#[cfg(feature = "ssr")]
mod notices;
mod sign_in_page;
pub mod welcome;

pub use changes::account_changes;
pub use more_page::MorePage;
#[cfg(feature = "ssr")]
pub use notices::notice_words;
pub use sign_in_page::SignInPage;
