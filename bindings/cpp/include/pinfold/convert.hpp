// Between the values of `values.hpp` and those of the bridge: not for users.
#ifndef PINFOLD_CONVERT_HPP
#define PINFOLD_CONVERT_HPP

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pinfold/error.hpp"
#include "pinfold/src/bridge.rs.h"
#include "pinfold/values.hpp"

namespace pinfold::detail {

/// A text of Rust, which is UTF-8. `name` is the argument's, for the error.
template <typename Text>
Text checked(std::string_view value, const char* name) {
  try {
    return Text(value.data(), value.size());
  } catch (const std::invalid_argument&) {
    throw Error("invalid_text", std::string(name) + ": the text is not UTF-8");
  }
}

/// Text on its way in, without a copy.
inline rust::Str text(std::string_view value, const char* name) { return checked<rust::Str>(value, name); }

inline rust::String owned(const std::string& value, const char* name) { return checked<rust::String>(value, name); }

inline rust::Vec<rust::String> owned(const std::vector<std::string>& values, const char* name) {
  rust::Vec<rust::String> out;
  out.reserve(values.size());
  for (const std::string& value : values) {
    out.push_back(owned(value, name));
  }
  return out;
}

inline std::string text(const rust::String& value) { return {value.data(), value.size()}; }

inline std::optional<std::string> text(const bridge::MaybeText& maybe) {
  return maybe.present ? std::optional<std::string>(text(maybe.value)) : std::nullopt;
}

inline bridge::MaybeNumber number(std::optional<std::uint32_t> maybe) { return {maybe.has_value(), maybe.value_or(0)}; }

inline std::vector<Token> tokens(const rust::Vec<Token>& values) { return {values.begin(), values.end()}; }

inline rust::Slice<const Token> tokens(const std::vector<Token>& values) { return {values.data(), values.size()}; }

/// A list of the bridge, each value converted.
template <typename Value, typename Other>
std::vector<Value> list(const rust::Vec<Other>& values, Value (*convert)(const Other&)) {
  std::vector<Value> out;
  out.reserve(values.size());
  for (const Other& value : values) {
    out.push_back(convert(value));
  }
  return out;
}

inline bridge::ModelOptions to_bridge(const ModelOptions& options) {
  bridge::ModelOptions out;
  out.context_tokens = options.context_tokens;
  out.sessions = options.sessions;
  out.threads = options.threads;
  out.slice_tokens = options.slice_tokens;
  out.offload_layers = number(options.offload.layers);
  out.offload_devices = owned(options.offload.devices, "offload.devices");
  out.mmap = options.mmap;
  out.check_memory = options.check_memory;
  out.reproducible = options.reproducible;
  return out;
}

inline bridge::GenerateOptions to_bridge(const GenerateOptions& options) {
  const Sampling& sampling = options.sampling;
  bridge::GenerateOptions out;
  out.temperature = sampling.temperature;
  out.seed = sampling.seed;
  out.logit_bias.reserve(sampling.logit_bias.size());
  for (const auto& [token, bias] : sampling.logit_bias) {
    out.logit_bias.push_back({token, bias});
  }
  out.penalty_window = sampling.penalty_window;
  out.repetition_penalty = sampling.repetition_penalty;
  out.frequency_penalty = sampling.frequency_penalty;
  out.presence_penalty = sampling.presence_penalty;
  out.top_k = sampling.top_k;
  out.typical_p = sampling.typical_p;
  out.top_p = sampling.top_p;
  out.min_p = sampling.min_p;
  out.max_tokens = number(options.max_tokens);
  out.stop = owned(options.stop, "stop");
  out.logprobs = number(options.logprobs);
  return out;
}

inline std::vector<bridge::Message> to_bridge(const std::vector<Message>& messages) {
  std::vector<bridge::Message> out;
  out.reserve(messages.size());
  for (const Message& message : messages) {
    out.push_back({message.role, owned(message.content, "messages")});
  }
  return out;
}

inline TokenLogprob from_bridge(const bridge::TokenLogprob& entry) { return {entry.token, entry.logprob}; }

inline GeneratedToken from_bridge(const bridge::GeneratedToken& token) {
  GeneratedToken out;
  out.token = token.token;
  if (token.has_logprob) {
    out.logprob = token.logprob;
  }
  out.top = list<TokenLogprob, bridge::TokenLogprob>(token.top, from_bridge);
  return out;
}

inline std::optional<Chunk> from_bridge(const bridge::MaybeChunk& chunk) {
  if (!chunk.present) {
    return std::nullopt;
  }
  return Chunk{text(chunk.text), list<GeneratedToken, bridge::GeneratedToken>(chunk.tokens, from_bridge)};
}

inline std::optional<Finish> from_bridge(const bridge::MaybeFinish& finish) {
  if (!finish.present) {
    return std::nullopt;
  }
  return Finish{finish.reason, finish.prompt_tokens, finish.generated_tokens, finish.prompt_seconds,
                finish.generation_seconds};
}

inline Facts from_bridge(const bridge::Facts& facts) {
  return {text(facts.architecture), facts.parameters,  facts.bytes,       facts.context_length,
          facts.embedding_width,    facts.has_encoder, facts.has_decoder, text(facts.chat_template)};
}

inline CheckpointInfo from_bridge(const bridge::CheckpointInfo& info) {
  return {text(info.name),
          text(info.architecture),
          text(info.quantization),
          text(info.licence),
          info.parameters,
          info.weight_bytes,
          info.context_length,
          info.layers,
          info.width,
          info.vocabulary,
          text(info.tokenizer),
          text(info.chat_template),
          {info.memory.weights, info.memory.kv_cache, info.memory.compute}};
}

inline EmbeddedInfo from_bridge(const bridge::EmbeddedInfo& info) {
  return {text(info.name), text(info.summary), text(info.licence), info.bytes, text(info.digest)};
}

inline Device from_bridge(const bridge::Device& device) {
  return {text(device.name),  text(device.description), device.kind,
          device.memory_free, device.memory_total,      text(device.kernels)};
}

inline Sampling sampling(const bridge::GenerateOptions& options) {
  Sampling out;
  out.temperature = options.temperature;
  out.seed = options.seed;
  for (const bridge::TokenBias& entry : options.logit_bias) {
    out.logit_bias.emplace(entry.token, entry.bias);
  }
  out.penalty_window = options.penalty_window;
  out.repetition_penalty = options.repetition_penalty;
  out.frequency_penalty = options.frequency_penalty;
  out.presence_penalty = options.presence_penalty;
  out.top_k = options.top_k;
  out.typical_p = options.typical_p;
  out.top_p = options.top_p;
  out.min_p = options.min_p;
  return out;
}

/// Does a call of the bridge and turns its exception into ours.
template <typename Call>
auto call(Call&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const rust::Error& error) {
    throw Error::from_bridge(error.what());
  }
}

/// Does a call of the bridge that hears of its progress by a `Callback`, which takes what `progress` takes. What the
/// function threw is nested in the error.
template <typename Callback, typename Progress, typename Call>
auto watched(const Progress& progress, Call&& work) -> decltype(work(std::unique_ptr<Callback>())) {
  const auto thrown = std::make_shared<std::exception_ptr>();
  std::unique_ptr<Callback> callback;
  if (progress) {
    callback = std::make_unique<Callback>(progress, thrown);
  }
  try {
    return call([&] { return work(std::move(callback)); });
  } catch (const Error& error) {
    if (*thrown == nullptr) {
      throw;
    }
    try {
      std::rethrow_exception(*thrown);
    } catch (...) {
      std::throw_with_nested(Error(error));
    }
  }
}

/// Owns an object of Rust, or nothing once it was moved from.
template <typename Object>
class Handle {
 public:
  explicit Handle(rust::Box<Object> box) noexcept : box_(std::move(box)) {}

  Handle(Handle&& other) noexcept : box_(std::move(other.box_)) { other.box_.reset(); }

  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      box_ = std::move(other.box_);
      other.box_.reset();
    }
    return *this;
  }

  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() = default;

  /// The object; `name` is its class, for the error.
  const Object& get(const char* name) const {
    if (!box_) {
      throw Error("invalid_option", std::string(name) + ": this object was moved from; use the one that it moved to");
    }
    return **box_;
  }

 private:
  std::optional<rust::Box<Object>> box_;
};

}  // namespace pinfold::detail

#endif
