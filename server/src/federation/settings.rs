//! Settings of the `OpenID` Connect providers, from the file named by `HANDBOOK_OIDC`.

use std::{env, fmt, fs, path::Path};

use anyhow::{Context, Result, anyhow, bail, ensure};
use openidconnect::{
    IssuerUrl,
    url::{Host, Url},
};
use serde::Deserialize;

/// The contents of the file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address people use, `https://sotay.example.vn`. By default the listening address, for trying out.
    pub origin: Option<Url>,
    #[serde(default, rename = "provider")]
    pub providers: Vec<ProviderSettings>,
}

/// An `OpenID` Connect provider.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// Its name in addresses: lower-case letters, digits and dashes.
    pub key: String,
    /// Its display name.
    pub name: String,
    /// Must equal the provider's issuer identifier exactly.
    pub issuer: IssuerUrl,
    pub client_id: String,
    pub client_secret: Option<String>,
    /// The environment variable with the secret, instead of the file.
    pub client_secret_from: Option<String>,
    /// Scopes requested in addition to `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The claim of the ID token that holds the national ID.
    #[serde(default = "default_claim")]
    pub claim: String,
    /// Further hosts, `name` or `name:port`, on which the provider has its pages and keys.
    #[serde(default)]
    pub hosts: Vec<String>,
}

fn default_claim() -> String {
    "national_id".to_owned()
}

/// Omits the secret.
impl fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderSettings").field("key", &self.key).field("issuer", &self.issuer.as_str()).finish_non_exhaustive()
    }
}

impl Settings {
    /// # Errors
    /// A sentence for the operator that names the file, never a secret.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read the providers' file {}", file.display()))?;
        Self::parse(&text, |name| env::var(name).ok())
            .with_context(|| format!("cannot use the providers' file {}", file.display()))
    }

    fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        // The error's own text shows the line, which may hold a secret.
        let mut settings: Self = toml::from_str(text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
            anyhow!("line {line}: {}", error.message())
        })?;
        if let Some(origin) = &settings.origin {
            ensure!(is_protected(origin), "origin must begin with https://");
        }
        let mut keys = Vec::new();
        for provider in &mut settings.providers {
            let key = provider.key.clone();
            ensure!(!keys.contains(&key), "two providers have the key {key}");
            provider.check(&variable).with_context(|| format!("provider {key:?}"))?;
            keys.push(key);
        }
        Ok(settings)
    }
}

impl ProviderSettings {
    fn check(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<()> {
        let is_key = !self.key.is_empty() && self.key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        ensure!(is_key, "key: only small letters, digits and dashes");
        ensure!(!self.name.trim().is_empty(), "name: it is empty");
        ensure!(is_protected(self.issuer.url()), "issuer: it must begin with https://");
        ensure!(!self.claim.is_empty(), "claim: it is empty");
        self.client_secret = match (self.client_secret.take(), &self.client_secret_from) {
            (Some(_), Some(_)) => bail!("client_secret and client_secret_from: give one of them"),
            (secret, None) => secret,
            (None, Some(name)) => {
                Some(variable(name).ok_or_else(|| anyhow!("client_secret_from: the variable {name} is not set"))?)
            }
        };
        self.origins().map(|_| ())
    }

    /// Where requests may go: the issuer's host and the further hosts.
    pub(super) fn origins(&self) -> Result<Vec<Url>> {
        let scheme = self.issuer.url().scheme();
        let listed = self.hosts.iter().map(|host| {
            let url = Url::parse(&format!("{scheme}://{host}")).ok().filter(|url| url.path() == "/" && url.username().is_empty());
            url.ok_or_else(|| anyhow!("hosts: {host:?} is not a host"))
        });
        std::iter::once(Ok(self.issuer.url().clone())).chain(listed).collect()
    }
}

/// Whether the connection is encrypted or does not leave this machine.
pub(crate) fn is_protected(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        origin = "https://sotay.example.vn"
        [[provider]]
        key = "vneid"
        name = "VNeID"
        issuer = "https://sso.example.vn/oidc"
        client_id = "handbook"
        client_secret = "open-sesame"
        scopes = ["profile"]
        hosts = ["keys.example.vn:8443"]
    "#;

    fn parse(text: &str) -> Result<Settings> {
        Settings::parse(text, |name| (name == "VNEID_SECRET").then(|| "from-outside".to_owned()))
    }

    fn refusal(text: &str) -> String {
        format!("{:#}", parse(text).expect_err("is refused"))
    }

    #[test]
    fn a_provider_is_read_with_its_defaults() {
        let settings = parse(FILE).expect("reads");
        let provider = &settings.providers[0];
        assert_eq!((provider.claim.as_str(), provider.client_secret.as_deref()), ("national_id", Some("open-sesame")));
        let origins = provider.origins().expect("hosts");
        assert_eq!(origins[1].as_str(), "https://keys.example.vn:8443/");
        assert!(!format!("{settings:?}").contains("open-sesame"));
    }

    #[test]
    fn a_secret_may_come_from_a_variable() {
        let from = |name: &str| FILE.replace("client_secret = \"open-sesame\"", &format!("client_secret_from = \"{name}\""));
        let settings = parse(&from("VNEID_SECRET")).expect("reads");
        assert_eq!(settings.providers[0].client_secret.as_deref(), Some("from-outside"));
        assert!(refusal(&from("OTHER")).contains("the variable OTHER is not set"));
    }

    #[test]
    fn an_error_names_the_setting_without_the_secret() {
        for (from, to, told) in [
            ("https://sso", "http://sso", "issuer: it must begin with https://"),
            ("\"vneid\"", "\"VNeID\"", "key: only small letters"),
            ("https://sotay", "ftp://sotay", "origin must begin with https://"),
            ("keys.example.vn:8443", "keys.example.vn/path", "is not a host"),
            ("client_secret = \"open-sesame\"", "client_secret = open-sesame", "line 8"),
            ("scopes", "scope", "line 9"),
        ] {
            let sentence = refusal(&FILE.replace(from, to));
            assert!(sentence.contains(told) && !sentence.contains("open-sesame"), "{sentence}");
        }
        let twice = format!("{FILE}{}", &FILE[FILE.find("[[").expect("a table")..]);
        assert!(refusal(&twice).contains("two providers have the key vneid"));
    }

    #[test]
    fn a_provider_on_this_machine_needs_no_encryption() {
        for (url, protected) in [
            ("http://127.0.0.1:4000", true),
            ("http://[::1]:1", true),
            ("http://localhost", true),
            ("http://localhost.example", false),
        ] {
            assert_eq!(is_protected(&Url::parse(url).expect("a URL")), protected, "{url}");
        }
    }
}
