//! llama.cpp as a whole: started once, with the CPU kernels that are best for this machine.

use std::sync::OnceLock;

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::{LlamaBackendDevice, LlamaBackendDeviceType, list_llama_ggml_backend_devices};
use llama_cpp_sys_2 as sys;

use super::log;
use crate::engine::devices::{Device, DeviceKind, Offload};
use crate::error::{Error, Result};

/// The started library; it lives as long as the process.
pub(super) struct Backend {
    _llama: LlamaBackend,
    /// The instruction set of the CPU kernels.
    pub kernels: &'static str,
}

/// Starts llama.cpp at the first call.
///
/// # Errors
/// [`Error::Unsupported`] if the processor lacks what the build needs.
pub(super) fn start() -> Result<&'static Backend> {
    static BACKEND: OnceLock<Result<Backend, String>> = OnceLock::new();
    BACKEND
        .get_or_init(|| {
            let missing = pinfold_kernels::missing_baseline();
            if !missing.is_empty() {
                return Err(format!("this processor has no {}, which this build needs", missing.join(", ")));
            }
            log::install();
            let llama = LlamaBackend::init().map_err(|error| error.to_string())?;
            Ok(Backend { _llama: llama, kernels: choose_kernels() })
        })
        .as_ref()
        .map_err(|what| Error::Unsupported { what: what.clone() })
}

/// The name of the kernels that llama-cpp-sys-2 builds.
const BASELINE: &str = "baseline";

/// The builds of the CPU kernels that this machine runs, the fastest last. The environment variable
/// `PINFOLD_KERNELS` forces one of them, for tests.
pub fn kernels() -> Vec<&'static str> {
    let variants = pinfold_kernels::variants().into_iter().filter(|variant| variant.runs_here);
    std::iter::once(BASELINE).chain(variants.map(|variant| variant.name)).collect()
}

/// Puts the fastest build of the CPU backend that runs here in the place of the one that
/// llama-cpp-sys-2 registered.
fn choose_kernels() -> &'static str {
    let asked = std::env::var("PINFOLD_KERNELS").ok();
    let variant = match asked.as_deref() {
        Some(name) => pinfold_kernels::variants().into_iter().find(|v| v.name == name && v.runs_here),
        None => pinfold_kernels::best(),
    };
    let Some(variant) = variant else { return BASELINE };
    // SAFETY: the variant runs here; no model is loaded yet, so nobody holds the old device.
    unsafe {
        let old = sys::ggml_backend_reg_by_name(c"CPU".as_ptr());
        let new = (variant.register)().cast();
        sys::ggml_backend_register(new);
        if !old.is_null() && old != new {
            sys::ggml_backend_unload(old);
        }
    }
    variant.name
}

/// The devices of this machine that this build can use, the processor last.
///
/// # Errors
/// [`Error::Unsupported`] if the processor lacks what the build needs.
pub fn devices() -> Result<Vec<Device>> {
    let backend = start()?;
    let mut devices: Vec<Device> = list_llama_ggml_backend_devices()
        .into_iter()
        .map(|device| {
            let kind = match device.device_type {
                LlamaBackendDeviceType::Cpu => DeviceKind::Cpu,
                LlamaBackendDeviceType::Gpu => DeviceKind::Gpu,
                LlamaBackendDeviceType::IntegratedGpu => DeviceKind::IntegratedGpu,
                _ => DeviceKind::Accelerator,
            };
            Device {
                name: device.name,
                description: device.description,
                kind,
                memory_free: device.memory_free as u64,
                memory_total: device.memory_total as u64,
                kernels: (kind == DeviceKind::Cpu).then(|| backend.kernels.to_owned()),
            }
        })
        .collect();
    devices.sort_by_key(|device| device.kind == DeviceKind::Cpu);
    Ok(devices)
}

/// What computes with these options, see [`Weights::backend`](crate::engine::Weights::backend).
///
/// # Errors
/// Those of [`start`].
pub(super) fn name(offload: &Offload) -> Result<String> {
    use std::env::consts::{ARCH, OS};
    let cpu = format!("cpu {ARCH}-{OS} {}", start()?.kernels);
    let mut gpus = list_llama_ggml_backend_devices();
    gpus.retain(|device| {
        let kind = device.device_type;
        matches!(kind, LlamaBackendDeviceType::Gpu | LlamaBackendDeviceType::IntegratedGpu)
            && (offload.devices.is_empty() || offload.devices.contains(&device.name))
    });
    if gpus.is_empty() || offload.layers == Some(0) {
        return Ok(cpu);
    }
    let name = |gpu: LlamaBackendDevice| format!("{} {}", gpu.backend.to_lowercase(), gpu.description);
    let gpus = gpus.into_iter().map(name).collect::<Vec<_>>().join(" + ");
    Ok(match offload.layers {
        Some(layers) => format!("{gpus} ({layers} layers) + {cpu}"),
        None => gpus,
    })
}

/// Whether anything but the processor computes.
pub(super) fn has_gpu() -> bool {
    list_llama_ggml_backend_devices().iter().any(|device| device.device_type != LlamaBackendDeviceType::Cpu)
}

/// A function of the CPU backend in use, by its name.
///
/// # Safety
/// `F` is the function's type, as ggml declares it.
pub(super) unsafe fn cpu_function<F: Copy>(name: &std::ffi::CStr) -> Option<F> {
    assert_eq!(size_of::<F>(), size_of::<*mut std::ffi::c_void>());
    // SAFETY: the registry is started; a null device or address is handled.
    unsafe {
        let device = sys::ggml_backend_dev_by_type(sys::GGML_BACKEND_DEVICE_TYPE_CPU);
        if device.is_null() {
            return None;
        }
        let registry = sys::ggml_backend_dev_backend_reg(device);
        let address = sys::ggml_backend_reg_get_proc_address(registry, name.as_ptr());
        (!address.is_null()).then(|| std::mem::transmute_copy::<*mut std::ffi::c_void, F>(&address))
    }
}
