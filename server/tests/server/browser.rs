//! A browser without script: cookies and the headers that browsers send. It follows redirects only on request.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use cookie::Cookie;
use reqwest::{Client, RequestBuilder, header::HeaderMap, redirect::Policy};

/// A response that has not ended by then never will.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
    address: SocketAddr,
    /// Path and value by name.
    cookies: BTreeMap<String, (String, String)>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the page is complete, with nothing after its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.body.starts_with("<!DOCTYPE html>")
            && self.body.ends_with("</body></html>")
            && self.body.matches("</html>").count() == 1
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.header("location")
    }
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let client = Client::builder().redirect(Policy::none()).timeout(PATIENCE).build().expect("a client");
        Self { client, address, cookies: BTreeMap::new() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Opens a page.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = self.client.get(self.url(path)).header("accept", "text/html,*/*;q=0.8");
        self.send(path, request).await
    }

    /// A request like those of our scripts.
    pub(crate) async fn get_json(&mut self, path: &str) -> Answer {
        let request = self.client.get(self.url(path)).header("accept", "application/json");
        self.send(path, request).await
    }

    /// Sends a form from the page `from`.
    pub(crate) async fn post(&mut self, path: &str, from: &str, form: &[(&str, &str)]) -> Answer {
        let request = self
            .client
            .post(self.url(path))
            .header("accept", "text/html,*/*;q=0.8")
            .header("referer", self.url(from))
            .header("sec-fetch-site", "same-origin")
            .form(form);
        self.send(path, request).await
    }

    pub(crate) async fn post_json(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self
            .client
            .post(self.url(path))
            .header("accept", "application/json")
            .header("sec-fetch-site", "same-origin")
            .form(form);
        self.send(path, request).await
    }

    /// Sends a form with a file, in a body that the caller built with the boundary `x`.
    pub(crate) async fn post_file(&mut self, path: &str, accept: &str, origin: &str, body: Vec<u8>) -> Answer {
        let request = self
            .client
            .post(self.url(path))
            .header("accept", accept)
            .header("content-type", "multipart/form-data; boundary=x")
            .header("sec-fetch-site", origin)
            .body(body);
        self.send(path, request).await
    }

    /// A custom request; only the cookies are added.
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().expect("a method");
        self.client.request(method, self.url(path)).header("cookie", self.cookies_for(path))
    }

    pub(crate) fn has_cookie(&self, name: &str) -> bool {
        self.cookies.contains_key(name)
    }

    async fn send(&mut self, path: &str, request: RequestBuilder) -> Answer {
        let response = request.header("cookie", self.cookies_for(path)).send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for line in headers.get_all("set-cookie") {
            self.keep(line.to_str().expect("text"));
        }
        // Compound terms have a non-breaking space; people read a space.
        let body = response.text().await.expect("a body").replace('\u{a0}', " ");
        Answer { status, headers, body }
    }

    fn cookies_for(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap_or(path);
        let fitting = self.cookies.iter().filter(|(_, (below, _))| path.starts_with(below.as_str()));
        fitting.map(|(name, (_, value))| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, line: &str) {
        let cookie = Cookie::parse(line).expect("a cookie");
        if cookie.max_age() == Some(cookie::time::Duration::ZERO) {
            self.cookies.remove(cookie.name());
        } else {
            let path = cookie.path().unwrap_or("/");
            self.cookies.insert(cookie.name().to_owned(), (path.to_owned(), cookie.value().to_owned()));
        }
    }
}
