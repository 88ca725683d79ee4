//! The person's account: signing in and out, and how they want the pages.

pub mod fns;
mod more_page;
#[cfg(feature = "ssr")]
pub mod session_cookie;
mod sign_in_page;

pub use more_page::MorePage;
pub use sign_in_page::SignInPage;
