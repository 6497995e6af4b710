# Two commands: `make demo` runs the main job on the embedded checkpoint, `make test` passes all tests.
# Both install what the machine lacks first (tools/setup).

# The same selection of crates everywhere: another one would make cargo build llama.cpp again.
CARGO_FLAGS := --release --workspace

.PHONY: demo test setup build lint fuzz-check bench install clean

demo: setup
	cargo build $(CARGO_FLAGS)
	@tools/demo

test: setup lint
	cargo test $(CARGO_FLAGS)
	cargo check --manifest-path core/fuzz/Cargo.toml --target-dir target/fuzz
	@tools/skipped

setup:
	@tools/setup

build: setup
	cargo build $(CARGO_FLAGS)

lint: setup
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings

# Against llama-cpp-python on the same file, in the same run; see benches/README.md.
bench: build
	benches/run

# Installs the program `pinfold`; PREFIX defaults to cargo's own folder.
install: setup
	cargo install --path cli --locked $(if $(PREFIX),--root $(PREFIX))

clean:
	cargo clean
