//! Checks that the key in use is the one the store was filled with. With another key every look-up by national ID finds nothing:
//! members of the registry could be registered again, and nobody could sign in. So a store in use is opened only with its own
//! key.

use std::path::Path;

use crate::{
    Clock, Error, Keys, Result,
    store::{Store, StoreError, SurrealValue, record, vars},
};

/// Permits the writes of this module: see [`Store::write_directly`].
pub(crate) struct DirectWrite(());

/// Where the key comes from.
pub enum KeySource<'k> {
    Given(Keys),
    /// A file. It is created for an empty store; for a store in use it must exist.
    File(&'k Path),
}

/// Returns the key after checking that it matches the store.
///
/// # Errors
/// [`Error::Key`] with a message for the operator when the file is missing for a store in use, or the key is another one.
pub(crate) async fn settle(store: &Store, source: KeySource<'_>, clock: &Clock) -> Result<Keys> {
    let known = mark_of(store).await?;
    // Read only when there is no mark: the query uses no index.
    let sealed = if known.is_none() { sealed_value(store).await? } else { None };
    let (keys, name) = match source {
        KeySource::Given(keys) => (keys, "the key given in the settings".to_owned()),
        KeySource::File(file) if !file.exists() && (known.is_some() || sealed.is_some()) => return Err(missing(file)),
        KeySource::File(file) => (Keys::from_file(file, clock)?, format!("the key in {}", file.display())),
    };
    let mark = keys.lookup("key check", "1");
    match known {
        Some(known) if known == mark => Ok(keys),
        Some(_) => Err(another(&name)),
        None => {
            // The store is older than this check: a value sealed in it must open.
            if sealed.is_some_and(|row| keys.open(&row.id, &row.sealed).is_err()) {
                return Err(another(&name));
            }
            let vars = vars! { check: record("key_check", "1"), mark: mark.clone() };
            match store.write_directly(DirectWrite(()), "CREATE $check SET mark = $mark RETURN NONE", vars).await {
                Ok(_) => Ok(keys),
                // Another process opened the empty store concurrently.
                Err(StoreError::Exists) if mark_of(store).await?.is_some_and(|known| known == mark) => Ok(keys),
                Err(StoreError::Exists) => Err(another(&name)),
                Err(error) => Err(error.into()),
            }
        }
    }
}

async fn mark_of(store: &Store) -> Result<Option<String>> {
    Ok(store.read("SELECT VALUE mark FROM $check", vars! { check: record("key_check", "1") }).await?.row(0)?)
}

#[derive(Debug, SurrealValue)]
struct SealedRow {
    id: String,
    sealed: String,
}

/// A value that was sealed with the store's key.
async fn sealed_value(store: &Store) -> Result<Option<SealedRow>> {
    let sql = "SELECT record::id(id) AS id, id_cipher ?? phone_cipher AS sealed FROM member \
               WHERE id_cipher != NONE OR phone_cipher != NONE LIMIT 1";
    Ok(store.read(sql, ()).await?.row(0)?)
}

fn missing(file: &Path) -> Error {
    Error::Key(format!(
        "the key file {} is missing, but the store is in use: without its key nobody could sign in, and people could be registered \
         twice. Put the file back from your backup, or give its content in HANDBOOK_SECRET, and start again. Nothing was changed",
        file.display()
    ))
}

fn another(name: &str) -> Error {
    Error::Key(format!(
        "{name} is not the one this store was filled with: nobody could sign in, and people could be registered twice. Put back the \
         secret.key that belongs to this data, or give its content in HANDBOOK_SECRET, and start again. Nothing was changed"
    ))
}
