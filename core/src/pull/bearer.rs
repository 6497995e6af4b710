//! The tokens that registries give to anybody: <https://distribution.github.io/distribution/spec/auth/token/>.

use std::io::Read;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use ureq::Body;
use ureq::http::{HeaderMap, Response, Uri, header};

use super::fault::Fault;
use super::url;

/// Bytes of the answer at most; tokens take a few thousand.
const LIMIT: u64 = 1 << 18;

/// What `WWW-Authenticate: Bearer` asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

/// Reads the challenge of a 401; `None` if it is not one for a bearer token.
pub(super) fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    headers.get_all(header::WWW_AUTHENTICATE).iter().find_map(|value| parse(value.to_str().ok()?))
}

/// Reads `Bearer realm="...",service="...",scope="..."`.
fn parse(text: &str) -> Option<Challenge> {
    let (scheme, mut rest) = text.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut challenge = Challenge::default();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        let Some((key, after)) = rest.split_once('=') else { break };
        let value;
        (value, rest) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        let value = value.trim().to_owned();
        match key.trim().to_ascii_lowercase().as_str() {
            "realm" => challenge.realm = value,
            "service" => challenge.service = Some(value),
            "scope" => challenge.scope = Some(value),
            _ => {}
        }
    }
    (!challenge.realm.is_empty()).then_some(challenge)
}

#[derive(Deserialize)]
struct Granted {
    token: Option<String>,
    access_token: Option<String>,
}

/// Gets a token by `get`, which sends no secret.
pub(super) fn token(
    challenge: &Challenge,
    get: impl FnOnce(&Uri) -> Result<Response<Body>, Fault>,
) -> Result<String, Fault> {
    let mut address = challenge.realm.clone();
    for (key, value) in [("service", &challenge.service), ("scope", &challenge.scope)] {
        if let Some(value) = value {
            address.push(if address.contains('?') { '&' } else { '?' });
            address.push_str(key);
            address.push('=');
            address.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
    }
    let answer = url::parse(&address).and_then(|url| get(&url)).and_then(|answer| match answer.status() {
        status if status.is_success() && status.as_u16() == 200 => Ok(answer),
        status => Err(Fault::refusal(status, answer.headers())),
    });
    let answer =
        answer.map_err(|fault| fault.explain(|reason| format!("no access to the registry: {reason}")))?;
    let mut bytes = Vec::new();
    answer.into_body().into_reader().take(LIMIT).read_to_end(&mut bytes)?;
    let granted: Option<Granted> = serde_json::from_slice(&bytes).ok();
    let token = granted.and_then(|granted| granted.token.or(granted.access_token));
    token
        .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or_else(|| Fault::passing("the registry's token service gave no token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let full = Challenge {
            realm: "https://auth.example/token?x=1".to_owned(),
            service: Some("registry.example".to_owned()),
            scope: Some("repository:a/b:pull,push".to_owned()),
        };
        for text in [
            r#"Bearer realm="https://auth.example/token?x=1",service="registry.example",scope="repository:a/b:pull,push""#,
            r#"bearer  scope="repository:a/b:pull,push" , Realm="https://auth.example/token?x=1", error="x", service=registry.example"#,
        ] {
            assert_eq!(parse(text).as_ref(), Some(&full), "{text}");
        }
        for bad in [
            "",
            "Bearer",
            "Basic realm=\"x\"",
            "Bearer service=\"x\"",
            "Bearer realm=\"x",
            "Bearer realm=\"\"",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_token_is_asked_for_by_service_and_scope() {
        let challenge =
            parse(r#"Bearer realm="https://auth.example/t?x=1",service="a b",scope="r:a/b:pull""#).unwrap();
        let ask = |answer: &'static str| {
            token(&challenge, |url| {
                assert_eq!(
                    url.to_string(),
                    "https://auth.example/t?x=1&service=a%20b&scope=r%3Aa%2Fb%3Apull"
                );
                Ok(Response::new(Body::builder().data(answer)))
            })
        };
        assert_eq!(ask(r#"{"token": "abc", "expires_in": 60}"#).unwrap(), "abc");
        assert_eq!(ask(r#"{"access_token": "abc"}"#).unwrap(), "abc");
        for bad in ["", "{}", "[]", r#"{"token": ""}"#, r#"{"token": "a\r\nb"}"#] {
            assert!(matches!(ask(bad), Err(Fault::Passing { .. })), "{bad}");
        }
        let insecure = Challenge { realm: "http://auth.example/".to_owned(), ..Challenge::default() };
        assert!(matches!(token(&insecure, |_| unreachable!()), Err(Fault::Lasting(_))));
    }
}
