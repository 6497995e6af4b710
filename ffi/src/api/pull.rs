//! How downloads are done.

use std::fmt;

/// How downloads are done.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct PullOptions {
    /// Connections for one file, 1 to 16.
    #[uniffi(default = 4)]
    pub connections: u32,
    /// Attempts at one source before the next is tried, 1 to 100. Those that brought bytes do not count.
    #[uniffi(default = 5)]
    pub attempts: u32,
    /// The address of the Hugging Face Hub; by default `HF_ENDPOINT` of the environment, or else
    /// `https://huggingface.co`.
    #[uniffi(default = None)]
    pub hub_endpoint: Option<String>,
    /// The Hub's access token; by default `HF_TOKEN` of the environment. It is sent to the endpoint only.
    #[uniffi(default = None)]
    pub hub_token: Option<String>,
    /// A PEM file of certificates that are trusted beside Mozilla's; by default `SSL_CERT_FILE` of the environment.
    #[uniffi(default = None)]
    pub certificates: Option<String>,
    /// Milliseconds without a byte after which a connection is given up.
    #[uniffi(default = 30000)]
    pub stall_timeout_ms: u32,
}

impl Default for PullOptions {
    fn default() -> Self {
        let plain = pinfold::PullOptions::default();
        Self {
            connections: plain.connections,
            attempts: plain.attempts,
            hub_endpoint: None,
            hub_token: None,
            certificates: None,
            stall_timeout_ms: plain.stall_timeout_ms,
        }
    }
}

impl fmt::Debug for PullOptions {
    /// Without the token, which is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PullOptions")
            .field("connections", &self.connections)
            .field("attempts", &self.attempts)
            .field("hub_endpoint", &self.hub_endpoint)
            .field("certificates", &self.certificates)
            .field("stall_timeout_ms", &self.stall_timeout_ms)
            .finish_non_exhaustive()
    }
}

impl From<PullOptions> for pinfold::PullOptions {
    fn from(options: PullOptions) -> Self {
        let PullOptions { connections, attempts, hub_endpoint, hub_token, certificates, stall_timeout_ms } =
            options;
        let certificates = certificates.map(Into::into);
        Self {
            connections,
            attempts,
            hub_endpoint,
            hub_token,
            certificates,
            stall_timeout_ms,
            ..Self::default()
        }
    }
}
