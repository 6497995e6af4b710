// The values that go in and come out. All own what they hold; all text is UTF-8.
#ifndef PINFOLD_VALUES_HPP
#define PINFOLD_VALUES_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pinfold {

/// The number of a token in the vocabulary of its checkpoint.
using Token = std::uint32_t;

/// Which part of a checkpoint a GPU holds and computes.
struct Offload {
  /// The last so many layers; 0 for none; without it as many as fit.
  std::optional<std::uint32_t> layers;
  /// On the devices of these names alone; empty for all.
  std::vector<std::string> devices;
};

/// How a model is loaded. The defaults suit an app that chats.
struct ModelOptions {
  /// Tokens that all sessions hold together; 0 for what the checkpoint was trained on, at most 4096.
  std::uint32_t context_tokens = 0;
  /// Sessions that can be open at once, 1 to 256. They share the context, so this costs little.
  std::uint32_t sessions = 8;
  /// Threads that compute; 0 to choose by the machine and the checkpoint.
  std::uint32_t threads = 0;
  /// Tokens of a prompt that are computed at once; 0 to choose by the size of the checkpoint.
  std::uint32_t slice_tokens = 0;
  /// What a GPU computes.
  Offload offload;
  /// Whether the file is mapped instead of read.
  bool mmap = true;
  /// Whether a checkpoint that cannot fit into the free memory is refused.
  bool check_memory = true;
  /// Whether logits do not depend on slices, cached prefixes, other sessions and threads. Prompts take as long as
  /// generation then, and each session has `context_tokens` of its own.
  bool reproducible = false;
};

/// How a session behaves.
struct SessionOptions {
  /// Without it a full context is an error and nothing is lost. A number makes the session slide: its first so many
  /// tokens stay and the oldest half of the others is dropped.
  std::optional<std::uint32_t> slide_keep;
};

/// How tokens are chosen. The default is greedy: always the most likely token.
struct Sampling {
  /// Flattens (above 1) or sharpens (below 1) the distribution; at 0 the highest logit is chosen.
  float temperature = 0.0F;
  /// The seed of the generator: the same seed gives the same tokens on every platform.
  std::uint64_t seed = 0;
  /// Added to the logits of single tokens; minus infinity forbids a token.
  std::map<Token, float> logit_bias;
  /// How many of the last tokens the three penalties look at; 0 switches them off.
  std::uint32_t penalty_window = 64;
  /// Makes tokens in the window less likely, by a factor; 1 is off.
  float repetition_penalty = 1.0F;
  /// Subtracted from a token's logit once for each time that it stands in the window; 0 is off.
  float frequency_penalty = 0.0F;
  /// Subtracted once from the logit of each token in the window; 0 is off.
  float presence_penalty = 0.0F;
  /// Keeps so many of the highest logits; 0 is off.
  std::uint32_t top_k = 0;
  /// Keeps the tokens of typical surprise until their probability is above this; 1 is off.
  float typical_p = 1.0F;
  /// Keeps the most likely tokens until their probability reaches this; 1 is off.
  float top_p = 1.0F;
  /// Keeps the tokens that are at least this times as likely as the most likely one; 0 is off.
  float min_p = 0.0F;
};

/// What to generate, and when to stop.
struct GenerateOptions {
  /// How tokens are chosen.
  Sampling sampling;
  /// Tokens at most; without it the model ends its text, or a full context is an error.
  std::optional<std::uint32_t> max_tokens;
  /// Texts that end the generation; they are not part of its text.
  std::vector<std::string> stop;
  /// For each token its log-probability and those of so many others, the likeliest first.
  std::optional<std::uint32_t> logprobs;
};

/// Who says a message.
enum class Role : std::uint8_t {
  /// The author of the app.
  System,
  /// The user.
  User,
  /// The model.
  Assistant,
  /// A tool that the model called.
  Tool,
};

/// One turn of a conversation.
struct Message {
  /// Who says it.
  Role role = Role::User;
  /// The text.
  std::string content;
};

/// A token and the natural logarithm of its probability.
struct TokenLogprob {
  /// The token.
  Token token = 0;
  /// At most 0.
  float logprob = 0.0F;
};

/// A token that was sampled.
struct GeneratedToken {
  /// The token.
  Token token = 0;
  /// The natural logarithm of its probability, before any filter, if it was asked for.
  std::optional<float> logprob;
  /// The likeliest tokens, if they were asked for.
  std::vector<TokenLogprob> top;
};

/// A piece of a generation: whole characters, or the tokens at the end that added no text.
struct Chunk {
  /// The text; empty only at the end of a generation.
  std::string text;
  /// The tokens that were sampled since the piece before.
  std::vector<GeneratedToken> tokens;
};

/// Why a generation ended.
enum class FinishReason : std::uint8_t {
  /// The model ended its text.
  EndOfGeneration,
  /// A stop text appeared.
  Stop,
  /// `max_tokens` were generated.
  Length,
  /// It was cancelled, or its session was destroyed.
  Cancelled,
};

/// How a generation ended, and what it cost.
struct Finish {
  /// Why it ended.
  FinishReason reason = FinishReason::EndOfGeneration;
  /// Tokens that were computed before the first new one.
  std::uint32_t prompt_tokens = 0;
  /// Tokens that were generated; the one that ended the generation is not counted.
  std::uint32_t generated_tokens = 0;
  /// Seconds until the first token was sampled.
  double prompt_seconds = 0.0;
  /// Seconds from then to the end.
  double generation_seconds = 0.0;
};

/// Facts about a loaded checkpoint.
struct Facts {
  /// The architecture's name, as in GGUF's `general.architecture`.
  std::string architecture;
  /// The number of parameters.
  std::uint64_t parameters = 0;
  /// The bytes of all tensors.
  std::uint64_t bytes = 0;
  /// The length of the context that it was trained on, in tokens.
  std::uint32_t context_length = 0;
  /// The width of an embedding.
  std::uint32_t embedding_width = 0;
  /// Whether an encoder runs before the decoder.
  bool has_encoder = false;
  /// Whether it generates at all; a pure encoder does not.
  bool has_decoder = false;
  /// The chat template (Jinja), if the file has one.
  std::optional<std::string> chat_template;
};

/// Bytes that running a checkpoint takes.
struct MemoryEstimate {
  /// The weights.
  std::uint64_t weights = 0;
  /// Keys and values of all tokens.
  std::uint64_t kv_cache = 0;
  /// Scratch space of one decode, and the logits.
  std::uint64_t compute = 0;
};

/// What is in a checkpoint file whose header passed the preflight.
struct CheckpointInfo {
  /// The name that its author gave it.
  std::optional<std::string> name;
  /// The architecture: `llama`, `bert`...
  std::string architecture;
  /// How the weights are quantized: `Q4_K_M`, `F16`...
  std::string quantization;
  /// The licence, as an SPDX expression or in words.
  std::optional<std::string> licence;
  /// The number of parameters.
  std::uint64_t parameters = 0;
  /// The bytes of all tensors.
  std::uint64_t weight_bytes = 0;
  /// The length of the context that it was trained on, in tokens.
  std::uint32_t context_length = 0;
  /// The number of layers.
  std::uint32_t layers = 0;
  /// The width of an embedding.
  std::uint32_t width = 0;
  /// The number of tokens of the vocabulary.
  std::uint32_t vocabulary = 0;
  /// The class of its tokenizer: `llama` (SentencePiece), `gpt2` (BPE), `bert` (WordPiece)...
  std::string tokenizer;
  /// The chat template (Jinja), if the file has one.
  std::optional<std::string> chat_template;
  /// The memory that it takes with the options that were given.
  MemoryEstimate memory;
};

/// A checkpoint that is compiled into the library.
struct EmbeddedInfo {
  /// What `Model::load_embedded` takes.
  std::string name;
  /// What it does, in a line.
  std::string summary;
  /// The licence of the weights, as an SPDX expression.
  std::string licence;
  /// The bytes of the file.
  std::uint64_t bytes = 0;
  /// The SHA-256 of the file, in hexadecimal.
  std::string digest;
};

/// What kind of device it is.
enum class DeviceKind : std::uint8_t {
  /// The processor.
  Cpu,
  /// A graphics processor with memory of its own.
  Gpu,
  /// A graphics processor that shares the processor's memory.
  IntegratedGpu,
  /// Another accelerator.
  Accelerator,
};

/// Something that can compute.
struct Device {
  /// Its name, unique on this machine.
  std::string name;
  /// For people.
  std::string description;
  /// Its kind.
  DeviceKind kind = DeviceKind::Cpu;
  /// Bytes of memory that are free, as far as the device tells.
  std::uint64_t memory_free = 0;
  /// Bytes of memory in all.
  std::uint64_t memory_total = 0;
  /// For a processor, the instruction set of the kernels that run on it.
  std::optional<std::string> kernels;
};

/// How much a log line matters.
enum class LogLevel : std::uint8_t {
  /// Something failed.
  Error,
  /// Something is not as it should be.
  Warn,
  /// What happens, in brief.
  Info,
  /// What happens, with details.
  Debug,
  /// Everything.
  Trace,
};

}  // namespace pinfold

#endif
