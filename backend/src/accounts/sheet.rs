//! The printable sheet of issued codes. It can be opened for ten minutes, only by the issuer and on the same device: long enough
//! to refill a printer, and short enough that a later user of the device does not find it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::{
        Viewer,
        codes::{CodeCard, CodeSheet, QrPath, grouped, last_day},
    },
    ids::{MemberId, UnitId},
};
use qrcode::{Color, EcLevel, QrCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Accounts, IssuedCode, new_token};
use crate::{
    Error, Keys, Result,
    change::Change,
    keys::fingerprint,
    store::{SurrealValue, record, vars},
};

const SHOWN: TimeDelta = TimeDelta::minutes(10);

/// The sealed content of a sheet.
#[derive(Serialize, Deserialize)]
struct Sheet {
    issued_by: MemberId,
    unit: UnitId,
    expires_at: DateTime<Utc>,
    /// Pairs of name and code.
    codes: Vec<(String, String)>,
}

#[derive(Debug, SurrealValue)]
struct SheetRow {
    content: String,
    expires_at: DateTime<Utc>,
}

impl Accounts<'_> {
    /// Stores newly issued codes for [`Self::sheet`] and returns the token that opens them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there are none.
    pub async fn keep_sheet(&self, viewer: &Viewer, issued: &[IssuedCode]) -> Result<String> {
        let first = issued.first().ok_or(Error::NotFound)?;
        let clock = self.backend.clock();
        let sheet = Sheet {
            issued_by: viewer.member,
            unit: first.unit.id,
            expires_at: first.expires_at,
            codes: issued.iter().map(|issued| (issued.name.clone(), issued.code.clone())).collect(),
        };
        let text = serde_json::to_string(&sheet).map_err(|error| Error::Internal(error.to_string()))?;
        let token = new_token(clock);
        let id = fingerprint(&token);
        let row = SheetRow { content: self.key_of(&token).seal(clock, &id, &text)?, expires_at: clock.now() + SHOWN };
        let vars = vars! { sheet: record("code_sheet", &id), row: row };
        self.backend.transact(Change::new("CREATE $sheet CONTENT $row RETURN NONE;", vars)).await?;
        Ok(token)
    }

    /// The cards of codes issued within the last ten minutes. `origin` is the public address of the handbook, `https://host`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the sheet has expired, or another person issued the codes.
    pub async fn sheet(&self, viewer: &Viewer, token: &str, origin: &str) -> Result<CodeSheet> {
        let id = fingerprint(token);
        let sql = "SELECT content, expires_at FROM $sheet";
        let found: Option<SheetRow> = self.backend.store().read(sql, vars! { sheet: record("code_sheet", &id) }).await?.row(0)?;
        let row = found.filter(|row| row.expires_at > self.backend.clock().now()).ok_or(Error::NotFound)?;
        let text = self.key_of(token).open(&id, &row.content)?;
        let sheet: Sheet = serde_json::from_str(&text).map_err(|error| Error::Damaged(format!("a sheet of codes: {error}")))?;
        if sheet.issued_by != viewer.member {
            return Err(Error::NotFound);
        }
        let unit = self.backend.units().tree().get(sheet.unit).cloned().ok_or(Error::NotFound)?;
        let card = |(name, code): (String, String)| {
            let code = grouped(&code);
            Ok(CodeCard { qr: qr(&format!("{origin}/welcome?code={code}"))?, name, code })
        };
        let cards = sheet.codes.into_iter().map(card).collect::<Result<_>>()?;
        let address = origin.split_once("://").map_or(origin, |(_, host)| host).to_owned();
        let expires_on = last_day(sheet.expires_at);
        Ok(CodeSheet { unit, address, expires_on, cards })
    }

    /// Derived from the token in the cookie and the pepper: neither a copy of the store nor the key file alone can open a sheet.
    fn key_of(&self, token: &str) -> Keys {
        Keys::from_master(&Sha256::digest(self.backend.keys().peppered(token)).into())
    }
}

/// Draws a QR code as one path, with a strip for each run of dark modules in a row.
fn qr(text: &str) -> Result<QrPath> {
    use std::fmt::Write;
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|error| Error::Internal(format!("an address does not fit a QR code: {error}")))?;
    let width = code.width();
    let colors = code.to_colors();
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        for strip in row.chunk_by(|one, other| one == other) {
            if strip[0] == Color::Dark {
                let _ = write!(path, "M{x} {y}h{0}v1h-{0}z", strip.len());
            }
            x += strip.len();
        }
    }
    Ok(QrPath { width: u32::try_from(width).unwrap_or_default(), path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_is_drawn_module_by_module() {
        let text = "https://sotay.example/welcome?code=ACDEF-23456";
        let drawn = qr(text).expect("fits");
        let code = QrCode::with_error_correction_level(text, EcLevel::M).expect("fits");
        let dark = code.to_colors().into_iter().filter(|color| *color == Color::Dark).count();
        let strips: usize = drawn
            .path
            .split('h')
            .skip(1)
            .step_by(2)
            .map(|rest| rest.split('v').next().unwrap_or_default().parse::<usize>().expect("a length"))
            .sum();
        assert_eq!(strips, dark);
        assert!(drawn.path.starts_with("M0 0h7v1h-7z"), "the finder in the corner: {}", &drawn.path[..20]);
    }
}
