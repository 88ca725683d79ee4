//! Whether the key in use is the one the store was filled with. With another one every look-up by national ID finds nobody: people who
//! are in the registry could be registered again, and nobody could sign in. So a store that is in use is opened with its own key only.

use std::path::Path;

use crate::{
    Clock, Error, Keys, Result,
    store::{Store, StoreError, SurrealValue, record, vars},
};

/// Where the key comes from.
pub enum KeySource<'k> {
    Given(Keys),
    /// A file, which is made for a store that is empty. Beside a store in use it must be there.
    File(&'k Path),
}

/// The key, once it is known to fit the store.
///
/// # Errors
/// [`Error::Key`] with a sentence for the operator when the file is missing beside a store in use, or the key is another one.
pub(crate) async fn settle(store: &Store, source: KeySource<'_>, clock: &Clock) -> Result<Keys> {
    let known = mark_of(store).await?;
    // Looked for only where nothing else tells: no index leads to it.
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
            // A store of before this check: what is sealed in it must open.
            if sealed.is_some_and(|row| keys.open(&row.id, &row.sealed).is_err()) {
                return Err(another(&name));
            }
            let vars = vars! { check: record("key_check", "1"), mark: mark.clone() };
            match store.write("CREATE $check SET mark = $mark RETURN NONE", vars).await {
                Ok(_) => Ok(keys),
                // Another process opened the empty store in the same moment.
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

/// Something that was sealed with the store's key.
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
