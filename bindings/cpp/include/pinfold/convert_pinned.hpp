// Between the values of `pinned.hpp` and those of the bridge: not for users.
#ifndef PINFOLD_CONVERT_PINNED_HPP
#define PINFOLD_CONVERT_PINNED_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pinfold/convert.hpp"
#include "pinfold/pinned.hpp"

namespace pinfold::detail {

inline bridge::MaybeText maybe(const std::optional<std::string>& value, const char* name) {
  return {value.has_value(), owned(value.value_or(""), name)};
}

inline std::optional<std::uint32_t> number(const bridge::MaybeNumber& maybe) {
  return maybe.present ? std::optional<std::uint32_t>(maybe.value) : std::nullopt;
}

inline std::vector<std::string> texts(const rust::Vec<rust::String>& values) {
  return list<std::string, rust::String>(values, text);
}

inline bridge::StoreOptions to_bridge(const StoreOptions& options) {
  return {maybe(options.root, "root"), options.quota.has_value(), options.quota.value_or(0)};
}

inline bridge::PullOptions to_bridge(const PullOptions& options) {
  return {options.connections,
          options.attempts,
          maybe(options.hub_endpoint, "hub_endpoint"),
          maybe(options.hub_token, "hub_token"),
          maybe(options.certificates, "certificates"),
          options.stall_timeout_ms};
}

inline bridge::VerifyOptions to_bridge(const VerifyOptions& options) {
  return {owned(options.names, "names"), options.full_check, options.tolerance, options.threads};
}

inline StoreEntry from_bridge(const bridge::StoreEntry& entry) {
  StoreEntry out{text(entry.digest), entry.size, text(entry.path), std::nullopt, texts(entry.pinned_by)};
  if (entry.was_used) {
    const auto since_1970 = std::chrono::microseconds(entry.used);
    out.used.emplace(std::chrono::duration_cast<std::chrono::system_clock::duration>(since_1970));
  }
  return out;
}

inline DamagedEntry from_bridge(const bridge::DamagedEntry& damaged) {
  return {from_bridge(damaged.entry), text(damaged.actual_digest)};
}

inline Collected from_bridge(const bridge::Collected& collected) {
  return {list<StoreEntry, bridge::StoreEntry>(collected.removed, from_bridge), collected.freed};
}

inline PinnedCheckpoint from_bridge(const bridge::PinnedCheckpoint& pin) {
  return {text(pin.name),         texts(pin.sources),      text(pin.digest),
          pin.size,               text(pin.licence),       pin.is_signed,
          text(pin.architecture), text(pin.quantization),  pin.context_length,
          text(pin.tokenizer_digest), text(pin.chat_template_digest)};
}

inline PinnedAdapter from_bridge(const bridge::PinnedAdapter& pin) {
  return {text(pin.name),    texts(pin.sources), text(pin.digest),       pin.size,       text(pin.licence),
          pin.is_signed, text(pin.architecture), text(pin.base), text(pin.base_digest)};
}

inline PinnedGolden from_bridge(const bridge::PinnedGolden& golden) {
  return {text(golden.name),    text(golden.checkpoint), text(golden.text),
          text(golden.runtime), text(golden.backend),    text(golden.llama_cpp)};
}

inline PinnedFile from_bridge(const bridge::PinnedFile& file) {
  return {text(file.name), text(file.path), text(file.digest)};
}

inline FileReport from_bridge(const bridge::FileReport& report) {
  FileReport out{text(report.name), report.passed, {}, text(report.detail)};
  for (const std::uint8_t cause : report.causes) {
    out.causes.push_back(static_cast<Cause>(cause));
  }
  return out;
}

inline GoldenReport from_bridge(const bridge::GoldenReport& report) {
  GoldenReport out;
  out.name = text(report.name);
  out.checkpoint = text(report.checkpoint);
  out.outcome = report.outcome;
  out.exact = report.exact;
  if (report.has_cause) {
    out.cause = report.cause;
  }
  if (report.has_difference) {
    const bridge::Difference& found = report.difference;
    out.difference = Difference{found.index,
                                number(found.expected_token),
                                number(found.actual_token),
                                text(found.expected_text),
                                text(found.actual_text),
                                found.has_margin ? std::optional<float>(found.margin) : std::nullopt};
  }
  out.deviation = report.deviation;
  out.detail = text(report.detail);
  return out;
}

inline VerifyReport from_bridge(const bridge::VerifyReport& report) {
  return {report.passed, list<FileReport, bridge::FileReport>(report.files, from_bridge),
          list<GoldenReport, bridge::GoldenReport>(report.goldens, from_bridge)};
}

}  // namespace pinfold::detail

#endif
