//! What other YAML files than prompts are read with: a tree that knows its places, and schemas.

pub(crate) use super::file::picoschema::Schema;
pub(crate) use super::file::source::{Fault, Parsed, Place, unknown};
pub(crate) use super::file::values::first_wrong;
pub(crate) use super::file::yaml::{Entry, Kind, Node, parse};
