//! Signed-in devices, changing the password, and entering it again.

use domain::Locale;

use crate::text;

mod change_password_page;
mod confirm_page;
mod devices_page;
mod federation;
pub mod fns;

pub use change_password_page::ChangePasswordPage;
pub use confirm_page::ConfirmPage;
pub use devices_page::DevicesPage;
pub use federation::{FederationNotice, SignInWith};

/// The short form of a user agent in plain words: `Android · Chrome` is "thiết bị Android, trình duyệt Chrome".
fn device_words(l: Locale, device: &str) -> String {
    let mut words = device.split(" · ");
    let first = words.next().unwrap_or_default();
    let system = match first {
        "iPhone" => text::sessions::device_iphone(l),
        "iPad" => text::sessions::device_ipad(l),
        "Android" => text::sessions::device_android(l),
        "Windows" => text::sessions::device_windows(l),
        "Mac" => text::sessions::device_mac(l),
        "Chromebook" => text::sessions::device_chromebook(l),
        "Linux" => text::sessions::device_linux(l),
        // Only a browser is known, or nothing.
        "" => return text::sessions::device_unknown(l).to_owned(),
        browser => return text::sessions::device_and_browser(l, text::sessions::device_unknown(l), browser),
    };
    match words.next() {
        Some(browser) => text::sessions::device_and_browser(l, system, browser),
        None => system.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_is_described_in_plain_words() {
        for (device, words) in [
            ("Android · Chrome", "thiết bị Android, trình duyệt Chrome"),
            ("iPhone · Safari", "điện\u{a0}thoại iPhone, trình duyệt Safari"),
            ("Windows", "máy tính Windows"),
            ("Firefox", "thiết bị không rõ loại, trình duyệt Firefox"),
            ("", "thiết bị không rõ loại"),
        ] {
            assert_eq!(device_words(Locale::Vi, device), words);
        }
    }
}
