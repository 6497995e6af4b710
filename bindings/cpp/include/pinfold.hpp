// Pinfold for C++17: run pinned checkpoints on the device.
//
//     pinfold::Model model = pinfold::Model::load_embedded("intent");
//     pinfold::Session session = model.session();
//     session.append(model.chat_prompt({{pinfold::Role::User, "play some jazz"}}), true);
//     for (const pinfold::Chunk& chunk : session.generate()) {
//       std::cout << chunk.text << std::flush;
//     }
//
// Ownership. Model, Session, Stream, Cancel, LockFile and Store own an object of the library each: they are moved, not copied, and give
// it back when they are destroyed. A session keeps its model's memory and a stream its session's state alive, so they
// may be destroyed in any order. Values that come out own what they hold. Text, vectors and functions that go in are
// read or copied during the call.
//
// Threads. Every call blocks until it is done. Calls on one object may come from several threads at once, whether they
// are marked const or not; moving, assigning and destroying an object is for one thread, when no call on it is running.
//
// Errors. Every call that can fail throws `pinfold::Error`, and so does every call on an object that was moved from.
// An error of a call on a session leaves the session as it was. Nothing else is thrown but `std::bad_alloc`.
#ifndef PINFOLD_HPP
#define PINFOLD_HPP

#if !defined(__cpp_exceptions) && !defined(_CPPUNWIND)
#error "pinfold.hpp reports errors as exceptions; compile with exceptions, or use the C interface pinfold.h"
#endif

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pinfold/convert.hpp"
#include "pinfold/error.hpp"
#include "pinfold/values.hpp"

namespace pinfold {

/// A flag that stops a load, a prefill, a generation or work on pins from another thread.
///
/// Setting it takes no lock and never blocks. A flag that was set stays set: make a new one for new work. The work
/// shares the flag, so that this object may be destroyed before the work ends.
class Cancel {
 public:
  /// A flag that is not set.
  Cancel() : handle_(bridge::new_cancel()) {}

  /// Asks the work to stop; it does so within one decode step or one slice of a prefill.
  void cancel() { get().cancel(); }

  /// Whether `cancel` was called.
  bool is_cancelled() const { return get().is_cancelled(); }

 private:
  friend class LockFile;
  friend class Model;
  friend class Session;
  friend class Store;

  const bridge::Cancel& get() const { return handle_.get("Cancel"); }

  detail::Handle<bridge::Cancel> handle_;
};

/// A generation under way, pulled piece by piece.
///
/// The worker runs ahead by at most 64 pieces. Once the stream was cancelled or destroyed, its session holds the tokens
/// that the stream gave out and no more, and can be used again at once. One thread reads at a time; a second one waits.
class Stream {
 public:
  /// Waits for the next piece; nothing at the end. Pieces that are ready come joined, at most 64.
  ///
  /// Throws what ended the generation, e.g. `context_full`, once the text before it was given out.
  std::optional<Chunk> next() {
    const bridge::Stream& stream = get();
    return detail::from_bridge(detail::call([&] { return stream.next(); }));
  }

  /// Ends the generation, from any thread and without waiting: `next` gives nothing more, and `finish` says
  /// `Cancelled`. After the end it does nothing.
  void cancel() { get().cancel(); }

  /// How it ended; nothing while it goes on, while another thread is in `next`, and after an error. Never waits.
  std::optional<Finish> finish() const { return detail::from_bridge(get().finish()); }

  /// Goes through the pieces of a stream, once. `begin` and `++` are calls of `next` and throw what it throws. The
  /// stream must neither be moved nor destroyed while an iterator is in use.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Chunk;
    using difference_type = std::ptrdiff_t;
    using pointer = const Chunk*;
    using reference = const Chunk&;

    /// The end of every stream.
    Iterator() = default;

    reference operator*() const { return *chunk_; }
    pointer operator->() const { return &*chunk_; }

    Iterator& operator++() {
      chunk_ = stream_->next();
      return *this;
    }

    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }

    friend bool operator==(const Iterator& one, const Iterator& other) {
      return one.chunk_.has_value() == other.chunk_.has_value();
    }
    friend bool operator!=(const Iterator& one, const Iterator& other) { return !(one == other); }

   private:
    friend class Stream;
    explicit Iterator(Stream& stream) : stream_(&stream), chunk_(stream.next()) {}

    Stream* stream_ = nullptr;
    std::optional<Chunk> chunk_;
  };

  Iterator begin() { return Iterator(*this); }
  Iterator end() { return {}; }

 private:
  friend class Session;
  explicit Stream(rust::Box<bridge::Stream> box) : handle_(std::move(box)) {}

  const bridge::Stream& get() const { return handle_.get("Stream"); }

  detail::Handle<bridge::Stream> handle_;
};

/// A sequence of tokens: what was read and what was generated.
///
/// Calls from several threads are done one after another. While a stream of the session is open, every call but
/// `tokens` throws `session_busy`.
class Session {
 public:
  /// Adds text and returns the number of tokens held. Nothing is computed yet. At the start of a session the
  /// checkpoint's begin-of-sequence token is put in front, where it wants one. With `parse_special`, special tokens
  /// that are spelled out are read as tokens: only for text that the author of a prompt or a chat template wrote,
  /// never for a user's.
  ///
  /// Throws `context_full` if it does not fit, `invalid_text`; nothing is added then.
  std::uint32_t append(std::string_view text, bool parse_special = false) {
    const rust::Str checked = detail::text(text, "text");
    return call([&](const bridge::Session& session) { return session.append(checked, parse_special); });
  }

  /// Adds tokens as they are and returns the number of tokens held.
  ///
  /// Throws `unknown_token` or `context_full`; nothing is added then.
  std::uint32_t append_tokens(const std::vector<Token>& tokens) {
    return call([&](const bridge::Session& session) { return session.append_tokens(detail::tokens(tokens)); });
  }

  /// Computes what was added, so that the first token of the next generation comes at once.
  ///
  /// Throws `cancelled`; what was computed by then stays.
  void prefill(const Cancel& cancel = Cancel()) {
    const bridge::Cancel& flag = cancel.get();
    call([&](const bridge::Session& session) { session.prefill(flag); });
  }

  /// Starts a generation after the tokens held. The stream computes what was added first.
  ///
  /// Throws `invalid_option`, `session_empty` or `invalid_text` (a stop text); later errors come from the stream.
  Stream generate(const GenerateOptions& options = {}, const Cancel& cancel = Cancel()) {
    const bridge::GenerateOptions wanted = detail::to_bridge(options);
    const bridge::Cancel& flag = cancel.get();
    return Stream(call([&](const bridge::Session& session) { return session.generate(wanted, flag); }));
  }

  /// The `count` likeliest next tokens, the likeliest first.
  ///
  /// Throws `session_empty` or `cancelled`.
  std::vector<TokenLogprob> next_tokens(std::uint32_t count, const Cancel& cancel = Cancel()) {
    const bridge::Cancel& flag = cancel.get();
    const auto found = call([&](const bridge::Session& session) { return session.next_tokens(count, flag); });
    return detail::list<TokenLogprob, bridge::TokenLogprob>(found, detail::from_bridge);
  }

  /// The tokens held.
  std::vector<Token> tokens() const {
    return detail::tokens(call([](const bridge::Session& session) { return session.tokens(); }));
  }

  /// Forgets all tokens after the first `length`.
  ///
  /// Throws `invalid_option` if fewer are held.
  void rewind(std::uint32_t length) {
    call([&](const bridge::Session& session) { session.rewind(length); });
  }

  /// Another session that holds the same tokens; what is computed is not computed again.
  ///
  /// Throws `too_many_sessions`, or `context_full`, since a fork counts in full.
  Session fork() const {
    return Session(call([](const bridge::Session& session) { return session.fork(); }));
  }

  /// Writes the session to a file: beside it first, then renamed. The file is bound to the bytes of the checkpoint. It
  /// holds the tokens, so treat it as the text that it stands for. `path` is UTF-8.
  ///
  /// Throws `io`.
  void save(std::string_view path) const {
    const rust::Str checked = detail::text(path, "path");
    call([&](const bridge::Session& session) { session.save(checked); });
  }

  /// Puts a saved session in the place of what is held. `path` is UTF-8.
  ///
  /// Throws `io`, or `bad_session` for a damaged file, another format or another checkpoint; the session keeps what it
  /// held.
  void restore(std::string_view path) {
    const rust::Str checked = detail::text(path, "path");
    call([&](const bridge::Session& session) { session.restore(checked); });
  }

 private:
  friend class Model;
  explicit Session(rust::Box<bridge::Session> box) : handle_(std::move(box)) {}

  template <typename Work>
  auto call(Work&& work) const -> decltype(work(std::declval<const bridge::Session&>())) {
    const bridge::Session& session = handle_.get("Session");
    return detail::call([&] { return work(session); });
  }

  detail::Handle<bridge::Session> handle_;
};

/// Called with the share of a checkpoint that is loaded, 0 to 1, on the thread that loads. What it throws ends the load
/// with the error `callback`, and is nested in it: `std::rethrow_if_nested(error)` gives it back.
using LoadProgress = std::function<void(float share)>;

/// A loaded checkpoint, ready for sessions.
///
/// The memory is given back when the last model, session and stream is gone, in whatever order.
class Model {
 public:
  /// Loads the GGUF checkpoint at `path` (UTF-8), after the preflight. `progress` may be empty.
  ///
  /// Throws `io`, `bad_checkpoint`, `out_of_memory`, `unsupported` (a pure encoder), `load_failed`, `invalid_option`,
  /// `invalid_text`, `cancelled` or `callback`.
  static Model load(std::string_view path, const ModelOptions& options = {}, const LoadProgress& progress = nullptr,
                    const Cancel& cancel = Cancel()) {
    const rust::Str checked = detail::text(path, "path");
    return loaded(options, progress, cancel, [&](const auto& wanted, auto callback, const auto& flag) {
      return bridge::load(checked, wanted, std::move(callback), flag);
    });
  }

  /// Loads the checkpoint of this name that is compiled into the library; `embedded_checkpoints` lists them.
  ///
  /// Throws `unknown_checkpoint`, and what `load` throws.
  static Model load_embedded(std::string_view name, const ModelOptions& options = {},
                             const LoadProgress& progress = nullptr, const Cancel& cancel = Cancel()) {
    const rust::Str checked = detail::text(name, "name");
    return loaded(options, progress, cancel, [&](const auto& wanted, auto callback, const auto& flag) {
      return bridge::load_embedded(checked, wanted, std::move(callback), flag);
    });
  }

  /// Loads a GGUF checkpoint from the `size` bytes at `bytes`, which are not needed any more after the call; `name`
  /// stands in errors.
  ///
  /// Throws what `load` throws.
  static Model load_bytes(std::string_view name, const std::uint8_t* bytes, std::size_t size,
                          const ModelOptions& options = {}, const LoadProgress& progress = nullptr,
                          const Cancel& cancel = Cancel()) {
    const rust::Str checked = detail::text(name, "name");
    if (bytes == nullptr && size != 0) {
      throw Error("invalid_option", "bytes: a null pointer with a size");
    }
    const rust::Slice<const std::uint8_t> content(bytes, size);
    return loaded(options, progress, cancel, [&](const auto& wanted, auto callback, const auto& flag) {
      return bridge::load_bytes(checked, content, wanted, std::move(callback), flag);
    });
  }

  /// A model without a checkpoint that gives the same answer to every prompt, byte by byte, and ends: for tests of an
  /// app. Each token takes `step_microseconds`. Its tokens are the 256 bytes, then `<bos>` and `<eos>`; its context has
  /// 1024 tokens unless the options say otherwise.
  ///
  /// Throws `invalid_option` or `invalid_text`.
  static Model scripted(std::string_view answer, std::uint32_t step_microseconds = 0,
                        const ModelOptions& options = {}) {
    const rust::Str checked = detail::text(answer, "answer");
    const bridge::ModelOptions wanted = detail::to_bridge(options);
    return Model(detail::call([&] { return bridge::scripted(checked, step_microseconds, wanted); }));
  }

  /// Opens a session.
  ///
  /// Throws `too_many_sessions`.
  Session session(const SessionOptions& options = {}) {
    const bridge::MaybeNumber keep = detail::number(options.slide_keep);
    return Session(call([&](const bridge::Model& model) { return model.session(keep); }));
  }

  /// The tokens of `text`, without a begin-of-sequence token; for `parse_special` see `Session::append`.
  ///
  /// Throws `invalid_text`, or `engine` for a text of more than 2 GiB.
  std::vector<Token> tokenize(std::string_view text, bool parse_special = false) const {
    const rust::Str checked = detail::text(text, "text");
    return detail::tokens(call([&](const bridge::Model& model) { return model.tokenize(checked, parse_special); }));
  }

  /// The text of `tokens` as a reader sees it; what is not UTF-8 becomes U+FFFD.
  ///
  /// Throws `unknown_token`.
  std::string detokenize(const std::vector<Token>& tokens) const {
    return detail::text(call([&](const bridge::Model& model) { return model.detokenize(detail::tokens(tokens)); }));
  }

  /// The prompt that the checkpoint's chat template makes of `messages`, ready for the answer; append it with
  /// `parse_special`.
  ///
  /// Throws `chat_template` if there is none, or if it fails; `invalid_text`.
  std::string chat_prompt(const std::vector<Message>& messages) const {
    const std::vector<bridge::Message> turns = detail::to_bridge(messages);
    const rust::Slice<const bridge::Message> slice(turns.data(), turns.size());
    return detail::text(call([&](const bridge::Model& model) { return model.chat_prompt(slice); }));
  }

  /// Facts about the checkpoint.
  Facts facts() const { return detail::from_bridge(get().facts()); }

  /// Tokens that all sessions hold together.
  std::uint32_t context_tokens() const { return get().context_tokens(); }

  /// The number of tokens of the vocabulary.
  std::uint32_t vocabulary_size() const { return get().vocabulary_size(); }

  /// The SHA-256 of the checkpoint's bytes, in hexadecimal. The first call reads the file.
  ///
  /// Throws `io`, or `bad_session` if the file was changed after it was loaded.
  std::string digest() const {
    return detail::text(call([](const bridge::Model& model) { return model.digest(); }));
  }

 private:
  friend class LockFile;
  explicit Model(rust::Box<bridge::Model> box) : handle_(std::move(box)) {}

  const bridge::Model& get() const { return handle_.get("Model"); }

  template <typename Work>
  auto call(Work&& work) const -> decltype(work(std::declval<const bridge::Model&>())) {
    const bridge::Model& model = get();
    return detail::call([&] { return work(model); });
  }

  template <typename Load>
  static Model loaded(const ModelOptions& options, const LoadProgress& progress, const Cancel& cancel, Load&& load) {
    const bridge::ModelOptions wanted = detail::to_bridge(options);
    const bridge::Cancel& flag = cancel.get();
    return Model(detail::watched<bridge::ProgressCallback>(
        progress, [&](auto callback) { return load(wanted, std::move(callback), flag); }));
  }

  detail::Handle<bridge::Model> handle_;
};

/// The version of Pinfold, e.g. `0.1.0`.
inline std::string version() { return detail::text(bridge::version()); }

/// The devices of this machine that this build can use, the processor last.
///
/// Throws `unsupported` if the processor lacks what the build needs.
inline std::vector<Device> devices() {
  return detail::list<Device, bridge::Device>(detail::call([] { return bridge::devices(); }), detail::from_bridge);
}

/// The checkpoints that are compiled into the library, in the order of their names.
inline std::vector<EmbeddedInfo> embedded_checkpoints() {
  const auto found = detail::call([] { return bridge::embedded_checkpoints(); });
  return detail::list<EmbeddedInfo, bridge::EmbeddedInfo>(found, detail::from_bridge);
}

/// Reads the header of the checkpoint at `path` (UTF-8) and runs the preflight, without loading the weights.
///
/// Throws `io` if it cannot be read, `bad_checkpoint` if it would not run.
inline CheckpointInfo inspect_checkpoint(std::string_view path, const ModelOptions& options = {}) {
  const rust::Str checked = detail::text(path, "path");
  const bridge::ModelOptions wanted = detail::to_bridge(options);
  return detail::from_bridge(detail::call([&] { return bridge::inspect_checkpoint(checked, wanted); }));
}

/// Receives a log line: its level, the part that speaks, e.g. `pinfold::llama`, and what it says. Lines never hold text
/// of the user. Called on the thread that logs, and on several at once, so it must be quick and must not call Pinfold.
/// The texts are valid during the call. What it throws is caught: the line is lost and nothing else happens.
using LogSink = std::function<void(LogLevel level, std::string_view target, std::string_view message)>;

/// Sends log lines of `level` and above to `sink`, in the place of the sink before; without a sink the log is silent,
/// as it is at the start. The sink before is destroyed once no thread is in it any more, perhaps on another thread. A
/// sink that uses what dies at the end of `main` must be taken away before.
///
/// Throws `unsupported` in a Rust program that collects the log itself.
inline void set_log_sink(LogSink sink, LogLevel level = LogLevel::Warn) {
  std::unique_ptr<bridge::LogCallback> callback;
  if (sink) {
    callback = std::make_unique<bridge::LogCallback>(std::move(sink));
  }
  detail::call([&] { bridge::set_log_sink(std::move(callback), level); });
}

}  // namespace pinfold

#include "pinfold/pins.hpp"

#endif
