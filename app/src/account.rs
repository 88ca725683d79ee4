//! The person's account: signing in and out, and how they want the pages.

mod changes;
pub mod codes;
#[cfg(feature = "ssr")]
pub mod cookies;
pub mod fns;
mod more_page;
#[cfg(feature = "ssr")]
mod notices;
#[cfg(feature = "ssr")]
pub mod session_cookie;
mod sign_in_page;
pub mod welcome;

pub use changes::account_changes;
pub use more_page::MorePage;
#[cfg(feature = "ssr")]
pub use notices::notice_words;
pub use sign_in_page::SignInPage;
