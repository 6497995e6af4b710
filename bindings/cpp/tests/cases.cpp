// Runs the shared cases; core/vectors/api.toml says what the steps are.
//
//     cases LINES RESULTS SHARED PINS     reads LINES (see cases_as_lines.py), writes RESULTS (NAME, outcome, reason)

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <pinfold.hpp>

#include "lines.hpp"
#include "pin_cases.hpp"
#include "said.hpp"

using pinfold::Session;
using pinfold::Stream;

/// A case that cannot run here.
struct Skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

static std::string shown(const std::vector<pinfold::Token>& tokens) {
  std::ostringstream out;
  for (const pinfold::Token token : tokens) {
    out << token << " ";
  }
  return out.str();
}

static void same_tokens(const Fields& step, const std::vector<pinfold::Token>& tokens) {
  if (step.has("tokens")) {
    want(tokens == step.numbers("tokens"), "the tokens are " + shown(tokens));
  }
}

static void same_length(const Fields& step, std::size_t length) {
  if (step.has("length")) {
    want(length == step.number("length"), "the length is " + std::to_string(length));
  }
}

static std::string repeated(const Fields& step) {
  std::string text;
  for (std::uint64_t i = step.has("repeat") ? step.number("repeat") : 1; i > 0; --i) {
    text += step.text("text");
  }
  return text;
}

static const char* name(pinfold::FinishReason reason) {
  switch (reason) {
    case pinfold::FinishReason::EndOfGeneration: return "end_of_generation";
    case pinfold::FinishReason::Stop: return "stop";
    case pinfold::FinishReason::Length: return "length";
    case pinfold::FinishReason::Cancelled: return "cancelled";
  }
  return "unknown";
}

static pinfold::Role role(const std::string& name) {
  if (name == "system") return pinfold::Role::System;
  if (name == "user") return pinfold::Role::User;
  if (name == "assistant") return pinfold::Role::Assistant;
  want(name == "tool", "there is no role " + name);
  return pinfold::Role::Tool;
}

static pinfold::Model load(const Fields& model, const std::string& shared) {
  pinfold::ModelOptions options;
  options.context_tokens = model.small("context_tokens").value_or(options.context_tokens);
  options.sessions = model.small("sessions").value_or(options.sessions);
  if (model.has("scripted")) {
    const std::uint32_t step = model.small("step_microseconds").value_or(0);
    return pinfold::Model::scripted(model.text("scripted"), step, options);
  }
  if (model.has("embedded")) {
    return pinfold::Model::load_embedded(model.text("embedded"), options);
  }
  if (model.has("file")) {
    return pinfold::Model::load(model.text("file"), options);
  }
  if (model.has("bytes")) {
    const auto numbers = model.numbers("bytes");
    const std::vector<std::uint8_t> bytes(numbers.begin(), numbers.end());
    return pinfold::Model::load_bytes("bytes", bytes.data(), bytes.size(), options);
  }
  want(model.has("shared"), "there is no such model");
  const std::string path = shared + "/" + model.text("shared");
  if (!std::ifstream(path)) {
    throw Skipped(model.text("shared") + " is absent");
  }
  return pinfold::Model::load(path, options);
}

/// A model with its session, and what the steps leave open.
class Run {
 public:
  Run(pinfold::Model model, std::string file)
      : model_(std::move(model)), file_(std::move(file)) {
    sessions_.push_back(model_.session());
    current_ = 0;
  }

  void step(const Fields& step) {
    const std::string what = step.text("do");
    Session& session = sessions_[current_];
    if (what == "append") {
      same_length(step, session.append(repeated(step), step.text("parse_special") == "true"));
    } else if (what == "append_chat") {
      same_length(step, session.append(model_.chat_prompt(messages(step)), true));
    } else if (what == "append_tokens") {
      same_length(step, session.append_tokens(step.numbers("tokens")));
    } else if (what == "prefill") {
      session.prefill();
    } else if (what == "generate") {
      generate(session, step);
    } else if (what == "generate_busy") {
      stream_ = session.generate();
    } else if (what == "drop_stream") {
      stream_.reset();
    } else if (what == "tokens") {
      held(step, session.tokens());
    } else if (what == "rewind") {
      session.rewind(*step.small("to"));
    } else if (what == "fork") {
      Session fork = session.fork();
      sessions_.push_back(std::move(fork));
      current_ = sessions_.size() - 1;
    } else if (what == "second_session") {
      sessions_.push_back(model_.session());
    } else if (what == "save") {
      session.save(file_);
    } else if (what == "restore") {
      damage(step);
      session.restore(file_);
    } else if (what == "next_tokens") {
      std::vector<pinfold::Token> tokens;
      for (const pinfold::TokenLogprob& next : session.next_tokens(*step.small("count"))) {
        want(next.logprob <= 0.0F, "a log-probability is above 0");
        tokens.push_back(next.token);
      }
      same_tokens(step, tokens);
    } else if (what == "tokenize") {
      held(step, model_.tokenize(repeated(step), step.text("parse_special") == "true"));
    } else if (what == "detokenize") {
      const std::string text = model_.detokenize(step.numbers("tokens"));
      want(!step.has("text") || text == step.text("text"), "the text is " + text);
    } else if (what == "ill_formed_text") {
      session.append("\xff\xfe");
    } else {
      throw Difference("there is no step " + what);
    }
  }

 private:
  static std::vector<pinfold::Message> messages(const Fields& step) {
    const std::vector<std::string> values = step.texts("messages");
    std::vector<pinfold::Message> turns;
    for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
      turns.push_back({role(values[i]), values[i + 1]});
    }
    return turns;
  }

  static void held(const Fields& step, const std::vector<pinfold::Token>& tokens) {
    same_tokens(step, tokens);
    same_length(step, tokens.size());
  }

  static void generate(Session& session, const Fields& step) {
    pinfold::GenerateOptions options;
    options.sampling.temperature = step.real("temperature", options.sampling.temperature);
    options.sampling.seed = step.has("seed") ? step.number("seed") : 0;
    options.sampling.top_k = step.small("top_k").value_or(0);
    options.sampling.top_p = step.real("top_p", options.sampling.top_p);
    options.sampling.min_p = step.real("min_p", options.sampling.min_p);
    options.max_tokens = step.small("max_tokens");
    options.stop = step.texts("stop");
    options.logprobs = step.small("logprobs");

    const std::vector<pinfold::Token> before = session.tokens();
    std::string text;
    std::vector<pinfold::Token> tokens;
    const auto take = [&](const pinfold::Chunk& chunk) {
      text += chunk.text;
      for (const pinfold::GeneratedToken& token : chunk.tokens) {
        tokens.push_back(token.token);
        want(token.logprob.has_value() == options.logprobs.has_value(), "a token has no log-probability, or too many");
        want(token.top.size() <= options.logprobs.value_or(0), "a token has too many others");
      }
    };
    if (step.has("cancel_after")) {
      cancelled(session, step, options, before, take, text, tokens);
      return;
    }
    Stream stream = session.generate(options);
    // The text that came before an error is compared as well.
    std::optional<pinfold::Error> failure;
    try {
      std::for_each(stream.begin(), stream.end(), take);
    } catch (const pinfold::Error& error) {
      failure = error;
    }
    want(!step.has("text") || text == step.text("text"), "the text is " + text);
    same_tokens(step, tokens);
    if (failure) {
      throw pinfold::Error(*failure);
    }
    const auto finish = stream.finish();
    want(finish.has_value(), "the stream has no finish");
    const std::string reason = name(finish->reason);
    want(!step.has("finish") || step.text("finish") == reason, "it ended: " + reason);
  }

  template <typename Take>
  static void cancelled(Session& session, const Fields& step, const pinfold::GenerateOptions& options,
                        std::vector<pinfold::Token> before, const Take& take, const std::string& text,
                        const std::vector<pinfold::Token>& tokens) {
    {
      Stream stream = session.generate(options);
      while (tokens.size() < step.number("cancel_after")) {
        const auto chunk = stream.next();
        want(chunk.has_value(), "the stream ended before the cancel");
        take(*chunk);
      }
      stream.cancel();
      while (const auto chunk = stream.next()) {
        take(*chunk);
      }
      const auto finish = stream.finish();
      want(finish && finish->reason == pinfold::FinishReason::Cancelled, "it was not cancelled");
    }
    want(step.text("text").compare(0, text.size(), text) == 0, "the text is " + text);
    before.insert(before.end(), tokens.begin(), tokens.end());
    want(session.tokens() == before, "the session holds " + shown(session.tokens()));
  }

  void damage(const Fields& step) const {
    if (step.has("damage")) {
      const auto offset = static_cast<std::streamoff>(step.number("damage"));
      std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(offset);
      const int byte = file.get();
      file.seekp(offset);
      file.put(static_cast<char>(byte ^ 1));
      want(file.good(), "the file could not be damaged");
    }
  }

  pinfold::Model model_;
  std::string file_;
  std::vector<Session> sessions_;
  std::size_t current_ = 0;
  std::optional<Stream> stream_;
};

/// The step with its number, in what is said of it.
template <typename Work>
static void numbered(const Case& it, std::size_t index, Work&& work) {
  const Fields& step = it.steps[index];
  try {
    as_said(step, [&] { work(step); });
  } catch (const Difference& difference) {
    throw Difference("step " + std::to_string(index + 1) + " (" + step.text("do") + "): " + difference.what());
  }
}

static void run_lock(const Case& it, const Folders& folders, const std::string& file) {
  std::optional<PinRun> pins;
  as_said(it.source, [&] { pins.emplace(open_lock(it.source, folders.pins), folders); });
  std::optional<Run> running;
  for (std::size_t i = 0; pins && i < it.steps.size(); ++i) {
    numbered(it, i, [&](const Fields& step) {
      if (step.text("do") == "load") {
        running.emplace(pins->load(step), file);
      } else if (!pins->step(step)) {
        want(running.has_value(), "the case has loaded nothing");
        running->step(step);
      }
    });
  }
}

static void run(const Case& it, const Folders& folders, const std::string& shared, const std::string& file) {
  if (it.has_lock) {
    run_lock(it, folders, file);
    return;
  }
  std::optional<Run> running;
  as_said(it.source, [&] { running.emplace(load(it.source, shared), file); });
  for (std::size_t i = 0; running && i < it.steps.size(); ++i) {
    numbered(it, i, [&](const Fields& step) { running->step(step); });
  }
}

int main(int count, char** arguments) {
  if (count != 5) {
    std::cerr << "usage: cases LINES RESULTS SHARED PINS\n";
    return 2;
  }
  std::ifstream lines(arguments[1]);
  std::ofstream results(arguments[2], std::ios::binary);
  const std::vector<Case> cases = read_cases(lines);
  const std::string results_path = arguments[2];
  int failed = cases.empty() || !results ? 1 : 0;
  for (const Case& it : cases) {
    std::string outcome = "passed";
    std::string reason;
    try {
      const std::string store = results_path + ".store";
      std::filesystem::remove_all(store);
      run(it, {arguments[4], store}, arguments[3], results_path + ".session");
    } catch (const Skipped& skipped) {
      outcome = "skipped";
      reason = skipped.what();
    } catch (const std::exception& difference) {
      outcome = "failed";
      reason = difference.what();
      ++failed;
      std::cerr << "FAILED: " << it.name << ": " << reason << "\n";
    }
    std::replace_if(reason.begin(), reason.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
    results << it.name << "\t" << outcome << "\t" << reason << "\n";
  }
  std::filesystem::remove_all(results_path + ".store");
  std::filesystem::remove(results_path + ".session");
  std::cout << "cases: " << cases.size() << " cases, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}
