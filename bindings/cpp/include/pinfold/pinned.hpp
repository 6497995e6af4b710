// The values of lock files, stores and verifications. All own what they hold; all text is UTF-8.
#ifndef PINFOLD_PINNED_HPP
#define PINFOLD_PINNED_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pinfold {

/// A checkpoint that a lock file pins.
struct PinnedCheckpoint {
  /// Its name in the lock file.
  std::string name;
  /// Where the bytes can be had, in the order in which they are tried.
  std::vector<std::string> sources;
  /// The SHA-256 of its bytes, in hexadecimal.
  std::string digest;
  /// The number of its bytes.
  std::uint64_t size = 0;
  /// The licence of the weights, as an SPDX expression or in words.
  std::string licence;
  /// Whether the lock file carries a signature of its bytes.
  bool is_signed = false;
  /// The architecture: `llama`, `bert`...
  std::string architecture;
  /// How the weights are quantized: `Q4_K_M`, `F16`...
  std::string quantization;
  /// Tokens of context that it was trained on.
  std::uint32_t context_length = 0;
  /// The SHA-256 of its tokenizer.
  std::string tokenizer_digest;
  /// The SHA-256 of its chat template, if it has one.
  std::optional<std::string> chat_template_digest;
};

/// An adapter that a lock file pins.
struct PinnedAdapter {
  /// Its name in the lock file.
  std::string name;
  /// Where the bytes can be had, in the order in which they are tried.
  std::vector<std::string> sources;
  /// The SHA-256 of its bytes, in hexadecimal.
  std::string digest;
  /// The number of its bytes.
  std::uint64_t size = 0;
  /// The licence of the weights, as an SPDX expression or in words.
  std::string licence;
  /// Whether the lock file carries a signature of its bytes.
  bool is_signed = false;
  /// The architecture of its base.
  std::string architecture;
  /// The name of its base among the checkpoints.
  std::string base;
  /// The SHA-256 of its base.
  std::string base_digest;
};

/// A generation that a lock file pins.
struct PinnedGolden {
  /// Its name in the lock file.
  std::string name;
  /// The name of its checkpoint.
  std::string checkpoint;
  /// The text that was generated.
  std::string text;
  /// The version of Pinfold that recorded it.
  std::string runtime;
  /// What computed it, e.g. `cpu x86_64-linux avx2`.
  std::string backend;
  /// The revision of llama.cpp.
  std::string llama_cpp;
};

/// A file that holds exactly the pinned bytes.
struct PinnedFile {
  /// The name in the lock file.
  std::string name;
  /// Where it is.
  std::string path;
  /// The SHA-256 of its bytes, which was checked.
  std::string digest;
};

/// Where a store is, and how large it may grow.
struct StoreOptions {
  /// Its folder; without it `PINFOLD_STORE` of the environment, or else `pinfold` in the user's data folder.
  std::optional<std::string> root;
  /// Bytes that its files may take together; without it `PINFOLD_STORE_QUOTA` of the environment, or else no limit.
  std::optional<std::uint64_t> quota;
};

/// A file of a store.
struct StoreEntry {
  /// The SHA-256 of its bytes, and so its name.
  std::string digest;
  /// The number of its bytes.
  std::uint64_t size = 0;
  /// Where it is.
  std::string path;
  /// When it was last resolved, or else stored.
  std::optional<std::chrono::system_clock::time_point> used;
  /// The lock files that pin it, among those that were pulled into this store and still exist.
  std::vector<std::string> pinned_by;
};

/// A file of a store whose bytes were changed.
struct DamagedEntry {
  /// The file.
  StoreEntry entry;
  /// The SHA-256 of the bytes that it has now.
  std::string actual_digest;
};

/// What was removed from a store, or would be.
struct Collected {
  /// The files that no known lock file pins.
  std::vector<StoreEntry> removed;
  /// Bytes, those of unfinished downloads included.
  std::uint64_t freed = 0;
};

/// How a download is done.
struct PullOptions {
  /// Connections for one file, 1 to 16.
  std::uint32_t connections = 4;
  /// Attempts at one source before the next is tried, 1 to 100; those that brought bytes do not count.
  std::uint32_t attempts = 5;
  /// The address of the Hub; without it `HF_ENDPOINT` of the environment.
  std::optional<std::string> hub_endpoint;
  /// Its access token, which is sent to the endpoint only; without it `HF_TOKEN` of the environment.
  std::optional<std::string> hub_token;
  /// A PEM file of certificates that are trusted as well; without it `SSL_CERT_FILE` of the environment.
  std::optional<std::string> certificates;
  /// Milliseconds without a byte after which a connection is given up.
  std::uint32_t stall_timeout_ms = 30000;
};

/// What is verified, and how strictly.
struct VerifyOptions {
  /// Names of checkpoints, adapters or goldens; empty for everything.
  std::vector<std::string> names;
  /// Whether every file is hashed, even one that was not touched since it was hashed last.
  bool full_check = true;
  /// What a log-probability may differ by where another backend or version recorded a golden, in nats.
  float tolerance = 0.1F;
  /// Threads that compute; 0 to choose by the machine.
  std::uint32_t threads = 0;
};

/// What changed.
enum class Cause : std::uint8_t {
  /// The file is not on this machine.
  Missing,
  /// The weights, or other bytes that nothing below names.
  Weights,
  /// The tokenizer.
  Tokenizer,
  /// The chat template.
  ChatTemplate,
  /// Other metadata of the file.
  Metadata,
  /// The file would not run.
  Preflight,
  /// The lock file contradicts itself or the file.
  Lock,
  /// The tokens of the prompt: the input, the tokenizer or the chat template.
  Prompt,
  /// The probabilities: the weights, or how they are computed.
  Computation,
  /// The probabilities are as recorded, but another token was chosen.
  Sampler,
};

/// How a golden compares.
enum class GoldenOutcome : std::uint8_t {
  /// Token for token and byte for byte.
  Same,
  /// Recorded by another backend or version: not the same, but within the tolerance.
  WithinTolerance,
  /// Not the same.
  Different,
  /// It could not be replayed; the cause says why.
  NotRun,
};

/// The outcome for a file.
struct FileReport {
  /// Its name in the lock file.
  std::string name;
  /// Whether it is as pinned.
  bool passed = false;
  /// What changed in it, as far as that can be said.
  std::vector<Cause> causes;
  /// The same in words.
  std::string detail;
};

/// Where a golden differs first.
struct Difference {
  /// The index of the token among the generated ones.
  std::uint32_t index = 0;
  /// The token that was recorded; nothing if the recorded generation had ended.
  std::optional<std::uint32_t> expected_token;
  /// The token that was chosen now; nothing if the generation ended.
  std::optional<std::uint32_t> actual_token;
  /// The text that was recorded.
  std::string expected_text;
  /// The text that is generated now.
  std::string actual_text;
  /// The logit of the token chosen now less that of the recorded one, before any filter.
  std::optional<float> margin;
};

/// The outcome for a golden.
struct GoldenReport {
  /// Its name in the lock file.
  std::string name;
  /// The name of its checkpoint.
  std::string checkpoint;
  /// How it compares.
  GoldenOutcome outcome = GoldenOutcome::NotRun;
  /// Whether it was compared byte for byte: the same backend and version recorded it.
  bool exact = false;
  /// What changed, if anything did.
  std::optional<Cause> cause;
  /// The first difference.
  std::optional<Difference> difference;
  /// The largest difference of a log-probability from the recorded one, in nats.
  float deviation = 0.0F;
  /// All of it in words.
  std::string detail;
};

/// The outcome of a verification.
struct VerifyReport {
  /// Whether everything is as pinned, or within the tolerance.
  bool passed = false;
  /// One for each file, in the order of their names.
  std::vector<FileReport> files;
  /// One for each golden, in the order of their names.
  std::vector<GoldenReport> goldens;
};

}  // namespace pinfold

#endif
