//! Addresses: which may be asked, which are of the same origin, and where a redirect leads.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use ureq::http::Uri;
use ureq::http::uri::Scheme;

use super::fault::Fault;

/// What may not stand in a path or query as it is; an escape that is there already stays.
const LOOSE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`');

/// Scheme, host and port: what a secret is bound to (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    tls: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of an address that [`parse`] or [`follow`] gave.
    pub(super) fn of(url: &Uri) -> Self {
        let tls = url.scheme() == Some(&Scheme::HTTPS);
        let host = url.host().unwrap_or_default().to_ascii_lowercase();
        Self { tls, host, port: url.port_u16().unwrap_or(if tls { 443 } else { 80 }) }
    }
}

/// Reads an address: `https`, or `http` to this machine, without a user name or password.
pub(super) fn parse(text: &str) -> Result<Uri, Fault> {
    let text = text.split('#').next().unwrap_or_default();
    let url: Uri = utf8_percent_encode(text, LOOSE)
        .to_string()
        .parse()
        .map_err(|_| Fault::lasting("the address is malformed"))?;
    let Some(authority) = url.authority() else {
        return Err(Fault::lasting("the address names no host"));
    };
    if authority.as_str().contains('@') {
        return Err(Fault::lasting("the address carries a user name or password, which may not stand in it"));
    }
    match url.scheme_str() {
        Some("https") => Ok(url),
        Some("http") if is_this_machine(&url) => Ok(url),
        Some("http") => Err(Fault::lasting("http is not secure: use https")),
        _ => Err(Fault::lasting("only https is supported")),
    }
}

/// Whether the host is this machine, by its name or number.
pub(crate) fn is_this_machine(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The address that `location` means in an answer of `base` (RFC 3986, section 5.2).
pub(super) fn follow(base: &Uri, location: &str) -> Result<Uri, Fault> {
    let scheme = base.scheme_str().unwrap_or_default();
    let authority = base.authority().map_or("", |authority| authority.as_str());
    let absolute = location.split_once("://").is_some_and(|(scheme, _)| !scheme.contains(['/', '?', '#']));
    let text = if absolute {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.starts_with('?') {
        format!("{scheme}://{authority}{}{location}", base.path())
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{}", without_dots(&format!("{folder}/{location}")))
    };
    let url = parse(&text)?;
    // A foreign server must not make this machine ask its own, unencrypted services.
    if url.scheme() == Some(&Scheme::HTTP) && !is_this_machine(base) {
        return Err(Fault::lasting("it redirects from https to http"));
    }
    Ok(url)
}

/// A path with its `.` and `..` resolved; a query is left as it is.
fn without_dots(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secure_addresses_are_read() {
        for good in
            ["https://a.example/b?c=d", "http://localhost:1/x", "http://127.0.0.1/", "http://[::1]:8/"]
        {
            assert_eq!(parse(good).unwrap().to_string(), good);
        }
        assert_eq!(parse("https://a.example/ä b%20c#d").unwrap().path(), "/%C3%A4%20b%20c");
        for bad in [
            "",
            "x",
            "/x",
            "https://",
            "ftp://a.example/",
            "http://a.example/",
            "http://127.0.0.1.example/",
            "https://user:secret@a.example/",
        ] {
            let fault = parse(bad).unwrap_err();
            assert!(
                matches!(&fault, Fault::Lasting(reason) if !reason.contains("secret")),
                "{bad}: {fault:?}"
            );
        }
    }

    #[test]
    fn redirects_are_resolved() {
        let base: Uri = "https://a.example:8443/b/c?d".parse().unwrap();
        for (location, url) in [
            ("https://x.example/y", "https://x.example/y"),
            ("//x.example/y", "https://x.example/y"),
            ("/y?z=https://q", "https://a.example:8443/y?z=https://q"),
            ("?z", "https://a.example:8443/b/c?z"),
            ("y", "https://a.example:8443/b/y"),
            ("../../y/./z?a=../b", "https://a.example:8443/y/z?a=../b"),
        ] {
            assert_eq!(follow(&base, location).unwrap().to_string(), url, "{location}");
        }
        for bad in ["http://x.example/", "http://127.0.0.1/", "file:///etc/passwd", "http://"] {
            assert!(follow(&base, bad).is_err(), "{bad}");
        }
        let here: Uri = "https://localhost/".parse().unwrap();
        assert!(follow(&here, "http://127.0.0.1/").is_ok());
    }

    #[test]
    fn origins_know_the_default_ports_and_no_case() {
        let origin = |url: &str| Origin::of(&url.parse().unwrap());
        assert_eq!(origin("https://A.example/x"), origin("https://a.example:443/y"));
        for other in ["http://a.example:443/", "https://a.example:444/", "https://b.a.example/"] {
            assert_ne!(origin("https://a.example/"), origin(other));
        }
    }
}
