// Whether a case is as it should be.
#ifndef PINFOLD_TESTS_SAID_HPP
#define PINFOLD_TESTS_SAID_HPP

#include <stdexcept>
#include <string>

#include <pinfold.hpp>

#include "lines.hpp"

/// A case that is not as it should be.
struct Difference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void want(bool holds, const std::string& what) {
  if (!holds) {
    throw Difference(what);
  }
}

/// Does `work`, from which the error comes that the fields name, or none.
template <typename Work>
void as_said(const Fields& fields, Work&& work) {
  try {
    work();
  } catch (const pinfold::Error& error) {
    const std::string what = error.what();
    want(error.code() == fields.text("error"), "the error is " + error.code() + ": " + what);
    want(what.find(fields.text("message")) != std::string::npos, "the message is " + what);
    return;
  }
  want(!fields.has("error"), "there is no error, but " + fields.text("error") + " should come");
}

#endif
