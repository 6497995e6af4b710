// What the tests say their checks with. A check that fails is printed and counted; the program goes on.
#ifndef PINFOLD_TESTS_CHECK_HPP
#define PINFOLD_TESTS_CHECK_HPP

#include <atomic>
#include <iostream>
#include <string>
#include <string_view>

#include <pinfold.hpp>

struct Tally {
  std::atomic<int> checks{0};
  std::atomic<int> failures{0};
};

inline Tally& tally() {
  static Tally all;
  return all;
}

inline void check(bool holds, std::string_view what) {
  ++tally().checks;
  if (!holds) {
    ++tally().failures;
    std::cerr << "FAILED: " << what << "\n";
  }
}

/// Checks that `work` throws a `pinfold::Error` of this code whose message holds `part`.
template <typename Work>
void fails(std::string_view what, std::string_view code, std::string_view part, Work&& work) {
  std::string came = "no error";
  try {
    work();
  } catch (const pinfold::Error& error) {
    came = error.code() + ": " + error.what();
    if (error.code() == code && std::string_view(error.what()).find(part) != std::string_view::npos) {
      came.clear();
    }
  } catch (const std::exception& error) {
    came = std::string("another exception: ") + error.what();
  }
  check(came.empty(), std::string(what) + ": wanted " + std::string(code) + " with \"" + std::string(part) +
                          "\", got " + came);
}

/// All text of a stream.
inline std::string text_of(pinfold::Stream& stream) {
  std::string text;
  for (const pinfold::Chunk& chunk : stream) {
    text += chunk.text;
  }
  return text;
}

/// The exit status of the program.
inline int report(std::string_view name) {
  std::cout << name << ": " << tally().checks << " checks, " << tally().failures << " failed\n";
  return tally().failures == 0 ? 0 : 1;
}

#endif
