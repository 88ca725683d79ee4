//! The signed-in devices of a person, the password, and giving it again.

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

/// What a device called itself, in plain words: `Android · Chrome` is "thiết bị Android, trình duyệt Chrome".
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
        // It named its browser only, or nothing.
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
    fn a_device_is_named_in_plain_words_whatever_it_said() {
        for (device, words) in [
            ("Android · Chrome", "thiết bị Android, trình duyệt Chrome"),
            ("iPhone · Safari", "điện thoại iPhone, trình duyệt Safari"),
            ("Windows", "máy tính Windows"),
            ("Firefox", "thiết bị không rõ loại, trình duyệt Firefox"),
            ("", "thiết bị không rõ loại"),
        ] {
            assert_eq!(device_words(Locale::Vi, device), words);
        }
    }
}
