//! The ways to a server: through which roots it is trusted, and whether a proxy is asked.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ureq::config::ConfigBuilder;
use ureq::http::{Request, Response, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::AgentScope;
use ureq::{Agent, AsSendBody, Body, Proxy};

use super::fault::{self, Fault};
use super::url;
use crate::error::{Error, Result};

/// Agents that give every answer as it is: no redirect is followed, no status is an error.
pub(crate) struct Routes {
    /// One for each set of roots: Mozilla's, then the user's. ureq cannot join them.
    routes: Vec<Route>,
    /// The set that the last server was trusted by.
    trusted: AtomicUsize,
}

struct Route {
    /// To this machine. No proxy is asked: its `localhost` would be another one.
    direct: Agent,
    /// To all others.
    outside: Agent,
}

impl Routes {
    /// Agents that trust Mozilla's roots and those of a PEM file; `configure` gives the rest, e.g. time-outs.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::InvalidOption`] for the certificates.
    pub(crate) fn new(
        certificates: Option<&Path>,
        configure: impl Fn(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope>,
    ) -> Result<Self> {
        let mut roots = vec![RootCerts::WebPki];
        if let Some(path) = certificates {
            roots.push(read_roots(path)?);
        }
        let proxy = Proxy::try_from_env();
        let routes = roots.into_iter().map(|roots| {
            let tls = TlsConfig::builder().root_certs(roots).build();
            let agent = |proxy| {
                let config = Agent::config_builder()
                    .tls_config(tls.clone())
                    .proxy(proxy)
                    .http_status_as_error(false)
                    .max_redirects(0)
                    .max_redirects_will_error(false)
                    .user_agent(concat!("pinfold/", env!("CARGO_PKG_VERSION")))
                    .accept_encoding("identity");
                Agent::new_with_config(configure(config).build())
            };
            Route { direct: agent(None), outside: agent(proxy.clone()) }
        });
        Ok(Self { routes: routes.collect(), trusted: AtomicUsize::new(0) })
    }

    /// Breaks all connections off, for good. A thread that reads from one gets an error at once, one that is
    /// still connecting when that ends.
    pub(crate) fn stop(&self) {
        for route in &self.routes {
            route.direct.clone().shutdown();
            route.outside.clone().shutdown();
        }
    }

    /// Sends the request that `build` makes, again by other roots if the server is not trusted by the first.
    pub(crate) fn run<B: AsSendBody>(
        &self,
        url: &Uri,
        build: impl Fn() -> Result<Request<B>, Fault>,
    ) -> Result<Response<Body>, Fault> {
        let first = self.trusted.load(Ordering::Relaxed);
        let count = self.routes.len();
        let mut tries = (0..count).map(|index| (first + index) % count).peekable();
        while let Some(index) = tries.next() {
            let route = &self.routes[index];
            let agent = if url::is_this_machine(url) { &route.direct } else { &route.outside };
            match agent.run(build()?) {
                Err(ureq::Error::Io(error)) if fault::is_distrust(&error) && tries.peek().is_some() => {}
                Err(error) => return Err(error.into()),
                Ok(answer) => {
                    self.trusted.store(index, Ordering::Relaxed);
                    return Ok(answer);
                }
            }
        }
        Err(Fault::lasting("no certificate is trusted"))
    }
}

/// The certificates of a PEM file.
fn read_roots(path: &Path) -> Result<RootCerts> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let bad = |what: &str| Error::option("certificates", format!("{}: {what}", path.display()));
    let mut roots: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&bytes) {
        if let PemItem::Certificate(root) = item.map_err(|_| bad("not a PEM file of certificates"))? {
            roots.push(root);
        }
    }
    if roots.is_empty() {
        return Err(bad("there is no certificate in it; it has to be in PEM form"));
    }
    Ok(RootCerts::new_with_certs(&roots))
}
