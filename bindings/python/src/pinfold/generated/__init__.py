"""What UniFFI wrote (`make bindings`), with the shared library beside it in a wheel. Not for apps."""
