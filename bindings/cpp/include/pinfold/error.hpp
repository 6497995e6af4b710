// The one exception of Pinfold.
#ifndef PINFOLD_ERROR_HPP
#define PINFOLD_ERROR_HPP

#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace pinfold {

/// Why a call failed.
///
/// `code()` is for programs, `what()` for people: it says what is wrong and what to do, and never holds text of the
/// user. The codes, the same in all languages:
///
///     io  bad_checkpoint  unknown_checkpoint  load_failed  out_of_memory  context_full  too_many_sessions
///     session_busy  session_empty  cancelled  invalid_option  unknown_token  no_candidate  bad_session
///     chat_template  unsupported  engine  invalid_text  callback  bad_lock  not_pinned  not_pulled  wrong_digest
///     bad_store  no_space  bad_source  pull_failed  bad_signature
///
/// Later versions may add codes. A call on an object that was moved from throws `invalid_option`; a text or a path that
/// is not UTF-8 throws `invalid_text`.
class Error : public std::exception {
 public:
  Error(std::string code, std::string message)
      : said_(std::make_shared<const std::pair<std::string, std::string>>(std::move(code), std::move(message))) {}

  /// The code, e.g. `context_full`. It lives as long as the exception or a copy of it.
  const std::string& code() const noexcept { return said_->first; }

  /// The message, in UTF-8.
  const char* what() const noexcept override { return said_->second.c_str(); }

  /// From an error as the bridge says it: the code, a space, the message.
  static Error from_bridge(const char* said) {
    const char* space = std::strchr(said, ' ');
    if (space == nullptr) {
      return Error("engine", said);
    }
    return Error(std::string(said, space), space + 1);
  }

 private:
  // Shared, because the copy of an exception must not throw.
  std::shared_ptr<const std::pair<std::string, std::string>> said_;
};

}  // namespace pinfold

#endif
