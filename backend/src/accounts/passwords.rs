//! Password hashing: argon2id over the peppered password, with limited concurrency, outside the async worker threads.

#[cfg(test)]
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version, password_hash::SaltString};
use domain::accounts::Password;
use tokio::sync::Semaphore;

use crate::{Clock, Error, Keys, Result};

/// The second recommendation of OWASP's password storage cheat sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Each hash takes 19 MiB and a core. A burst of sign-ins queues here instead of starving page requests.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Compared for accounts that do not exist, so that the response takes the same time. No password has this hash.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$aGFuZGJvb2stZGVjb3ktMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The number of comparisons of a password with a hash in this process; each test runs in its own process.
#[cfg(test)]
pub(super) static COMPARED: AtomicUsize = AtomicUsize::new(0);

pub(super) async fn hash(keys: &Keys, clock: &Clock, password: &Password) -> Result<String> {
    let peppered = keys.peppered(password.expose());
    let mut salt = [0; 16];
    clock.fill(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(failed)?;
    in_turn(move || Ok(argon2()?.hash_password(&peppered, &salt).map_err(failed)?.to_string())).await
}

/// Whether the hash is that of `password` in one of its spellings. Without a hash it takes the same time and returns false. The
/// number of comparisons depends only on the typed password.
pub(super) async fn verify(keys: &Keys, password: &Password, hash: Option<String>) -> Result<bool> {
    let peppered: Vec<_> = password.spellings().iter().map(|spelling| keys.peppered(spelling)).collect();
    in_turn(move || {
        let text = hash.as_deref().unwrap_or(DECOY);
        let parsed = PasswordHash::new(text).map_err(|_| Error::Damaged("the password of an account".to_owned()))?;
        let argon2 = argon2()?;
        let matches = peppered.iter().any(|peppered| {
            #[cfg(test)]
            COMPARED.fetch_add(1, Relaxed);
            argon2.verify_password(peppered, &parsed).is_ok()
        });
        Ok(matches && hash.is_some())
    })
    .await
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let turn = TURNS.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
    let done = tokio::task::spawn_blocking(move || {
        // Released when the work is done, not when the caller is dropped.
        let _turn = turn;
        work()
    });
    done.await.map_err(|error| Error::Internal(format!("hashing a password failed: {error}")))?
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: argon2::password_hash::Error) -> Error {
    Error::Internal(format!("hashing a password failed: {error}"))
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn password(text: &str) -> Password {
        Password::attempt(text).expect("a password")
    }

    #[tokio::test]
    async fn a_password_has_its_own_hash_only() {
        let keys = Keys::from_master(&[7; 32]);
        let hash = hash(&keys, &Clock::system(), &password("ca-voi-xanh-2026")).await.expect("hashes");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(&keys, &password("ca-voi-xanh-2026"), Some(hash.clone())).await.expect("verifies"));
        assert!(!verify(&keys, &password("ca-voi-xanh-2027"), Some(hash.clone())).await.expect("verifies"));
        let other_pepper = Keys::from_master(&[8; 32]);
        assert!(!verify(&other_pepper, &password("ca-voi-xanh-2026"), Some(hash)).await.expect("verifies"));
    }

    /// The former way of hashing passwords: the bytes as typed.
    fn hash_as_typed(keys: &Keys, typed: &str) -> String {
        let salt = SaltString::encode_b64(&[7; 16]).expect("a salt");
        argon2().expect("parameters").hash_password(&keys.peppered(typed), &salt).expect("hashes").to_string()
    }

    #[tokio::test]
    async fn a_password_verifies_from_three_keyboards() {
        let keys = Keys::from_master(&[7; 32]);
        let composed = "Mật khẩu bến đò 26";
        let apart: String = composed.nfd().collect();
        let windows = "M\u{e2}\u{323}t kh\u{e2}\u{309}u b\u{ea}\u{301}n \u{111}\u{f2} 26";
        let keyboards = [composed, &apart, windows];
        for chosen in keyboards {
            let now = hash(&keys, &Clock::system(), &password(chosen)).await.expect("hashes");
            for known in [now, hash_as_typed(&keys, chosen)] {
                for typed in keyboards {
                    assert!(verify(&keys, &password(typed), Some(known.clone())).await.expect("verifies"), "{chosen} {typed}");
                }
                assert!(!verify(&keys, &password("Mật khẩu bến đò 27"), Some(known)).await.expect("verifies"));
            }
        }
    }

    #[tokio::test]
    async fn the_decoy_costs_the_same_and_opens_nothing() {
        let parsed = PasswordHash::new(DECOY).expect("a hash");
        let params = Params::try_from(&parsed).expect("parameters");
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, LANES));
        assert_eq!(parsed.hash.expect("an output").len(), 32);
        let keys = Keys::from_master(&[7; 32]);
        assert!(!verify(&keys, &password("ca-voi-xanh-2026"), None).await.expect("verifies"));
    }
}
