// The app's functions as Rust holds them: not for users, who give a std::function to `pinfold.hpp`. What a function
// throws is caught here, since it must not unwind through Rust.
#ifndef PINFOLD_CALLBACKS_HPP
#define PINFOLD_CALLBACKS_HPP

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "pinfold/pinned.hpp"
#include "pinfold/values.hpp"
#include "rust/cxx.h"

namespace pinfold::bridge {

/// A function of the app that hears of work.
template <typename... Arguments>
class Watch {
 public:
  using Function = std::function<void(Arguments...)>;

  /// What `function` throws goes to `thrown`, so that the work can throw it again.
  Watch(Function function, std::shared_ptr<std::exception_ptr> thrown)
      : function_(std::move(function)), thrown_(std::move(thrown)) {}

 protected:
  bool tell(Arguments... arguments) const noexcept {
    try {
      function_(arguments...);
      return true;
    } catch (...) {
      *thrown_ = std::current_exception();
      return false;
    }
  }

 private:
  Function function_;
  std::shared_ptr<std::exception_ptr> thrown_;
};

/// Hears of a load.
class ProgressCallback : public Watch<float> {
 public:
  using Watch::Watch;
  bool loaded(float share) const noexcept { return tell(share); }
};

/// Hears of a download.
class PullCallback : public Watch<std::string_view, std::uint64_t, std::uint64_t> {
 public:
  using Watch::Watch;
  bool pulled(rust::Str source, std::uint64_t done, std::uint64_t total) const noexcept {
    return tell({source.data(), source.size()}, done, total);
  }
};

/// Hears of a verification.
class VerifyCallback : public Watch<std::string_view, std::uint32_t, std::uint32_t> {
 public:
  using Watch::Watch;
  bool verified(rust::Str subject, std::uint32_t done, std::uint32_t total) const noexcept {
    return tell({subject.data(), subject.size()}, done, total);
  }
};

/// Hears of work on a store.
class StoreCallback : public Watch<std::uint64_t, std::uint64_t> {
 public:
  using Watch::Watch;
  bool processed(std::uint64_t done, std::uint64_t total) const noexcept { return tell(done, total); }
};

/// Receives the log.
class LogCallback {
 public:
  using Function = std::function<void(LogLevel, std::string_view, std::string_view)>;

  explicit LogCallback(Function function) : function_(std::move(function)) {}

  bool log(LogLevel level, rust::Str target, rust::Str message) const noexcept {
    try {
      function_(level, {target.data(), target.size()}, {message.data(), message.size()});
      return true;
    } catch (...) {
      return false;
    }
  }

 private:
  Function function_;
};

}  // namespace pinfold::bridge

#endif
