// Lock files and stores that are used wrongly, and the functions that hear of their work; the shared cases do the rest.
//
//     pins PINS FOLDER     the lock files of the cases, a folder to write to

#include <filesystem>
#include <stdexcept>
#include <string>

#include <pinfold.hpp>

#include "check.hpp"

using pinfold::Cancel;
using pinfold::LockFile;
using pinfold::Store;

static Store store_at(const std::string& root) {
  pinfold::StoreOptions options;
  options.root = root;
  return Store::open(options);
}

static void moved_from_objects(const std::string& pins, const std::string& folder) {
  LockFile lock = LockFile::open(pins + "/pinfold.lock");
  Store store = store_at(folder + "/moved");
  LockFile taken_lock = std::move(lock);
  Store taken_store = std::move(store);
  fails("a lock file that was moved from", "invalid_option", "LockFile", [&] { lock.checkpoints(); });
  fails("a store that was moved from", "invalid_option", "Store", [&] { store.entries(); });
  fails("as an argument", "invalid_option", "Store", [&] { taken_lock.resolve("intent", store); });
  check(taken_lock.checkpoints().size() == 3 && taken_store.entries().empty(), "those that they moved to serve");
}

static void texts_that_are_not_utf_8(const std::string& pins, const std::string& folder) {
  const std::string bad = "\xff\xfe";
  LockFile lock = LockFile::open(pins + "/pinfold.lock");
  Store store = store_at(folder + "/texts");
  fails("a path", "invalid_text", "path", [&] { LockFile::open(bad); });
  fails("a key", "invalid_text", "public_key", [&] { LockFile::open_signed(pins + "/pinfold.lock", bad); });
  fails("a folder", "invalid_text", "folder", [&] { LockFile::find(bad); });
  fails("a root", "invalid_text", "root", [&] { store_at(bad); });
  fails("a name", "invalid_text", "name", [&] { lock.resolve(bad, store); });
  fails("a digest", "invalid_text", "digest", [&] { store.remove(bad); });
  fails("digests", "invalid_text", "digests", [&] { store.verify({bad}); });
  pinfold::VerifyOptions options;
  options.names = {bad};
  fails("names", "invalid_text", "names", [&] { lock.verify(store, options); });
  pinfold::PullOptions pull;
  pull.hub_token = bad;
  fails("a token", "invalid_text", "hub_token", [&] { lock.pull("intent", store, pull); });
}

static void values_out_of_range(const std::string& pins, const std::string& folder) {
  LockFile lock = LockFile::open(pins + "/pinfold.lock");
  Store store = store_at(folder + "/range");
  fails("a text that is no digest", "invalid_option", "digest", [&] { store.remove("abc"); });
  fails("a digest that is not here", "not_pulled", "", [&] { store.verify({std::string(64, 'a')}); });
  check(!store.remove(std::string(64, 'a')), "what is not here is not removed");
  fails("bytes that are null", "invalid_option", "null", [] { LockFile::open_bytes("x.lock", nullptr, 1); });
  fails("no bytes", "bad_lock", "x.lock:1:1", [] { LockFile::open_bytes("x.lock", nullptr, 0); });
  pinfold::PullOptions pull;
  pull.connections = 0;
  fails("no connection", "invalid_option", "connections", [&] { lock.pull("intent", store, pull); });
  pinfold::VerifyOptions options;
  options.tolerance = -1.0F;
  fails("a tolerance below 0", "invalid_option", "tolerance", [&] { lock.verify(store, options); });
  pinfold::StoreOptions quota;
  quota.root = folder + "/range";
  quota.quota = 0;
  fails("a quota of 0", "invalid_option", "quota", [&] { Store::open(quota); });
}

static void the_apps_exception_is_nested(const std::string& pins, const std::string& folder) {
  LockFile lock = LockFile::open(pins + "/pinfold.lock");
  Store store = store_at(folder + "/nested");
  std::string inner;
  try {
    lock.pull("intent", store, {}, [](auto...) { throw std::runtime_error("the app's own"); });
  } catch (const pinfold::Error& error) {
    check(error.code() == "callback", "the pull ends with a callback error");
    try {
      std::rethrow_if_nested(error);
    } catch (const std::runtime_error& own) {
      inner = own.what();
    }
  }
  check(inner == "the app's own", "the app's exception is nested in the error");

  Cancel cancel;
  fails("a cancel in the progress", "cancelled", "",
        [&] { lock.pull("intent", store, {}, [&](auto...) { cancel.cancel(); }, cancel); });
  check(store.entries().empty(), "what was not pulled to its end is not in the store");

  const auto held = std::make_shared<int>(0);
  lock.pull("intent", store, {}, [held](auto...) {});
  check(held.use_count() == 1, "the progress is destroyed with the end of the pull");
  check(store.entries().size() == 1 && store.entries().at(0).used.has_value(), "the next pull goes well");
}

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: pins PINS FOLDER\n";
    return 2;
  }
  std::filesystem::remove_all(arguments[2]);
  moved_from_objects(arguments[1], arguments[2]);
  texts_that_are_not_utf_8(arguments[1], arguments[2]);
  values_out_of_range(arguments[1], arguments[2]);
  the_apps_exception_is_nested(arguments[1], arguments[2]);
  std::filesystem::remove_all(arguments[2]);
  return report("pins");
}
