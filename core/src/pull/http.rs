//! One HTTP client for one source: roots, proxies, redirects, and where its secret may go.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ureq::Body;
use ureq::http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};

use super::fault::Fault;
use super::options::PullOptions;
use super::routes::Routes;
use super::url::{self, Origin};
use super::{bearer, options, worker};
use crate::error::Result;

/// Redirects that are followed.
const REDIRECTS: usize = 10;

/// The longest that looking up a name and connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// A request's own headers.
pub(super) type Headers<'a> = &'a [(header::HeaderName, &'a str)];

/// The secret of a source, bound to an origin.
pub(super) enum Access {
    /// None.
    Open,
    /// A token of the user.
    Token { origin: Origin, token: String },
    /// What a registry gives to anybody who asks for it.
    Registry { origin: Origin, token: Mutex<Option<String>> },
}

/// A client; clones are the same one.
#[derive(Clone)]
pub(super) struct Client(Arc<Inner>);

struct Inner {
    routes: Routes,
    access: Access,
}

/// An answer, with those that redirected to it.
pub(super) struct Answer {
    /// At least one; the last is that of `body`.
    pub(super) hops: Vec<Hop>,
    pub(super) body: Body,
}

/// The head of one answer.
pub(super) struct Hop {
    pub(super) url: Uri,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

impl Hop {
    /// A header's text, if it is there once and readable.
    pub(super) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        match (all.next(), all.next()) {
            (Some(value), None) => value.to_str().ok().map(str::trim),
            _ => None,
        }
    }
}

impl Answer {
    pub(super) fn last(&self) -> &Hop {
        &self.hops[self.hops.len() - 1]
    }
}

impl Client {
    /// # Errors
    /// [`Error::Io`] and [`Error::InvalidOption`] for the certificates.
    pub(super) fn new(options: &PullOptions, access: Access) -> Result<Self> {
        let stall = Duration::from_millis(options.stall_timeout_ms.into());
        let routes =
            Routes::new(options::certificates(options.certificates.as_deref()).as_deref(), |config| {
                config
                    .input_buffer_size(worker::CHUNK)
                    .max_idle_connections(options.connections as usize)
                    .max_idle_connections_per_host(options.connections as usize)
                    .timeout_resolve(Some(stall.min(CONNECT)))
                    .timeout_connect(Some(stall.min(CONNECT)))
                    .timeout_per_read(Some(stall))
                    .timeout_per_write(Some(stall))
                    .timeout_recv_response(Some(stall * 2))
            })?;
        Ok(Self(Arc::new(Inner { routes, access })))
    }

    /// Breaks all its connections off. A thread that reads from one gets an error at once, one that is still
    /// connecting when that ends.
    pub(super) fn stop(&self) {
        self.0.routes.stop();
    }

    /// Sends a request and follows where it is redirected to.
    pub(super) fn send(&self, method: &Method, url: &Uri, headers: Headers<'_>) -> Result<Answer, Fault> {
        self.send_within(method, url, headers, |_| true)
    }

    /// The same, but a redirect that `follow` does not want is the answer.
    pub(super) fn send_within(
        &self,
        method: &Method,
        url: &Uri,
        headers: Headers<'_>,
        follow: impl Fn(&Uri) -> bool,
    ) -> Result<Answer, Fault> {
        let mut hops: Vec<Hop> = Vec::new();
        let mut url = url.clone();
        loop {
            let foreign = hops.first().is_some_and(|first| first.url.host() != url.host());
            let host = url.host().unwrap_or_default().to_owned();
            let elsewhere = |fault: Fault| match foreign {
                true => fault.explain(|reason| format!("{reason} (redirected to {host})")),
                false => fault,
            };
            let (head, body) = self.authorized(method, &url, headers).map_err(elsewhere)?.into_parts();
            let redirects = matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308);
            hops.push(Hop { url, status: head.status, headers: head.headers });
            let last = &hops[hops.len() - 1];
            let location = last.header(header::LOCATION).filter(|_| redirects);
            let Some(location) = location else { return Ok(Answer { hops, body }) };
            let next = url::follow(&last.url, location)?;
            if !follow(&next) {
                return Ok(Answer { hops, body });
            }
            if hops.len() > REDIRECTS {
                return Err(Fault::lasting(format!("it redirects more than {REDIRECTS} times")));
            }
            url = next;
        }
    }

    /// Sends one request with the secret, if that belongs there; asks a registry for one if it wants one.
    fn authorized(&self, method: &Method, url: &Uri, headers: Headers<'_>) -> Result<Response<Body>, Fault> {
        match &self.0.access {
            Access::Token { origin, token } if *origin == Origin::of(url) => {
                self.once(method, url, headers, Some(token))
            }
            Access::Registry { origin, token } if *origin == Origin::of(url) => {
                let held = || token.lock().unwrap_or_else(PoisonError::into_inner);
                let known = held().clone();
                let answer = self.once(method, url, headers, known.as_deref())?;
                let wanted = (answer.status() == StatusCode::UNAUTHORIZED)
                    .then(|| bearer::challenge(answer.headers()))
                    .flatten();
                let Some(challenge) = wanted else { return Ok(answer) };
                let fresh = bearer::token(&challenge, |url| self.once(&Method::GET, url, &[], None))?;
                *held() = Some(fresh.clone());
                self.once(method, url, headers, Some(&fresh))
            }
            _ => self.once(method, url, headers, None),
        }
    }

    /// Sends one request.
    fn once(
        &self,
        method: &Method,
        url: &Uri,
        headers: Headers<'_>,
        token: Option<&str>,
    ) -> Result<Response<Body>, Fault> {
        self.0.routes.run(url, || {
            let mut request = Request::builder().method(method).uri(url);
            for (name, value) in headers {
                request = request.header(name, *value);
            }
            if let Some(token) = token {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            request.body(()).map_err(|_| Fault::lasting("the request cannot be written as HTTP"))
        })
    }
}
