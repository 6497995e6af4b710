// Wrong use has a defined result: an error with a code and a message, never a crash.

#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "check.hpp"

using pinfold::Cancel;
using pinfold::GenerateOptions;
using pinfold::Model;
using pinfold::ModelOptions;
using pinfold::Session;
using pinfold::Stream;

template <typename Class>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<Class> && std::is_nothrow_move_assignable_v<Class> &&
                            !std::is_copy_constructible_v<Class> && !std::is_copy_assignable_v<Class>;
static_assert(moves_only<Model> && moves_only<Session> && moves_only<Stream> && moves_only<Cancel>);
static_assert(std::is_nothrow_copy_constructible_v<pinfold::Error>, "an exception is copied as it is thrown");
static_assert(std::is_base_of_v<std::exception, pinfold::Error>);

// Neither UTF-8 nor the beginning of it.
static const std::string ILL_FORMED = "\xff\xfe";

static Session asked(Model& model) {
  Session session = model.session();
  session.append("q");
  return session;
}

static void moved_from_objects() {
  const char* part = "moved from";
  Model model = Model::scripted("hello");
  Session session = asked(model);
  Stream stream = session.generate();
  Cancel cancel;

  Stream stream2 = std::move(stream);
  fails("Stream::next", "invalid_option", part, [&] { stream.next(); });
  fails("Stream::begin", "invalid_option", part, [&] { stream.begin(); });
  fails("Stream::cancel", "invalid_option", part, [&] { stream.cancel(); });
  fails("Stream::finish", "invalid_option", part, [&] { stream.finish(); });
  check(text_of(stream2) == "hello", "the stream that it moved to goes on");

  Session session2 = std::move(session);
  fails("Session::append", "invalid_option", part, [&] { session.append("x"); });
  fails("Session::append_tokens", "invalid_option", part, [&] { session.append_tokens({1}); });
  fails("Session::prefill", "invalid_option", part, [&] { session.prefill(); });
  fails("Session::generate", "invalid_option", part, [&] { session.generate(); });
  fails("Session::next_tokens", "invalid_option", part, [&] { session.next_tokens(1); });
  fails("Session::tokens", "invalid_option", part, [&] { session.tokens(); });
  fails("Session::rewind", "invalid_option", part, [&] { session.rewind(0); });
  fails("Session::fork", "invalid_option", part, [&] { session.fork(); });
  fails("Session::save", "invalid_option", part, [&] { session.save("nowhere"); });
  fails("Session::restore", "invalid_option", part, [&] { session.restore("nowhere"); });
  check(session2.tokens().size() == 6, "the session that it moved to holds what it held");

  Cancel cancel2 = std::move(cancel);
  fails("Cancel::cancel", "invalid_option", part, [&] { cancel.cancel(); });
  fails("Cancel::is_cancelled", "invalid_option", part, [&] { (void)cancel.is_cancelled(); });
  fails("a load with it", "invalid_option", part, [&] { Model::load("nowhere", {}, nullptr, cancel); });
  fails("a prefill with it", "invalid_option", part, [&] { session2.prefill(cancel); });
  fails("a generation with it", "invalid_option", part, [&] { session2.generate({}, cancel); });
  fails("next tokens with it", "invalid_option", part, [&] { session2.next_tokens(1, cancel); });
  check(!cancel2.is_cancelled(), "the flag that it moved to is not set");

  Model model2 = std::move(model);
  fails("Model::session", "invalid_option", part, [&] { model.session(); });
  fails("Model::tokenize", "invalid_option", part, [&] { model.tokenize("x"); });
  fails("Model::detokenize", "invalid_option", part, [&] { model.detokenize({1}); });
  fails("Model::chat_prompt", "invalid_option", part, [&] { model.chat_prompt({}); });
  fails("Model::facts", "invalid_option", part, [&] { model.facts(); });
  fails("Model::context_tokens", "invalid_option", part, [&] { (void)model.context_tokens(); });
  fails("Model::vocabulary_size", "invalid_option", part, [&] { (void)model.vocabulary_size(); });
  fails("Model::digest", "invalid_option", part, [&] { model.digest(); });

  // Assigning to it makes it whole again; assigning to itself changes nothing.
  model = std::move(model2);
  Model& same = model;
  model = std::move(same);
  check(model.vocabulary_size() == 258, "a moved-from object that is assigned to is whole");
}

static void texts_that_are_not_utf_8() {
  Model model = Model::scripted("hello");
  Session session = asked(model);
  const char* part = "not UTF-8";
  fails("append", "invalid_text", part, [&] { session.append(ILL_FORMED); });
  fails("save", "invalid_text", part, [&] { session.save(ILL_FORMED); });
  fails("restore", "invalid_text", part, [&] { session.restore(ILL_FORMED); });
  fails("tokenize", "invalid_text", part, [&] { model.tokenize(ILL_FORMED); });
  fails("a message", "invalid_text", part, [&] { model.chat_prompt({{pinfold::Role::User, ILL_FORMED}}); });
  fails("a path", "invalid_text", part, [&] { Model::load(ILL_FORMED); });
  fails("a path to inspect", "invalid_text", part, [&] { pinfold::inspect_checkpoint(ILL_FORMED); });
  fails("a name", "invalid_text", part, [&] { Model::load_embedded(ILL_FORMED); });
  fails("a name of bytes", "invalid_text", part, [&] { Model::load_bytes(ILL_FORMED, nullptr, 0); });
  fails("an answer", "invalid_text", part, [&] { Model::scripted(ILL_FORMED); });
  GenerateOptions options;
  options.stop = {"fine", ILL_FORMED};
  fails("a stop text", "invalid_text", part, [&] { session.generate(options); });
  ModelOptions offload;
  offload.offload.devices = {ILL_FORMED};
  fails("a device", "invalid_text", part, [&] { Model::scripted("x", 0, offload); });
  // The tail of a character that was cut off.
  fails("a character cut off", "invalid_text", part, [&] { session.append(std::string_view("\xf0\x9f\x98", 3)); });
  check(session.tokens().size() == 1, "nothing was added");
  check(session.append(std::string_view()) == 1, "a view of nothing is an empty text");
}

static void values_out_of_range() {
  Model model = Model::scripted("hello");
  Session session = asked(model);
  const auto refused = [&](const char* what, auto&& change) {
    GenerateOptions options;
    change(options);
    fails(what, "invalid_option", what, [&] { session.generate(options); });
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  refused("temperature", [&](auto& options) { options.sampling.temperature = nan; });
  refused("temperature", [&](auto& options) { options.sampling.temperature = -0.5F; });
  refused("top_p", [&](auto& options) { options.sampling.top_p = 2.0F; });
  refused("min_p", [&](auto& options) { options.sampling.min_p = -1.0F; });
  refused("typical_p", [&](auto& options) { options.sampling.typical_p = nan; });
  refused("repetition_penalty", [&](auto& options) { options.sampling.repetition_penalty = -1.0F; });

  // C++ may cast any number to an enum.
  const auto role = static_cast<pinfold::Role>(200);
  fails("a role", "invalid_option", "no role 200", [&] { model.chat_prompt({{role, "x"}}); });
  const auto level = static_cast<pinfold::LogLevel>(77);
  fails("a level", "invalid_option", "no level 77", [&] { pinfold::set_log_sink([](auto...) {}, level); });

  fails("a null pointer", "invalid_option", "null", [&] { Model::load_bytes("x", nullptr, 8); });
  fails("no bytes", "bad_checkpoint", "", [&] { Model::load_bytes("x", nullptr, 0); });
  ModelOptions none;
  none.sessions = 0;
  fails("no sessions", "invalid_option", "sessions", [&] { Model::load_embedded("intent", none); });
  ModelOptions many;
  many.context_tokens = 4294967295U;
  fails("a context beyond the memory", "out_of_memory", "", [&] { Model::load_embedded("intent", many); });
  fails("a token", "unknown_token", "4294967295", [&] { session.append_tokens({4294967295U}); });
  fails("a rewind", "invalid_option", "length", [&] { session.rewind(4294967295U); });
  check(session.next_tokens(4294967295U).size() <= 258, "more next tokens than there are");
  check(session.next_tokens(0).empty(), "no next tokens");
  fails("a path with a zero", "io", "", [&] { Model::load(std::string_view("a\0b", 3)); });
  fails("an empty path", "io", "", [&] { Model::load(""); });
  fails("a folder", "io", "", [&] { session.save("/"); });
  fails("no such session file", "io", "no-such-session", [&] { session.restore("no-such-session"); });
}

static void after_the_end() {
  Model model = Model::scripted("hello");
  Session session = asked(model);
  Cancel cancel;
  Stream stream = session.generate({}, cancel);
  check(text_of(stream) == "hello", "the stream gives the answer");
  check(!stream.next() && !stream.next(), "after its end it gives nothing");
  check(stream.begin() == stream.end(), "after its end the loop is empty");
  stream.cancel();
  cancel.cancel();
  cancel.cancel();
  const auto finish = stream.finish();
  check(finish && finish->reason == pinfold::FinishReason::EndOfGeneration, "a late cancel changes nothing");
  fails("a flag that was set", "cancelled", "", [&] { Model::load_embedded("intent", {}, nullptr, cancel); });

  Model slow = Model::scripted("a rather long answer", 20000);
  Stream orphan = asked(slow).generate();
  text_of(orphan);
  const auto orphaned = orphan.finish();
  check(orphaned && orphaned->reason == pinfold::FinishReason::Cancelled, "a stream ends with its session");
  Session busy = asked(slow);
  Stream first = busy.generate();
  fails("busy", "session_busy", "stream", [&] { busy.generate(); });
}

static void destroyed_in_any_order() {
  // Each order of three; what is destroyed early must not hurt what stays.
  const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const auto& order : orders) {
    std::optional<Model> model = Model::scripted("a rather long answer", 20000);
    std::optional<Session> session = asked(*model);
    std::optional<Stream> stream = session->generate();
    stream->next();
    for (const int which : order) {
      switch (which) {
        case 0: model.reset(); break;
        case 1: session.reset(); break;
        default: stream.reset();
      }
      if (session && stream) {
        fails("a session with a stream", "session_busy", "stream", [&] { session->append("x"); });
      } else if (session) {
        check(session->tokens().size() >= 2, "the session holds what its stream gave out");
      }
      if (stream) {
        stream->next();
      }
    }
  }
  Model kept = Model::scripted("x");
  kept = Model::scripted("y");
  Session session = asked(kept);
  Stream stream = session.generate();
  check(text_of(stream) == "y", "an assigned model is the new one");
}

int main() {
  moved_from_objects();
  texts_that_are_not_utf_8();
  values_out_of_range();
  after_the_end();
  destroyed_in_any_order();
  return report("misuse");
}
