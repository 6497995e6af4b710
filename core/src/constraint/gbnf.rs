//! GBNF.
use super::compile::bad;
use crate::error::Result;
pub(super) fn to_lark(_: &str) -> Result<String> {
    Err(bad(&"gbnf"))
}
