// The app's functions: what they hear, and what becomes of what they throw.

#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.hpp"

using pinfold::Cancel;
using pinfold::LogLevel;
using pinfold::Model;

/// An exception of the app that has nothing to do with the standard library's.
struct Odd {};

static void progress_is_heard() {
  std::vector<float> shares;
  std::set<std::thread::id> threads;
  Model::load_embedded("intent", {}, [&](float share) {
    shares.push_back(share);
    threads.insert(std::this_thread::get_id());
  });
  check(!shares.empty() && shares.front() >= 0.0F && shares.back() == 1.0F, "the shares go from 0 to 1");
  bool rising = true;
  for (std::size_t i = 1; i < shares.size(); ++i) {
    rising = rising && shares[i - 1] <= shares[i];
  }
  check(rising, "the shares rise");
  check(threads == std::set<std::thread::id>{std::this_thread::get_id()}, "they come on the thread that loads");
}

static void progress_that_throws() {
  const auto load = [](const pinfold::LoadProgress& progress) { Model::load_embedded("intent", {}, progress); };
  const auto fault = [](float) { throw std::runtime_error("the app's own"); };
  const auto odd = [](float) { throw Odd{}; };
  fails("a progress that throws", "callback", "progress of the load", [&] { load(fault); });
  fails("a progress that throws no exception", "callback", "progress of the load", [&] { load(odd); });

  std::string inner;
  try {
    load(fault);
  } catch (const pinfold::Error& error) {
    try {
      std::rethrow_if_nested(error);
    } catch (const std::runtime_error& own) {
      inner = own.what();
    }
  }
  check(inner == "the app's own", "the app's exception is nested in the error");

  bool came = false;
  try {
    load(odd);
  } catch (const pinfold::Error& error) {
    try {
      std::rethrow_if_nested(error);
    } catch (const Odd&) {
      came = true;
    }
  }
  check(came, "so is one that is no std::exception");
  load([](float) {});
  check(true, "the next load goes well");
}

static void a_load_is_cancelled_by_its_progress() {
  Cancel cancel;
  fails("a cancel in the progress", "cancelled", "", [&] {
    Model::load_embedded("intent", {}, [&](float) { cancel.cancel(); }, cancel);
  });
  bool called = false;
  fails("an error before the load", "unknown_checkpoint", "intent", [&] {
    Model::load_embedded("nothing", {}, [&](float) { called = true; });
  });
  check(!called, "a load that does not begin has no progress");
}

static void the_function_is_given_back() {
  auto held = std::make_shared<int>(0);
  Model::load_embedded("intent", {}, [held](float) {});
  check(held.use_count() == 1, "the progress is destroyed with the end of the load");
  pinfold::set_log_sink([held](auto...) {}, LogLevel::Error);
  check(held.use_count() == 2, "the sink is kept");
  pinfold::set_log_sink([](auto...) {}, LogLevel::Error);
  check(held.use_count() == 1, "the sink before is destroyed");
  pinfold::set_log_sink(nullptr);
}

static void the_log_is_heard() {
  std::mutex lock;
  int lines = 0;
  bool named = true;
  pinfold::set_log_sink(
      [&](LogLevel level, std::string_view target, std::string_view message) {
        const std::lock_guard<std::mutex> guard(lock);
        ++lines;
        named = named && target.substr(0, 7) == "pinfold" && !message.empty() && level <= LogLevel::Trace;
      },
      LogLevel::Trace);
  Model::load_embedded("intent");
  check(lines > 0 && named, "a load is logged, with its target");

  pinfold::set_log_sink([](auto...) { throw Odd{}; }, LogLevel::Trace);
  Model loaded = Model::load_embedded("intent");
  check(loaded.context_tokens() > 0, "a sink that throws hurts nothing");

  pinfold::set_log_sink(nullptr);
  lines = 0;
  Model::load_embedded("intent");
  check(lines == 0, "without a sink the log is silent");
}

int main() {
  progress_is_heard();
  progress_that_throws();
  a_load_is_cancelled_by_its_progress();
  the_function_is_given_back();
  the_log_is_heard();
  return report("callbacks");
}
