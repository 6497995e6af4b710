// Lock files and stores: what an app runs, pinned by digest. `pinfold.hpp` includes this.
//
//     pinfold::LockFile lock = pinfold::LockFile::open("pinfold.lock");
//     pinfold::Store store = pinfold::Store::open();
//     lock.pull("intent", store);
//     pinfold::Model model = lock.load("intent", store);
#ifndef PINFOLD_PINS_HPP
#define PINFOLD_PINS_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pinfold.hpp"
#include "pinfold/convert_pinned.hpp"

namespace pinfold {

/// Called with the source of a download, the bytes that are done and those there are in all (0 as long as that is not
/// known), on the thread that pulls. What it throws ends the pull with the error `callback`, and is nested in it.
using PullProgress = std::function<void(std::string_view source, std::uint64_t done, std::uint64_t total)>;

/// Called with what is looked at, the number of things that are done and those there are, on the thread that verifies.
/// What it throws ends the verification with the error `callback`, and is nested in it.
using VerifyProgress = std::function<void(std::string_view subject, std::uint32_t done, std::uint32_t total)>;

/// Called with the bytes that are done and those there are, on the thread that works. What it throws ends the work with
/// the error `callback`, and is nested in it.
using StoreProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// The bytes of pins on this machine, each file under its digest: a folder that all processes of a user share.
class Store {
 public:
  /// Opens the store, and makes its folders if they are missing.
  ///
  /// Throws `io`, `bad_store`, `invalid_option` or `invalid_text`.
  static Store open(const StoreOptions& options = {}) {
    const bridge::StoreOptions wanted = detail::to_bridge(options);
    return Store(detail::call([&] { return bridge::open_store(wanted); }));
  }

  /// Its folder.
  std::string root() const { return detail::text(get().root()); }

  /// Its files, in the order of their digests.
  ///
  /// Throws `io`.
  std::vector<StoreEntry> entries() const {
    const auto found = call([](const bridge::Store& store) { return store.entries(); });
    return detail::list<StoreEntry, bridge::StoreEntry>(found, detail::from_bridge);
  }

  /// Hashes the files of these digests, or all if there are none, and gives those whose bytes were changed.
  ///
  /// Throws `invalid_option` for a text that is no digest, `not_pulled` for one that the store does not have, `io`,
  /// `cancelled` or `callback`.
  std::vector<DamagedEntry> verify(const std::vector<std::string>& digests = {},
                                   const StoreProgress& progress = nullptr, const Cancel& cancel = Cancel()) const {
    const bridge::Store& store = get();
    const bridge::Cancel& flag = cancel.get();
    const rust::Vec<rust::String> wanted = detail::owned(digests, "digests");
    const rust::Slice<const rust::String> slice(wanted.data(), wanted.size());
    const auto found = detail::watched<bridge::StoreCallback>(
        progress, [&](auto callback) { return store.verify(slice, std::move(callback), flag); });
    return detail::list<DamagedEntry, bridge::DamagedEntry>(found, detail::from_bridge);
  }

  /// Removes the file of this digest; false if the store does not have it.
  ///
  /// Throws `invalid_option` for a text that is no digest, or `io`.
  bool remove(std::string_view digest) {
    const rust::Str checked = detail::text(digest, "digest");
    return call([&](const bridge::Store& store) { return store.remove(checked); });
  }

  /// Removes what no known lock file pins, and what is left of downloads that nobody continues. With `dry_run` it only
  /// says what it would remove. Known are the lock files that were pulled here.
  ///
  /// Throws `io`, or `bad_lock` of a known lock file that cannot be read: nothing is removed then.
  Collected collect(bool dry_run = false) {
    return detail::from_bridge(call([&](const bridge::Store& store) { return store.collect(dry_run); }));
  }

  /// Copies a file into the store and gives its digest. With `expected_digest` other bytes are refused. `path` is UTF-8.
  ///
  /// Throws `io`, `wrong_digest`, `no_space`, `invalid_option`, `cancelled` or `callback`.
  std::string import_file(std::string_view path, const std::optional<std::string>& expected_digest = std::nullopt,
                          const StoreProgress& progress = nullptr, const Cancel& cancel = Cancel()) {
    const bridge::Store& store = get();
    const bridge::Cancel& flag = cancel.get();
    const rust::Str checked = detail::text(path, "path");
    const bridge::MaybeText expected = detail::maybe(expected_digest, "expected_digest");
    return detail::text(detail::watched<bridge::StoreCallback>(progress, [&](auto callback) {
      return store.import_file(checked, expected, std::move(callback), flag);
    }));
  }

 private:
  friend class LockFile;
  explicit Store(rust::Box<bridge::Store> box) : handle_(std::move(box)) {}

  const bridge::Store& get() const { return handle_.get("Store"); }

  template <typename Work>
  auto call(Work&& work) const -> decltype(work(std::declval<const bridge::Store&>())) {
    const bridge::Store& store = get();
    return detail::call([&] { return work(store); });
  }

  detail::Handle<bridge::Store> handle_;
};

/// What an app runs, pinned by digest: a name gives exactly the pinned bytes, or an error. The program `pinfold` writes
/// lock files.
class LockFile {
 public:
  /// Reads the lock file at `path` (UTF-8).
  ///
  /// Throws `io`, or `bad_lock`, whose message begins with path, line and column.
  static LockFile open(std::string_view path = "pinfold.lock") {
    const rust::Str checked = detail::text(path, "path");
    return LockFile(detail::call([&] { return bridge::open_lock(checked); }));
  }

  /// Reads a lock file that must be signed: its minisign signature lies beside it, with `.minisig` at the end of the
  /// name. The key is that which the app embeds: its base64, or the text of the `.pub` file.
  ///
  /// Throws `io`, `bad_signature` or `bad_lock`.
  static LockFile open_signed(std::string_view path, std::string_view public_key) {
    const rust::Str checked = detail::text(path, "path");
    const rust::Str key = detail::text(public_key, "public_key");
    return LockFile(detail::call([&] { return bridge::open_signed_lock(checked, key); }));
  }

  /// Reads a lock file from the `size` bytes at `bytes`; `path` stands in errors, and `file:` sources are relative to
  /// its folder.
  ///
  /// Throws `bad_lock`.
  static LockFile open_bytes(std::string_view path, const std::uint8_t* bytes, std::size_t size) {
    const rust::Str checked = detail::text(path, "path");
    if (bytes == nullptr && size != 0) {
      throw Error("invalid_option", "bytes: a null pointer with a size");
    }
    const rust::Slice<const std::uint8_t> content(bytes, size);
    return LockFile(detail::call([&] { return bridge::open_lock_bytes(checked, content); }));
  }

  /// Reads the nearest `pinfold.lock`, in `folder` or one above it.
  ///
  /// Throws `io` if there is none, or `bad_lock`.
  static LockFile find(std::string_view folder) {
    const rust::Str checked = detail::text(folder, "folder");
    return LockFile(detail::call([&] { return bridge::find_lock(checked); }));
  }

  /// The file's path.
  std::string path() const { return detail::text(get().path()); }

  /// The checkpoints, in the order of their names.
  std::vector<PinnedCheckpoint> checkpoints() const {
    return detail::list<PinnedCheckpoint, bridge::PinnedCheckpoint>(get().checkpoints(), detail::from_bridge);
  }

  /// The adapters, in the order of their names.
  std::vector<PinnedAdapter> adapters() const {
    return detail::list<PinnedAdapter, bridge::PinnedAdapter>(get().adapters(), detail::from_bridge);
  }

  /// The goldens, in the order of their names.
  std::vector<PinnedGolden> goldens() const {
    return detail::list<PinnedGolden, bridge::PinnedGolden>(get().goldens(), detail::from_bridge);
  }

  /// The settings of the sampler of this name.
  ///
  /// Throws `not_pinned`.
  Sampling sampling(std::string_view name) const {
    const rust::Str checked = detail::text(name, "name");
    return detail::sampling(call([&](const bridge::LockFile& lock) { return lock.sampling(checked); }));
  }

  /// A file with exactly the bytes that the checkpoint or adapter `name` is pinned to: of the store, or else of a
  /// `file:` source. Nothing is downloaded. With `full_check` it is hashed even if it was before and was not touched
  /// since.
  ///
  /// Throws `not_pinned`, `not_pulled`, `wrong_digest` or `io`.
  PinnedFile resolve(std::string_view name, const Store& store, bool full_check = false) const {
    const rust::Str checked = detail::text(name, "name");
    const bridge::Store& from = store.get();
    return detail::from_bridge(
        call([&](const bridge::LockFile& lock) { return lock.resolve(checked, from, full_check); }));
  }

  /// Checks that the bytes of `name` are signed by this minisign key, with the signature that the lock file carries.
  ///
  /// Throws `bad_signature`, and what `resolve` throws.
  void check_signature(std::string_view name, const Store& store, std::string_view public_key) const {
    const rust::Str checked = detail::text(name, "name");
    const rust::Str key = detail::text(public_key, "public_key");
    const bridge::Store& from = store.get();
    call([&](const bridge::LockFile& lock) { lock.check_signature(checked, from, key); });
  }

  /// Brings the bytes of `name` into the store, unless they are there. A cancelled pull keeps what arrived for the next
  /// attempt.
  ///
  /// Throws `not_pinned`, `pull_failed`, `no_space`, `invalid_option`, `io`, `cancelled` or `callback`.
  PinnedFile pull(std::string_view name, const Store& store, const PullOptions& options = {},
                  const PullProgress& progress = nullptr, const Cancel& cancel = Cancel()) const {
    const bridge::LockFile& lock = get();
    const bridge::Store& into = store.get();
    const bridge::Cancel& flag = cancel.get();
    const rust::Str checked = detail::text(name, "name");
    const bridge::PullOptions wanted = detail::to_bridge(options);
    return detail::from_bridge(detail::watched<bridge::PullCallback>(
        progress, [&](auto callback) { return lock.pull(checked, into, wanted, std::move(callback), flag); }));
  }

  /// Resolves `name` and loads it.
  ///
  /// Throws what `resolve` and `Model::load` throw.
  Model load(std::string_view name, const Store& store, const ModelOptions& options = {},
             const LoadProgress& progress = nullptr, const Cancel& cancel = Cancel()) const {
    const bridge::LockFile& lock = get();
    const bridge::Store& from = store.get();
    const rust::Str checked = detail::text(name, "name");
    return Model::loaded(options, progress, cancel, [&](const auto& wanted, auto callback, const auto& flag) {
      return lock.load(checked, from, wanted, std::move(callback), flag);
    });
  }

  /// Checks the files and replays the goldens. What is wrong with a pin stands in the report.
  ///
  /// Throws `not_pinned` for an unknown name, `cancelled` or `callback`.
  VerifyReport verify(const Store& store, const VerifyOptions& options = {},
                      const VerifyProgress& progress = nullptr, const Cancel& cancel = Cancel()) const {
    const bridge::LockFile& lock = get();
    const bridge::Store& from = store.get();
    const bridge::Cancel& flag = cancel.get();
    const bridge::VerifyOptions wanted = detail::to_bridge(options);
    return detail::from_bridge(detail::watched<bridge::VerifyCallback>(
        progress, [&](auto callback) { return lock.verify(from, wanted, std::move(callback), flag); }));
  }

 private:
  explicit LockFile(rust::Box<bridge::LockFile> box) : handle_(std::move(box)) {}

  const bridge::LockFile& get() const { return handle_.get("LockFile"); }

  template <typename Work>
  auto call(Work&& work) const -> decltype(work(std::declval<const bridge::LockFile&>())) {
    const bridge::LockFile& lock = get();
    return detail::call([&] { return work(lock); });
  }

  detail::Handle<bridge::LockFile> handle_;
};

}  // namespace pinfold

#endif
