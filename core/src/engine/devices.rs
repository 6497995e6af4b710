//! The machine: what can compute, and how much memory is free.

/// What kind of device it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// The processor.
    Cpu,
    /// A graphics processor with memory of its own.
    Gpu,
    /// A graphics processor that shares the processor's memory.
    IntegratedGpu,
    /// Another accelerator.
    Accelerator,
}

/// Something that can compute.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Device {
    /// Its name, unique on this machine; what [`Offload`] names.
    pub name: String,
    /// For people.
    pub description: String,
    /// Its kind.
    pub kind: DeviceKind,
    /// Bytes of memory that are free, as far as the device tells.
    pub memory_free: u64,
    /// Bytes of memory in all.
    pub memory_total: u64,
    /// For a processor, the instruction set of the kernels that run on it.
    pub kernels: Option<String>,
}

/// Which part of a checkpoint a GPU holds and computes. By default as much as llama.cpp finds room for, on
/// the devices that it finds; on a machine or in a build without GPU, nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offload {
    /// The last so many layers; 0 for none, so that the processor computes alone; `None` for as many as fit.
    pub layers: Option<u32>,
    /// On the devices of these names alone, as in [`Device::name`]; empty for all.
    pub devices: Vec<String>,
}

impl Offload {
    /// Nothing: the processor computes alone.
    pub fn cpu_only() -> Self {
        Self { layers: Some(0), devices: Vec::new() }
    }
}

/// The devices of this machine that this build can use, the processor last.
///
/// # Errors
/// [`Error::Unsupported`](crate::Error::Unsupported) if the processor lacks what the build needs.
#[cfg(feature = "llama")]
pub fn devices() -> crate::Result<Vec<Device>> {
    super::llama::devices()
}

/// Bytes of memory that a new allocation can take without swapping, or `None` where the system does
/// not tell. On Linux and Android: the smaller of `MemAvailable` and what the control group allows.
pub fn available_memory() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let system = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)?;
    Some(system.min(control_group_memory().unwrap_or(u64::MAX)))
}

/// What the control group (version 2) of this process may still take.
fn control_group_memory() -> Option<u64> {
    let read = |name: &str| {
        std::fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?.trim().parse::<u64>().ok()
    };
    Some(read("memory.max")?.saturating_sub(read("memory.current")?))
}

/// How many threads compute best for weights of `bytes`: one for a checkpoint that the caches hold,
/// since handing work over costs more than it saves, else the cores of the machine, at most 8.
pub fn automatic_threads(bytes: u64) -> u32 {
    const CACHED: u64 = 16 << 20;
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    if bytes <= CACHED { 1 } else { cores.min(8) }
}
