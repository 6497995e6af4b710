// The steps of the shared cases that are about lock files and stores.
#ifndef PINFOLD_TESTS_PIN_CASES_HPP
#define PINFOLD_TESTS_PIN_CASES_HPP

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <pinfold.hpp>

#include "lines.hpp"
#include "said.hpp"

struct Folders {
  /// Where the lock files of the cases are.
  std::string pins;
  /// For the store of a case.
  std::string store;
};

inline std::vector<std::uint8_t> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  want(file.good(), path + " cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

inline pinfold::LockFile open_lock(const Fields& lock, const std::string& pins) {
  if (lock.has("bytes_of")) {
    const auto bytes = contents(pins + "/" + lock.text("bytes_of"));
    return pinfold::LockFile::open_bytes(pins + "/embedded.lock", bytes.data(), bytes.size());
  }
  if (lock.has("find")) {
    return pinfold::LockFile::find(pins + "/" + lock.text("find"));
  }
  const std::string path = pins + "/" + lock.text("file");
  return lock.has("public_key") ? pinfold::LockFile::open_signed(path, lock.text("public_key"))
                                : pinfold::LockFile::open(path);
}

inline std::string name_of(pinfold::Cause cause) {
  switch (cause) {
    case pinfold::Cause::Missing: return "missing";
    case pinfold::Cause::Weights: return "weights";
    case pinfold::Cause::Tokenizer: return "tokenizer";
    case pinfold::Cause::ChatTemplate: return "chat_template";
    case pinfold::Cause::Metadata: return "metadata";
    case pinfold::Cause::Preflight: return "preflight";
    case pinfold::Cause::Lock: return "lock";
    case pinfold::Cause::Prompt: return "prompt";
    case pinfold::Cause::Computation: return "computation";
    case pinfold::Cause::Sampler: return "sampler";
  }
  return "unknown";
}

/// Hears of the work of a step, and stops it as the step says.
class Heard {
 public:
  explicit Heard(const Fields& step)
      : cancels_(step.text("cancel") == "progress"), fails_(step.text("fail_progress") == "true") {
    if (step.text("cancel") == "before") {
      cancel.cancel();
    }
  }

  void hear(std::uint64_t done, std::uint64_t total) {
    last = {done, total};
    if (cancels_) {
      cancel.cancel();
    }
    if (fails_) {
      throw std::runtime_error("the app's own");
    }
  }

  pinfold::Cancel cancel;
  std::pair<std::uint64_t, std::uint64_t> last{0, 0};

 private:
  bool cancels_;
  bool fails_;
};

/// A lock file with a store of its own.
class PinRun {
 public:
  PinRun(pinfold::LockFile lock, const Folders& folders)
      : lock_(std::move(lock)), store_(open(folders.store)), pins_(folders.pins) {}

  pinfold::Model load(const Fields& step) const {
    pinfold::ModelOptions options;
    options.reproducible = step.text("reproducible") == "true";
    return lock_.load(step.text("name"), store_, options);
  }

  /// Does a step; false if it is none of a lock file.
  bool step(const Fields& step) {
    const std::string what = step.text("do");
    const std::string name = step.text("name");
    if (what == "checkpoints") {
      same_text(step, checkpoints());
    } else if (what == "adapters") {
      same_text(step, adapters());
    } else if (what == "goldens") {
      same_text(step, goldens());
    } else if (what == "sampling") {
      const pinfold::Sampling found = lock_.sampling(name);
      want(found.temperature == step.real("temperature", -1), "another temperature");
      want(found.seed == step.number("seed") && found.top_k == step.number("top_k"), "another seed or top_k");
      want(found.logit_bias.size() == 1, "another bias");
    } else if (what == "resolve") {
      is_pinned(lock_.resolve(name, store_, step.text("full_check") == "true"));
    } else if (what == "pull") {
      pull(step);
    } else if (what == "check_signature") {
      lock_.check_signature(name, store_, step.text("public_key"));
    } else if (what == "verify") {
      verify(step);
    } else if (what == "entries") {
      same_length(step, store_.entries().size());
    } else if (what == "remove") {
      same_length(step, store_.remove(pin(name).digest) ? 1 : 0);
    } else if (what == "collect") {
      same_length(step, store_.collect(step.text("dry_run") == "true").removed.size());
    } else if (what == "verify_store") {
      Heard heard(step);
      const auto hear = [&](std::uint64_t done, std::uint64_t total) { heard.hear(done, total); };
      same_length(step, store_.verify({}, hear, heard.cancel).size());
    } else if (what == "import_file") {
      const auto expected = step.has("name") ? std::optional<std::string>(pin(name).digest) : std::nullopt;
      const std::string digest = store_.import_file(pins_ + "/" + step.text("path"), expected);
      want(expected.value_or(digest) == digest, "another digest came back");
    } else if (what == "damage_stored") {
      damage(step);
    } else {
      return false;
    }
    return true;
  }

 private:
  static pinfold::Store open(const std::string& root) {
    pinfold::StoreOptions options;
    options.root = root;
    return pinfold::Store::open(options);
  }

  static void same_text(const Fields& step, const std::string& text) {
    want(text == step.text("text"), "the text is " + text);
  }

  static void same_length(const Fields& step, std::uint64_t length) {
    want(!step.has("length") || length == step.number("length"), "the length is " + std::to_string(length));
  }

  static void put(std::string& lines, const std::string& line) { lines += (lines.empty() ? "" : "\n") + line; }

  std::string checkpoints() const {
    std::string lines;
    for (const pinfold::PinnedCheckpoint& pin : lock_.checkpoints()) {
      put(lines, pin.name + " " + pin.architecture + " " + pin.quantization + " " + pin.licence + " " +
                     pin.sources.at(0) + " " + std::to_string(pin.context_length) +
                     (pin.is_signed ? " signed" : " unsigned") +
                     (pin.chat_template_digest ? " template" : " no template"));
    }
    return lines;
  }

  std::string adapters() const {
    std::string lines;
    for (const pinfold::PinnedAdapter& pin : lock_.adapters()) {
      put(lines, pin.name + " " + pin.architecture + " " + pin.base + " " + pin.licence + " " + pin.sources.at(0));
    }
    return lines;
  }

  std::string goldens() const {
    std::string lines;
    for (const pinfold::PinnedGolden& golden : lock_.goldens()) {
      put(lines, golden.name + " " + golden.checkpoint);
    }
    return lines;
  }

  pinfold::PinnedCheckpoint pin(const std::string& name) const {
    for (pinfold::PinnedCheckpoint& pin : lock_.checkpoints()) {
      if (pin.name == name) {
        return pin;
      }
    }
    throw Difference("there is no pin " + name);
  }

  /// The file has the pinned bytes: imported into the store, which hashes, its digest is that of the pin.
  void is_pinned(const pinfold::PinnedFile& file) const {
    pinfold::Store other = open(store_.root() + ".other");
    want(other.import_file(file.path) == file.digest, "the file has other bytes");
    std::filesystem::remove_all(other.root());
  }

  void pull(const Fields& step) {
    Heard heard(step);
    pinfold::PullOptions options;
    options.attempts = step.small("attempts").value_or(options.attempts);
    const auto hear = [&](std::string_view, std::uint64_t done, std::uint64_t total) { heard.hear(done, total); };
    const pinfold::PinnedFile file = lock_.pull(step.text("name"), store_, options, hear, heard.cancel);
    if (step.text("whole") == "true") {
      const std::uint64_t size = pin(file.name).size;
      want(heard.last == std::make_pair(size, size), "the progress did not end with all bytes");
    }
    want(file.path.rfind(store_.root(), 0) == 0, "the file is not in the store");
    is_pinned(file);
  }

  void verify(const Fields& step) {
    Heard heard(step);
    pinfold::VerifyOptions options;
    options.names = step.texts("names");
    options.threads = 1;
    const auto hear = [&](std::string_view, std::uint32_t done, std::uint32_t total) { heard.hear(done, total); };
    const pinfold::VerifyReport report = lock_.verify(store_, options, hear, heard.cancel);
    std::vector<std::string> causes;
    for (const pinfold::FileReport& file : report.files) {
      std::transform(file.causes.begin(), file.causes.end(), std::back_inserter(causes), name_of);
    }
    for (const pinfold::GoldenReport& golden : report.goldens) {
      if (golden.cause) {
        causes.push_back(name_of(*golden.cause));
      }
    }
    want(report.passed == (step.text("passed") == "true"), "it passed, or it did not");
    std::string shown;
    for (const std::string& cause : causes) {
      shown += cause + " ";
    }
    want(causes == step.texts("causes"), "the causes are " + shown);
  }

  void damage(const Fields& step) const {
    const std::string digest = pin(step.text("name")).digest;
    for (const pinfold::StoreEntry& entry : store_.entries()) {
      if (entry.digest == digest) {
        std::vector<std::uint8_t> bytes = contents(entry.path);
        bytes.at(step.number("damage")) ^= 1;
        std::filesystem::remove(entry.path);
        std::ofstream file(entry.path, std::ios::binary);
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      }
    }
  }

  pinfold::LockFile lock_;
  pinfold::Store store_;
  std::string pins_;
};

#endif
