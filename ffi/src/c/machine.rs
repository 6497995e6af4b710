//! The library and the machine.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use super::boundary::{self, Failure, Out, Outcome, borrow, call, quiet};
use super::sized::{self, Versioned};
use super::text::Text;
use super::{pinfold_error, pinfold_status, pinfold_string};
use crate::api::{self, Device, DeviceKind, PinfoldError};

/// The version of the ABI that this header describes. It grows when a program that was built with an older header
/// would no longer work, and only then.
pub const PINFOLD_ABI_VERSION: u32 = 1;

/// The version of the ABI that the library has. If it is not `PINFOLD_ABI_VERSION`, header and library do not belong
/// together, and nothing else may be called.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_abi_version() -> u32 {
    PINFOLD_ABI_VERSION
}

/// The version of the library, e.g. `0.1.0`. A static string, never NULL, never freed.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_version() -> *const c_char {
    static VERSION: OnceLock<CString> = OnceLock::new();
    let version = || VERSION.get_or_init(|| CString::new(api::version()).unwrap_or_default()).as_ptr();
    quiet(c"".as_ptr(), version)
}

/// The kind of a device: a `PINFOLD_DEVICE_`.
pub type pinfold_device_kind = i32;

/// The processor.
pub const PINFOLD_DEVICE_CPU: pinfold_device_kind = 1;
/// A graphics processor with memory of its own.
pub const PINFOLD_DEVICE_GPU: pinfold_device_kind = 2;
/// A graphics processor that shares the processor's memory.
pub const PINFOLD_DEVICE_INTEGRATED_GPU: pinfold_device_kind = 3;
/// Another accelerator.
pub const PINFOLD_DEVICE_ACCELERATOR: pinfold_device_kind = 4;

/// Something that can compute. Set `struct_size` before `pinfold_devices_get` fills it. Its texts belong to the list.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_device {
    /// `sizeof(pinfold_device)`.
    pub struct_size: usize,
    /// Its name, unique on this machine; what `offload_devices` names.
    pub name: pinfold_string,
    /// For people.
    pub description: pinfold_string,
    /// For a processor, the instruction set of the kernels that run on it; else NULL.
    pub kernels: pinfold_string,
    /// Bytes of memory that are free, as far as the device tells.
    pub memory_free: u64,
    /// Bytes of memory in all.
    pub memory_total: u64,
    /// Its kind.
    pub kind: pinfold_device_kind,
    /// 0.
    pub reserved: u32,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_device {
    const NAME: &'static str = "pinfold_device";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            name: pinfold_string::NONE,
            description: pinfold_string::NONE,
            kernels: pinfold_string::NONE,
            memory_free: 0,
            memory_total: 0,
            kind: 0,
            reserved: 0,
        }
    }
}

/// The devices of this machine.
///
/// Freed by: you, with `pinfold_devices_free`. Threads: any, it does not change. May outlive: everything.
pub struct pinfold_devices(Vec<Entry>);

struct Entry {
    device: Device,
    name: Text,
    description: Text,
    kernels: Option<Text>,
}

impl From<Device> for Entry {
    fn from(device: Device) -> Self {
        Self {
            name: Text::new(device.name.as_str()),
            description: Text::new(device.description.as_str()),
            kernels: device.kernels.as_deref().map(Text::new),
            device,
        }
    }
}

/// Lists the devices of this machine that this build can use, the processor last.
///
/// Fails with `PINFOLD_ERROR_UNSUPPORTED` if the processor lacks what the build needs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_devices_list(
    devices_out: *mut *mut pinfold_devices,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(devices_out, "devices_out")?;
            out.give(pinfold_devices(api::devices()?.into_iter().map(Entry::from).collect()))
        })
    }
}

/// The number of devices; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_devices_length(devices: *const pinfold_devices) -> usize {
    quiet(0, || unsafe { devices.as_ref() }.map_or(0, |devices| devices.0.len()))
}

/// The device at `index`, counted from 0. Its texts are valid until the list is freed.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_devices_get(
    devices: *const pinfold_devices,
    index: usize,
    device_out: *mut pinfold_device,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let entry = item(&borrow(devices, "devices")?.0, index)?;
            let device = pinfold_device {
                name: entry.name.borrowed(),
                description: entry.description.borrowed(),
                kernels: pinfold_string::optional(entry.kernels.as_ref()),
                memory_free: entry.device.memory_free,
                memory_total: entry.device.memory_total,
                kind: kind(entry.device.kind),
                ..pinfold_device::defaults()
            };
            sized::write(device_out, &device)
        })
    }
}

/// Frees the list; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_devices_free(devices: *mut pinfold_devices) {
    unsafe { boundary::free(devices) }
}

fn kind(kind: DeviceKind) -> pinfold_device_kind {
    match kind {
        DeviceKind::Cpu => PINFOLD_DEVICE_CPU,
        DeviceKind::Gpu => PINFOLD_DEVICE_GPU,
        DeviceKind::IntegratedGpu => PINFOLD_DEVICE_INTEGRATED_GPU,
        DeviceKind::Accelerator => PINFOLD_DEVICE_ACCELERATOR,
    }
}

/// The item of a list, or the error that there are fewer.
pub(super) fn item<T>(list: &[T], index: usize) -> Outcome<&T> {
    list.get(index).ok_or_else(|| {
        let what = format!("index: {index}, but the list has {} entries", list.len());
        Failure::from(PinfoldError::InvalidOption(what))
    })
}
