//! The backend that asks a server which understands OpenAI's chat completions
//! (<https://platform.openai.com/docs/api-reference/chat>).

mod answer;
mod body;
mod options;
mod receive;
mod sse;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::Uri;

pub use options::{Dialect, OpenAiOptions};
pub use sse::EventStream;

use super::tools::Tools;
use super::{Backend, Reply, Request, bad, output};
use crate::error::{Error, Result};
use crate::pull::fault::Fault;
use crate::pull::options::certificates;
use crate::pull::retry::Retry;
use crate::pull::routes::Routes;
use crate::runtime::FinishReason;
use answer::Answer;
use receive::Receiving;

/// Connections that wait for the next request.
const IDLE: usize = 8;

/// A server that understands OpenAI's chat completions.
///
/// The conversation is sent as it is, and the server's own chat template writes the prompt: sealed texts stand in
/// the contents of messages only. What a server is not known to take is an error and never left out: filters of
/// sampling beyond OpenAI's (see [`Dialect`]), biases of tokens, documents, variables of the chat template. An
/// output is told to the server where it has a way (a JSON schema; GBNF on a llama-server) and checked afterwards in
/// any case. What an assistant thought before (`reasoning`) is not sent.
///
/// A request is tried again as long as nothing was answered, and can be cancelled at any time. Redirects are not
/// followed. The key is in no error, log or name.
pub struct OpenAi {
    url: Uri,
    model: String,
    options: OpenAiOptions,
    key: Option<String>,
    /// One for each request that was under way at once.
    routes: Mutex<Vec<Arc<Routes>>>,
}

impl OpenAi {
    /// A server by its address (`https://api.openai.com/v1`) and the name of one of its models.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for the address, the key or an option, [`Error::Io`] for the certificates.
    pub fn new(url: &str, model: impl Into<String>, options: OpenAiOptions) -> Result<Self> {
        options.validate()?;
        let url = options::address(url)?;
        let key = options.key(&url)?;
        let this = Self { url, model: model.into(), options, key, routes: Mutex::default() };
        let routes = this.routes()?;
        this.give_back(routes);
        Ok(this)
    }

    fn routes(&self) -> Result<Arc<Routes>> {
        let idle = self.routes.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(routes) = idle {
            return Ok(routes);
        }
        let connect = Duration::from_millis(self.options.connect_timeout_ms.into());
        let file = certificates(self.options.certificates.as_deref());
        let routes = Routes::new(file.as_deref(), |config| {
            config.timeout_resolve(Some(connect)).timeout_connect(Some(connect))
        })?;
        Ok(Arc::new(routes))
    }

    fn give_back(&self, routes: Arc<Routes>) {
        let mut idle = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(routes);
        }
    }

    /// The server, without path or secret.
    fn host(&self) -> String {
        self.url.authority().map_or_else(String::new, |authority| authority.as_str().to_owned())
    }

    /// Asks, again if that may help, and gives the answer.
    fn ask(&self, request: &Request, body: Arc<Vec<u8>>, show: &mut dyn FnMut(&str)) -> Result<Answer> {
        let deadline = Instant::now() + Duration::from_millis(self.options.total_timeout_ms.into());
        let mut retry = Retry::new(self.options.attempts, self.options.backoff_ms);
        loop {
            let mut receiving =
                Receiving { backend: self, request, show, deadline, shown: false, status: None };
            let fault = match receiving.answer(&body) {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            let (shown, status) = (receiving.shown, receiving.status);
            let failed = |reason: String| Error::BackendFailed { backend: self.host(), status, reason };
            let fault = match fault {
                Fault::Local(error) => return Err(error),
                Fault::Passing { reason, .. } if shown => {
                    Fault::Lasting(format!("the answer broke off: {reason}"))
                }
                fault => fault,
            };
            if let Err(fault) = retry.failed(fault) {
                return Err(failed(fault.into_reason()?));
            }
            while Instant::now() < retry.not_before() {
                request.cancel.check()?;
                if Instant::now() >= deadline {
                    return Err(failed("no answer in time (total_timeout_ms)".to_owned()));
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

impl std::fmt::Debug for OpenAi {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OpenAi").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl Backend for OpenAi {
    fn name(&self) -> String {
        let base = self.url.to_string();
        format!("{}#{}", base.trim_end_matches("/chat/completions"), self.model)
    }

    fn reply(&self, request: &Request, show: &mut dyn FnMut(&str)) -> Result<Reply> {
        let started = Instant::now();
        request.cancel.check()?;
        let tools = Tools::new(&request.conversation.tools)?;
        let body = body::body(request, &self.model, &self.options)?.to_string();
        let answer = self.ask(request, Arc::new(body.into_bytes()), show)?;
        let mut reply = Reply {
            text: answer.text,
            value: None,
            tool_calls: Vec::new(),
            finish: answer.finish.unwrap_or(FinishReason::EndOfGeneration),
            prompt_tokens: answer.prompt_tokens,
            cached_tokens: answer.cached_tokens,
            generated_tokens: answer.generated_tokens,
            neutralized: None,
            seconds: started.elapsed().as_secs_f64(),
        };
        for call in answer.calls.into_values() {
            match tools.call(call.id, &call.name, call.arguments.into()) {
                Ok(call) => reply.tool_calls.push(call),
                Err(reason) if reply.finish == FinishReason::Length => {
                    return Err(bad(&reply, reason + "; the length was reached"));
                }
                Err(reason) => return Err(bad(&reply, reason)),
            }
        }
        output(request, &mut reply)?;
        Ok(reply)
    }
}
