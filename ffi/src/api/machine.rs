//! The machine and this build.

use pinfold::Device;

use super::Result;

/// The version of Pinfold, e.g. `0.1.0`.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The devices of this machine that this build can use, the processor last.
///
/// # Errors
/// `Unsupported` if the processor lacks what the build needs.
#[uniffi::export]
pub fn devices() -> Result<Vec<Device>> {
    #[cfg(feature = "llama")]
    return Ok(pinfold::engine::devices::devices()?);
    #[cfg(not(feature = "llama"))]
    Ok(Vec::new())
}
