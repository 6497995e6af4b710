# Two commands: `make demo` runs the main job on the embedded checkpoint, `make test` passes all tests.
# Both install what the machine lacks first (tools/setup).

# The same selection of crates everywhere: another one would make cargo build llama.cpp again.
CARGO_FLAGS := --release --workspace

.PHONY: demo test test-c setup build bindings lint bench install clean

demo: setup
	cargo build $(CARGO_FLAGS)
	@tools/demo

test: setup lint
	cargo build $(CARGO_FLAGS)
	target/release/pinfold-bindings --check
	@rm -rf target/cases
	cargo test $(CARGO_FLAGS)
	cargo check --manifest-path core/fuzz/Cargo.toml --target-dir target/fuzz
	ffi/tests/sanitize valgrind
	tools/test-bindings
	@tools/skipped

# The C ABI alone: header, layout, symbols, misuse. PINFOLD_UPDATE=1 writes the header and the list of symbols.
test-c: build
	cargo test $(CARGO_FLAGS) --test 'c_*'

setup:
	@tools/setup

build: setup
	cargo build $(CARGO_FLAGS)

# Writes the generated part of the bindings.
bindings: build
	target/release/pinfold-bindings

lint: setup
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings

# Against llama-cpp-python on the same file, in the same run; see benches/README.md.
bench: build
	benches/run

# Without PREFIX: the program `pinfold`, into cargo's own folder. With PREFIX: the program, the library for C, its
# header, and the files for pkg-config and CMake.
install: build
	$(if $(PREFIX),mkdir -p $(PREFIX)/bin && install -m 755 target/release/pinfold $(PREFIX)/bin/ && ffi/install $(PREFIX),cargo install --path cli --locked)

clean:
	cargo clean
