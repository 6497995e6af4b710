//! llama.cpp's CPU kernels for several instruction sets, in one static library.
//!
//! llama-cpp-sys-2 builds them for one (AVX2 on x86-64, Armv8.0 on 64-bit Arm). This crate adds the
//! others under names of their own; [`best`] says which one this machine runs fastest.
#![deny(missing_docs)]

// Linked for its ggml: the kernels call it.
use llama_cpp_sys_2 as _;

/// The CPU backend, built for one instruction set.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// The instruction set, e.g. `avx512vnni`.
    pub name: &'static str,
    /// Whether this machine has it.
    pub runs_here: bool,
    /// ggml's `ggml_backend_cpu_reg` of this build: returns a `ggml_backend_reg_t`. Call it only where
    /// it [`runs_here`](Self::runs_here).
    pub register: unsafe extern "C" fn() -> *mut std::ffi::c_void,
}

/// The instruction sets that llama-cpp-sys-2's own build needs and this machine lacks.
pub fn missing_baseline() -> Vec<&'static str> {
    #[allow(unused_mut)]
    let mut missing = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        for (name, there) in
            [("AVX2", has!("avx2")), ("FMA", has!("fma")), ("F16C", has!("f16c")), ("BMI2", has!("bmi2"))]
        {
            if !there {
                missing.push(name);
            }
        }
    }
    missing
}

/// The builds of this library, the fastest last. Empty where only the baseline is built.
pub fn variants() -> Vec<Variant> {
    list::variants()
}

/// The fastest build that this machine runs, or `None` for llama-cpp-sys-2's own.
pub fn best() -> Option<Variant> {
    variants().into_iter().rfind(|variant| variant.runs_here)
}

#[cfg(all(variants, target_arch = "x86_64"))]
mod list {
    use super::Variant;
    use std::arch::is_x86_feature_detected as has;
    use std::ffi::c_void;

    unsafe extern "C" {
        fn pinfold_avxvnni_ggml_backend_cpu_reg() -> *mut c_void;
        fn pinfold_avx512_ggml_backend_cpu_reg() -> *mut c_void;
        fn pinfold_avx512vnni_ggml_backend_cpu_reg() -> *mut c_void;
        fn pinfold_avx512bf16_ggml_backend_cpu_reg() -> *mut c_void;
    }

    pub fn variants() -> Vec<Variant> {
        let avx2 = super::missing_baseline().is_empty();
        let avx512 = avx2
            && has!("avx512f")
            && has!("avx512cd")
            && has!("avx512vl")
            && has!("avx512dq")
            && has!("avx512bw");
        let vnni = avx512 && has!("avx512vbmi") && has!("avx512vnni");
        let bf16 = vnni && has!("avx512bf16");
        let build = |name, runs_here, register| Variant { name, runs_here, register };
        vec![
            build("avxvnni", avx2 && has!("avxvnni"), pinfold_avxvnni_ggml_backend_cpu_reg as _),
            build("avx512", avx512, pinfold_avx512_ggml_backend_cpu_reg as _),
            build("avx512vnni", vnni, pinfold_avx512vnni_ggml_backend_cpu_reg as _),
            build("avx512bf16", bf16, pinfold_avx512bf16_ggml_backend_cpu_reg as _),
        ]
    }
}

#[cfg(all(variants, target_arch = "aarch64"))]
mod list {
    use super::Variant;
    use std::arch::is_aarch64_feature_detected as has;
    use std::ffi::c_void;

    unsafe extern "C" {
        fn pinfold_dotprod_ggml_backend_cpu_reg() -> *mut c_void;
        fn pinfold_i8mm_ggml_backend_cpu_reg() -> *mut c_void;
    }

    pub fn variants() -> Vec<Variant> {
        let dotprod = has!("dotprod") && has!("fp16");
        let build = |name, runs_here, register| Variant { name, runs_here, register };
        vec![
            build("dotprod", dotprod, pinfold_dotprod_ggml_backend_cpu_reg as _),
            build("i8mm", dotprod && has!("i8mm"), pinfold_i8mm_ggml_backend_cpu_reg as _),
        ]
    }
}

#[cfg(not(all(variants, any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod list {
    pub fn variants() -> Vec<super::Variant> {
        Vec::new()
    }
}
