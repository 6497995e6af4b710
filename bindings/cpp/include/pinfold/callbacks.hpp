// The app's functions as Rust holds them: not for users, who give a std::function to `pinfold.hpp`. What a function
// throws is caught here, since it must not unwind through Rust.
#ifndef PINFOLD_CALLBACKS_HPP
#define PINFOLD_CALLBACKS_HPP

#include <exception>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "pinfold/values.hpp"
#include "rust/cxx.h"

namespace pinfold::bridge {

/// Hears of a load.
class ProgressCallback {
 public:
  /// What `function` throws goes to `thrown`, so that the load can throw it again.
  ProgressCallback(std::function<void(float)> function, std::shared_ptr<std::exception_ptr> thrown)
      : function_(std::move(function)), thrown_(std::move(thrown)) {}

  bool loaded(float share) const noexcept {
    try {
      function_(share);
      return true;
    } catch (...) {
      *thrown_ = std::current_exception();
      return false;
    }
  }

 private:
  std::function<void(float)> function_;
  std::shared_ptr<std::exception_ptr> thrown_;
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
