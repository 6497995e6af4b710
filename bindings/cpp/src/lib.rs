//! Pinfold for C++, by [cxx](https://cxx.rs).
//!
//! C++ users see `include/pinfold.hpp`: classes over what [`bridge`] declares. A call goes from that header through
//! the bridge to [`objects`] and [`pins`], and from there to `pinfold_ffi::api`, which holds all defaults and checks. This crate
//! adds the way back of errors ([`failure`]) and of the app's functions ([`callbacks`]), and nothing else.

mod bridge;
mod callbacks;
mod failure;
mod functions;
mod objects;
mod pinned;
mod pins;
mod values;
