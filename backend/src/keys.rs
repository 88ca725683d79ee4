//! Keys that are stored outside the database, and their uses: keyed hashes for look-up, authenticated encryption for display, a
//! pepper for passwords.
//!
//! A national ID has about a million candidates once province, sex and year of birth are known, so an unkeyed hash would not
//! protect it.

use std::{fmt, fs, io::Write, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::{Clock, Error, Result};

/// The secrets derived from the master key. `Debug` prints none of them.
#[derive(Clone)]
pub struct Keys {
    lookup: [u8; 32],
    pepper: [u8; 32],
    cipher: XChaCha20Poly1305,
}

impl Keys {
    pub fn from_master(master: &[u8; 32]) -> Self {
        Self {
            lookup: derive(master, b"handbook look-up 1"),
            pepper: derive(master, b"handbook pepper 1"),
            cipher: XChaCha20Poly1305::new(&derive(master, b"handbook cipher 1").into()),
        }
    }

    /// Parses the master key as stored in files and settings: 32 bytes in base64, with or without padding.
    ///
    /// # Errors
    /// [`Error::Internal`] with a message for the operator when the text is malformed.
    pub fn from_text(text: &str) -> Result<Self> {
        let refused = || Error::Internal("it is not 32 bytes in base64".to_owned());
        let bytes = BASE64_STANDARD_NO_PAD.decode(text.trim().trim_end_matches('=')).map_err(|_| refused())?;
        let master: [u8; 32] = bytes.try_into().map_err(|_| refused())?;
        Ok(Self::from_master(&master))
    }

    /// Reads the master key from `file`, or creates one there, readable only by the owner.
    ///
    /// # Errors
    /// [`Error::Internal`] with a message for the operator when the file cannot be read or written, or does not contain a key.
    pub fn from_file(file: &Path, clock: &Clock) -> Result<Self> {
        let told =
            |what: &str, error: &dyn fmt::Display| Error::Internal(format!("{what} the key file {}: {error}", file.display()));
        if file.exists() {
            let text = fs::read_to_string(file).map_err(|error| told("cannot read", &error))?;
            return Self::from_text(&text).map_err(|error| told("cannot use", &error));
        }
        let mut master = [0; 32];
        clock.fill(&mut master);
        create_private(file)
            .and_then(|mut created| {
                created.write_all(BASE64_STANDARD_NO_PAD.encode(master).as_bytes())?;
                created.sync_all()
            })
            .map_err(|error| told("cannot write", &error))?;
        Ok(Self::from_master(&master))
    }

    /// The keyed hash by which a national ID or phone number is looked up. `label` separates the kinds.
    pub fn lookup(&self, label: &str, value: &str) -> String {
        hex(&mac(&self.lookup, &[label.as_bytes(), b"\0", value.as_bytes()]))
    }

    /// The keyed hash of a password, which argon2 hashes instead of the password itself.
    pub fn peppered(&self, password: &str) -> [u8; 32] {
        mac(&self.pepper, &[password.as_bytes()])
    }

    /// Encrypts a text for display. `owner` is authenticated with it, so a ciphertext copied to another record cannot be
    /// decrypted.
    ///
    /// # Errors
    /// [`Error::Internal`] when the cipher fails, which happens only for texts of many gigabytes.
    pub fn seal(&self, clock: &Clock, owner: &str, text: &str) -> Result<String> {
        let mut nonce = [0; 24];
        clock.fill(&mut nonce);
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: text.as_bytes(), aad: owner.as_bytes() })
            .map_err(|_| Error::Internal("encryption failed".to_owned()))?;
        Ok(BASE64_STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts a text.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it was not sealed by [`Self::seal`] with this key for this owner.
    pub fn open(&self, owner: &str, sealed: &str) -> Result<String> {
        let damaged = || Error::Damaged("a sealed value does not open with the key in use".to_owned());
        let bytes = BASE64_STANDARD_NO_PAD.decode(sealed).map_err(|_| damaged())?;
        let (nonce, sealed) = bytes.split_first_chunk::<24>().ok_or_else(damaged)?;
        let opened =
            self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: owner.as_bytes() }).map_err(|_| damaged())?;
        String::from_utf8(opened).map_err(|_| damaged())
    }

    /// Encrypts a piece of a file. `place` identifies the file and the piece, so that pieces cannot be swapped.
    ///
    /// # Errors
    /// [`Error::Internal`] when the cipher fails, which happens only for pieces of many gigabytes.
    pub(crate) fn seal_piece(&self, clock: &Clock, place: &str, piece: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; 24];
        clock.fill(&mut nonce);
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: piece, aad: place.as_bytes() })
            .map_err(|_| Error::Internal("encryption failed".to_owned()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts a piece of a file.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it was not sealed by [`Self::seal_piece`] with this key for this place.
    pub(crate) fn open_piece(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let damaged = || Error::Damaged("a sealed file does not open with the key in use".to_owned());
        let (nonce, sealed) = sealed.split_first_chunk::<24>().ok_or_else(damaged)?;
        self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: place.as_bytes() }).map_err(|_| damaged())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// SHA-256 in hex: for tokens of full entropy, which need no key.
pub fn fingerprint(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()).into())
}

/// HMAC-SHA256 of the label under the master key. Switching to HKDF would change the three keys and make stored data unreadable,
/// so they keep this derivation. New keys should use HKDF.
fn derive(master: &[u8; 32], label: &[u8]) -> [u8; 32] {
    mac(master, &[label])
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("any length is a key");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

pub(crate) fn hex(bytes: &[u8; 32]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(unix)]
fn create_private(file: &Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

#[cfg(not(unix))]
fn create_private(file: &Path) -> std::io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_for_its_owner_only() {
        let keys = Keys::from_master(&[7; 32]);
        let clock = Clock::system();
        let sealed = keys.seal(&clock, "member-1", "051090001234").expect("seals");
        assert!(!sealed.contains("051090001234"));
        assert_eq!(keys.open("member-1", &sealed).expect("opens"), "051090001234");
        assert!(keys.open("member-2", &sealed).is_err());
        assert!(Keys::from_master(&[8; 32]).open("member-1", &sealed).is_err());
    }

    #[test]
    fn look_ups_of_different_kinds_have_different_hashes() {
        let keys = Keys::from_master(&[7; 32]);
        assert_eq!(keys.lookup("id", "1"), keys.lookup("id", "1"));
        assert_ne!(keys.lookup("id", "1"), keys.lookup("phone", "1"));
        assert_ne!(keys.lookup("id", "1"), fingerprint("1"));
    }

    #[test]
    fn the_key_file_is_made_once_and_is_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secret.key");
        let first = Keys::from_file(&file, &Clock::system()).expect("makes a key");
        let again = Keys::from_file(&file, &Clock::system()).expect("reads it");
        assert_eq!(first.lookup("id", "1"), again.lookup("id", "1"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).expect("exists").permissions().mode() & 0o777, 0o600);
        }
        fs::write(&file, "not a key").expect("writes");
        assert!(Keys::from_file(&file, &Clock::system()).is_err_and(|error| error.to_string().contains("secret.key")));
    }
}
