//! The foreign API of Pinfold: the C ABI and UniFFI come here. Empty so far.
