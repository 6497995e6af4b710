/*
 * Pinfold runs pinned checkpoints on the device. This header is its C ABI, and the manual of it.
 *
 * A complete program, which streams an answer of a checkpoint that is part of the library:
 *
 *     #include <pinfold.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *         const char request[] = "play some jazz by miles davis";
 *         pinfold_message message = {{request, sizeof request - 1}, PINFOLD_ROLE_USER, 0};
 *         pinfold_model *model = NULL;
 *         pinfold_session *session = NULL;
 *         pinfold_text *prompt = NULL;
 *         pinfold_stream *stream = NULL;
 *         pinfold_chunk *chunk = NULL;
 *         pinfold_error *error = NULL;
 *
 *         if (pinfold_abi_version() != PINFOLD_ABI_VERSION) return 1;
 *         if (pinfold_model_load_embedded("intent", 6, NULL, NULL, &model, &error)) goto end;
 *         if (pinfold_model_session(model, NULL, &session, &error)) goto end;
 *         if (pinfold_model_chat_prompt(model, &message, 1, &prompt, &error)) goto end;
 *         if (pinfold_session_append(session, pinfold_text_data(prompt), pinfold_text_length(prompt), true, NULL,
 *                                    &error)) goto end;
 *         if (pinfold_session_generate(session, NULL, NULL, &stream, &error)) goto end;
 *         while (!pinfold_stream_next(stream, &chunk, &error) && chunk) {
 *             fwrite(pinfold_chunk_text(chunk), 1, pinfold_chunk_text_length(chunk), stdout);
 *             pinfold_chunk_free(chunk);
 *         }
 *         putchar('\n');
 *     end:
 *         if (error) fprintf(stderr, "%s\n", pinfold_error_message(error));
 *         int failed = error != NULL;
 *         pinfold_error_free(error);
 *         pinfold_stream_free(stream);
 *         pinfold_text_free(prompt);
 *         pinfold_session_free(session);
 *         pinfold_model_free(model);
 *         return failed;
 *     }
 *
 *     cc program.c $(pkg-config --cflags --libs pinfold)
 *
 * Calls that can fail return a pinfold_status, which is 0 (PINFOLD_OK) if they did what they say, and take a place
 * for an error last. It may be NULL; else it gets NULL, or an error with a message, which you free. What it held
 * before is overwritten, not freed.
 *
 * What a call gives stands in its parameters that end in _out. A handle is NULL after a failure, so it can always be
 * freed; a number or a struct is then as it was. A handle that is given as an argument must not be NULL, unless the
 * call says so; if it is, the status is PINFOLD_ERROR_NULL_ARGUMENT.
 *
 * Handles come in pairs of functions that make and free them. Each is freed once, by you, in any order: what one needs
 * of another lives on inside. Freeing NULL does nothing. The comment of each handle says who frees it, which threads
 * may use it, and what it may outlive. No call on a handle may be under way, or come later, when it is freed.
 *
 * Text that you pass is UTF-8: a pointer and a length in bytes, without need of a zero byte at the end; NULL is an
 * empty text if the length is 0. Bytes that are not UTF-8 are PINFOLD_ERROR_INVALID_TEXT. Zero characters may stand
 * inside. What you pass is read during the call alone. Text that Pinfold gives ends with a zero byte for convenience.
 *
 * Structs that may grow begin with struct_size, which says how long yours is. The functions that end in _init set it
 * with all defaults; for a struct that is filled by Pinfold, set it yourself. A program that was built with an older
 * header works with a newer library; one that sets fields which an older library does not know is refused with
 * PINFOLD_ERROR_STRUCT_SIZE.
 *
 * Calls block until they are done, and may come from any thread. Functions that you give must return: no exception
 * and no longjmp may leave them.
 *
 * An app that pins what it runs opens its lock file (pinfold_lock_file_open) and the store of this machine
 * (pinfold_store_open), pulls what it needs (pinfold_lock_file_pull) and loads it by its name
 * (pinfold_lock_file_load): exactly the pinned bytes, or an error. pinfold_lock_file_verify proves that they still
 * give what they gave.
 *
 * All is lost only where C itself is helpless: a pointer that is not NULL and points nowhere, a wrong length, a handle
 * that was freed.
 */


#ifndef PINFOLD_H
#define PINFOLD_H

/* Generated from ffi/src/c by cbindgen; do not edit. PINFOLD_UPDATE=1 make test-c writes it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


/**
 * The version of the ABI that this header describes. It grows when a program that was built with an older header
 * would no longer work, and only then.
 */
#define PINFOLD_ABI_VERSION 1

/**
 * No number, where one can be left out.
 */
#define PINFOLD_NONE -1

/**
 * A flag that stops a load, a prefill or a generation from another thread. Setting it takes no lock and never blocks.
 * A flag that was set stays set: make a new one for new work.
 *
 * Freed by: you, with `pinfold_cancel_free`. Threads: any, at any time. May outlive: everything; and the work it was
 * given to goes on if it is freed before.
 */
typedef struct pinfold_cancel pinfold_cancel;

/**
 * What was found in a checkpoint file.
 *
 * Freed by: you, with `pinfold_checkpoint_info_free`. Threads: any, it does not change. May outlive: everything.
 */
typedef struct pinfold_checkpoint_info pinfold_checkpoint_info;

/**
 * A piece of a generation: whole characters, or the tokens at the end that added no text.
 *
 * Freed by: you, with `pinfold_chunk_free`. Threads: any, it does not change. May outlive: everything.
 */
typedef struct pinfold_chunk pinfold_chunk;

/**
 * The devices of this machine.
 *
 * Freed by: you, with `pinfold_devices_free`. Threads: any, it does not change. May outlive: everything.
 */
typedef struct pinfold_devices pinfold_devices;

/**
 * The checkpoints that are compiled into the library.
 *
 * Freed by: you, with `pinfold_embedded_free`. Threads: any, it does not change. May outlive: everything.
 */
typedef struct pinfold_embedded pinfold_embedded;

/**
 * Why a call failed: its status and a message that says what is wrong and what to do. The message never holds text
 * of the user. Made by a failed call that was given an `error_out`.
 *
 * Freed by: you, with `pinfold_error_free`. Threads: any, it does not change. May outlive: everything.
 */
typedef struct pinfold_error pinfold_error;

/**
 * A lock file that was read: what an app runs, each checkpoint pinned by its digest. It shows the file as it was when
 * it was opened.
 *
 * Freed by: you, with `pinfold_lock_file_free`. Threads: any, several at once. May outlive: everything; and what came
 * of it, models too, goes on if it is freed before.
 */
typedef struct pinfold_lock_file pinfold_lock_file;

/**
 * A list of tokens with their log-probabilities, the likeliest first.
 *
 * Freed by: you, with `pinfold_logprobs_free`. Threads: any, it does not change. May outlive: everything.
 */
typedef struct pinfold_logprobs pinfold_logprobs;

/**
 * A loaded checkpoint, ready for sessions.
 *
 * Freed by: you, with `pinfold_model_free`. Threads: any, several at once. May outlive: everything; and its sessions
 * and streams go on if it is freed before them. The memory is given back when the last of them is gone.
 */
typedef struct pinfold_model pinfold_model;

/**
 * A sequence of tokens: what was read and what was generated. While a stream of the session is open, every call but
 * freeing is `PINFOLD_ERROR_SESSION_BUSY`.
 *
 * Freed by: you, with `pinfold_session_free`. Threads: any; calls are done one after another. May outlive: its model.
 * A stream that is open when it is freed ends.
 */
typedef struct pinfold_session pinfold_session;

/**
 * The bytes of pins on this machine, each file under its digest: a folder that all processes of a user share.
 *
 * Freed by: you, with `pinfold_store_free`. Threads: any, several at once, beside other processes. May outlive:
 * everything.
 */
typedef struct pinfold_store pinfold_store;

/**
 * A list of files of a store.
 *
 * Freed by: you, with `pinfold_store_entries_free`. Threads: any, it does not change. May outlive: everything.
 */
typedef struct pinfold_store_entries pinfold_store_entries;

/**
 * A generation under way. The worker runs ahead by at most 64 pieces. Once it was cancelled or freed, its session
 * holds the tokens that it gave out and no more, and can be used again at once.
 *
 * Freed by: you, with `pinfold_stream_free`. Threads: any; one reads at a time, and `pinfold_stream_cancel` does not
 * wait for it. May outlive: its session, whose end is its end, and its model.
 */
typedef struct pinfold_stream pinfold_stream;

/**
 * A text that Pinfold made.
 *
 * Freed by: you, with `pinfold_text_free`. Threads: any, it does not change. May outlive: everything.
 */
typedef struct pinfold_text pinfold_text;

/**
 * A list of token ids.
 *
 * Freed by: you, with `pinfold_tokens_free`. Threads: any, it does not change. May outlive: everything.
 */
typedef struct pinfold_tokens pinfold_tokens;

/**
 * What a verification found.
 *
 * Freed by: you, with `pinfold_verify_report_free`. Threads: any, it does not change. May outlive: everything.
 */
typedef struct pinfold_verify_report pinfold_verify_report;

/**
 * How a call ended: `PINFOLD_OK`, or a `PINFOLD_ERROR_`. Numbers never change; new versions may add some, so treat
 * one that you do not know as a failure.
 */
typedef int32_t pinfold_status;

/**
 * A text that lies somewhere else: UTF-8, `length` bytes at `data`. What you pass needs no zero byte at its end; what
 * Pinfold gives has one, which the length does not count, and `data` is NULL where there is no text. This struct
 * never changes.
 */
typedef struct pinfold_string {
  /**
   * The bytes.
   */
  const char *data;
  /**
   * Their number.
   */
  size_t length;
} pinfold_string;

/**
 * The kind of a device: a `PINFOLD_DEVICE_`.
 */
typedef int32_t pinfold_device_kind;

/**
 * Something that can compute. Set `struct_size` before `pinfold_devices_get` fills it. Its texts belong to the list.
 */
typedef struct pinfold_device {
  /**
   * `sizeof(pinfold_device)`.
   */
  size_t struct_size;
  /**
   * Its name, unique on this machine; what `offload_devices` names.
   */
  struct pinfold_string name;
  /**
   * For people.
   */
  struct pinfold_string description;
  /**
   * For a processor, the instruction set of the kernels that run on it; else NULL.
   */
  struct pinfold_string kernels;
  /**
   * Bytes of memory that are free, as far as the device tells.
   */
  uint64_t memory_free;
  /**
   * Bytes of memory in all.
   */
  uint64_t memory_total;
  /**
   * Its kind.
   */
  pinfold_device_kind kind;
  /**
   * 0.
   */
  uint32_t reserved;
} pinfold_device;

/**
 * How much a log line matters: a `PINFOLD_LOG_`.
 */
typedef int32_t pinfold_log_level;

/**
 * Receives a log line. `target` is the part that speaks, e.g. `pinfold::llama`. Both texts are UTF-8, end with a zero
 * byte, and are valid during the call alone. Called on whatever thread logs, on several at once, so it must be quick
 * and safe for threads; it must not call Pinfold, throw or `longjmp` out.
 */
typedef void (*pinfold_log)(void *user, pinfold_log_level level, const char *target, const char *message);

/**
 * Is told that `user` is needed no more. Called once, on any thread. It must not call Pinfold, throw or `longjmp` out.
 */
typedef void (*pinfold_release)(void *user);

/**
 * A token and the natural logarithm of its probability, which is at most 0. This struct never changes.
 */
typedef struct pinfold_token_logprob {
  /**
   * The token's id.
   */
  uint32_t token;
  /**
   * At most 0.
   */
  float logprob;
} pinfold_token_logprob;

/**
 * Hears of a load: `share`, from 0 to 1, is loaded. Called on the thread that loads, before the call that loads
 * returns. Return 0 to go on; anything else ends the load with `PINFOLD_ERROR_CALLBACK`. It must not throw or
 * `longjmp` out.
 */
typedef int32_t (*pinfold_progress)(void *user, float share);

/**
 * How a model is loaded. Fill it with `pinfold_model_options_init`, then change what you want. All pointers are read
 * during the call alone.
 */
typedef struct pinfold_model_options {
  /**
   * `sizeof(pinfold_model_options)`.
   */
  size_t struct_size;
  /**
   * Tokens that all sessions hold together; 0 for what the checkpoint was trained on, at most 4096.
   */
  uint32_t context_tokens;
  /**
   * Sessions that can be open at once, 1 to 256; 8 at first. They share the context, so this costs little.
   */
  uint32_t sessions;
  /**
   * Threads that compute; 0 to choose by the machine and the checkpoint.
   */
  uint32_t threads;
  /**
   * Tokens of a prompt that are computed at once; 0 to choose by the size of the checkpoint.
   */
  uint32_t slice_tokens;
  /**
   * The last so many layers are computed by a GPU; 0 for none, `PINFOLD_NONE` (at first) for as many as fit.
   */
  int64_t offload_layers;
  /**
   * On the devices of these names alone; empty for all.
   */
  const struct pinfold_string *offload_devices;
  /**
   * The number of names.
   */
  size_t offload_devices_length;
  /**
   * 1 to map the file (at first), 0 to read it.
   */
  uint32_t mmap;
  /**
   * 1 to refuse a checkpoint that cannot fit into the free memory (at first), 0 to try.
   */
  uint32_t check_memory;
  /**
   * Hears how far the load is; NULL for none.
   */
  pinfold_progress progress;
  /**
   * Given to `progress`.
   */
  void *progress_user;
  /**
   * 1 if the logits of a session are to depend, bit for bit, on its tokens alone; 0 at first. Each session then has
   * a cache of its own for `context_tokens`, and prompts are computed token by token, at about the speed of
   * generation.
   */
  uint32_t reproducible;
  /**
   * Must be 0.
   */
  uint32_t reserved;
} pinfold_model_options;

/**
 * How a session behaves. Fill it with `pinfold_session_options_init`, then change what you want.
 */
typedef struct pinfold_session_options {
  /**
   * `sizeof(pinfold_session_options)`.
   */
  size_t struct_size;
  /**
   * With `PINFOLD_NONE` (at first) a full context is an error and nothing is lost. A number makes the session
   * slide: its first so many tokens stay and the oldest half of the others is dropped.
   */
  int64_t slide_keep;
} pinfold_session_options;

/**
 * What is added to the logit of a token; minus infinity forbids it. This struct never changes.
 */
typedef struct pinfold_logit_bias {
  /**
   * The token's id.
   */
  uint32_t token;
  /**
   * Added to its logit.
   */
  float bias;
} pinfold_logit_bias;

/**
 * What to generate, how tokens are chosen, and when to stop. Fill it with `pinfold_generate_options_init`, which
 * gives greedy choice without a limit, then change what you want. All pointers are read during the call alone.
 */
typedef struct pinfold_generate_options {
  /**
   * `sizeof(pinfold_generate_options)`.
   */
  size_t struct_size;
  /**
   * Texts that end the generation; they are not part of its text.
   */
  const struct pinfold_string *stop;
  /**
   * The number of texts.
   */
  size_t stop_length;
  /**
   * Added to the logits of single tokens; of two entries for one token the later counts.
   */
  const struct pinfold_logit_bias *logit_bias;
  /**
   * The number of entries.
   */
  size_t logit_bias_length;
  /**
   * Tokens at most; with `PINFOLD_NONE` (at first) the model ends its text, or a full context is an error.
   */
  int64_t max_tokens;
  /**
   * For each token its log-probability and those of so many others, the likeliest first; `PINFOLD_NONE` (at first)
   * for neither.
   */
  int64_t logprobs;
  /**
   * The seed of the generator: the same seed gives the same tokens on every platform.
   */
  uint64_t seed;
  /**
   * Flattens (above 1) or sharpens (below 1) the distribution; at 0 (at first) the highest logit is chosen.
   */
  float temperature;
  /**
   * How many of the last tokens the three penalties look at; 64 at first, 0 switches them off.
   */
  uint32_t penalty_window;
  /**
   * Makes tokens in the window less likely, by a factor; 1 (at first) is off.
   */
  float repetition_penalty;
  /**
   * Subtracted from a token's logit once for each time that it stands in the window; 0 (at first) is off.
   */
  float frequency_penalty;
  /**
   * Subtracted once from the logit of each token in the window; 0 (at first) is off.
   */
  float presence_penalty;
  /**
   * Keeps so many of the highest logits; 0 (at first) is off.
   */
  uint32_t top_k;
  /**
   * Keeps the tokens of typical surprise until their probability is above this; 1 (at first) is off.
   */
  float typical_p;
  /**
   * Keeps the most likely tokens until their probability reaches this; 1 (at first) is off.
   */
  float top_p;
  /**
   * Keeps the tokens that are at least this times as likely as the most likely one; 0 (at first) is off.
   */
  float min_p;
  /**
   * Must be 0.
   */
  uint32_t reserved;
} pinfold_generate_options;

/**
 * What is in a checkpoint. Set `struct_size` before `pinfold_checkpoint_info_get` fills it. Its texts belong to the
 * object that was asked.
 */
typedef struct pinfold_checkpoint {
  /**
   * `sizeof(pinfold_checkpoint)`.
   */
  size_t struct_size;
  /**
   * The name that its author gave it; may be NULL.
   */
  struct pinfold_string name;
  /**
   * The architecture: `llama`, `bert`...
   */
  struct pinfold_string architecture;
  /**
   * How the weights are quantized: `Q4_K_M`, `F16`...
   */
  struct pinfold_string quantization;
  /**
   * The licence, as an SPDX expression or in words; may be NULL.
   */
  struct pinfold_string licence;
  /**
   * The class of its tokenizer: `llama` (SentencePiece), `gpt2` (BPE), `bert` (WordPiece)...
   */
  struct pinfold_string tokenizer;
  /**
   * The chat template (Jinja); may be NULL.
   */
  struct pinfold_string chat_template;
  /**
   * The number of parameters.
   */
  uint64_t parameters;
  /**
   * The bytes of all tensors.
   */
  uint64_t weight_bytes;
  /**
   * The bytes that the weights take in memory, with the options that were given.
   */
  uint64_t memory_weights;
  /**
   * The bytes of the keys and values of all tokens.
   */
  uint64_t memory_kv_cache;
  /**
   * The bytes of scratch space of one decode, and of the logits.
   */
  uint64_t memory_compute;
  /**
   * The length of the context that it was trained on, in tokens.
   */
  uint32_t context_length;
  /**
   * The number of layers.
   */
  uint32_t layers;
  /**
   * The width of an embedding.
   */
  uint32_t width;
  /**
   * The number of tokens of the vocabulary.
   */
  uint32_t vocabulary;
} pinfold_checkpoint;

/**
 * A checkpoint that is compiled into the library. Set `struct_size` before `pinfold_embedded_get` fills it. Its texts
 * belong to the list.
 */
typedef struct pinfold_embedded_checkpoint {
  /**
   * `sizeof(pinfold_embedded_checkpoint)`.
   */
  size_t struct_size;
  /**
   * What `pinfold_model_load_embedded` takes.
   */
  struct pinfold_string name;
  /**
   * What it does, in a line.
   */
  struct pinfold_string summary;
  /**
   * The licence of the weights, as an SPDX expression.
   */
  struct pinfold_string licence;
  /**
   * The SHA-256 of the file, in hexadecimal.
   */
  struct pinfold_string digest;
  /**
   * The bytes of the file.
   */
  uint64_t bytes;
} pinfold_embedded_checkpoint;

/**
 * Who says a message: a `PINFOLD_ROLE_`.
 */
typedef int32_t pinfold_role;

/**
 * One turn of a conversation. This struct never changes.
 */
typedef struct pinfold_message {
  /**
   * The text.
   */
  struct pinfold_string content;
  /**
   * Who says it.
   */
  pinfold_role role;
  /**
   * Not read.
   */
  uint32_t reserved;
} pinfold_message;

/**
 * Facts about a loaded checkpoint. Set `struct_size` before `pinfold_model_facts_get` fills it. Its texts belong to
 * the model.
 */
typedef struct pinfold_model_facts {
  /**
   * `sizeof(pinfold_model_facts)`.
   */
  size_t struct_size;
  /**
   * The architecture's name, as in GGUF's `general.architecture`.
   */
  struct pinfold_string architecture;
  /**
   * The chat template (Jinja); may be NULL.
   */
  struct pinfold_string chat_template;
  /**
   * The number of parameters.
   */
  uint64_t parameters;
  /**
   * The bytes of all tensors.
   */
  uint64_t bytes;
  /**
   * The length of the context that it was trained on, in tokens.
   */
  uint32_t context_length;
  /**
   * The width of an embedding.
   */
  uint32_t embedding_width;
  /**
   * 1 if an encoder runs before the decoder, else 0.
   */
  uint32_t has_encoder;
  /**
   * 1 if it generates at all; 0 for a pure encoder.
   */
  uint32_t has_decoder;
  /**
   * Tokens that all sessions hold together.
   */
  uint32_t context_tokens;
  /**
   * The number of tokens of the vocabulary.
   */
  uint32_t vocabulary_size;
} pinfold_model_facts;

/**
 * Why a generation ended: a `PINFOLD_FINISH_`.
 */
typedef int32_t pinfold_finish_reason;

/**
 * How a generation ended, and what it cost. Set `struct_size` before `pinfold_stream_finish` fills it.
 */
typedef struct pinfold_finish {
  /**
   * `sizeof(pinfold_finish)`.
   */
  size_t struct_size;
  /**
   * Why it ended; `PINFOLD_FINISH_NONE` while it goes on and after an error. Then all the rest is 0.
   */
  pinfold_finish_reason reason;
  /**
   * Tokens that were computed before the first new one.
   */
  uint32_t prompt_tokens;
  /**
   * Tokens that were generated; the one that ended the generation is not counted.
   */
  uint32_t generated_tokens;
  /**
   * 0.
   */
  uint32_t reserved;
  /**
   * Seconds until the first token was sampled.
   */
  double prompt_seconds;
  /**
   * Seconds from then to the end.
   */
  double generation_seconds;
} pinfold_finish;

/**
 * Where a store is, and how large it may grow. Fill it with `pinfold_store_options_init`, then change what you want.
 */
typedef struct pinfold_store_options {
  /**
   * `sizeof(pinfold_store_options)`.
   */
  size_t struct_size;
  /**
   * Its folder; NULL (at first) for `PINFOLD_STORE` of the environment, or else `pinfold` in the user's data folder.
   */
  struct pinfold_string root;
  /**
   * Bytes that its files may take together; `PINFOLD_NONE` (at first) for `PINFOLD_STORE_QUOTA` of the environment,
   * or else no limit.
   */
  int64_t quota;
} pinfold_store_options;

/**
 * Hears of work on the files of a store: `done` of `total` bytes. Called on the thread that works, before the call
 * returns. Return 0 to go on; anything else ends the work with `PINFOLD_ERROR_CALLBACK`. It must not throw or
 * `longjmp` out.
 */
typedef int32_t (*pinfold_store_progress)(void *user, uint64_t done, uint64_t total);

/**
 * A file of a store. Set `struct_size` before `pinfold_store_entries_get` fills it. Its texts belong to the list.
 */
typedef struct pinfold_store_entry {
  /**
   * `sizeof(pinfold_store_entry)`.
   */
  size_t struct_size;
  /**
   * Its SHA-256, in hexadecimal.
   */
  struct pinfold_string digest;
  /**
   * Where it is.
   */
  struct pinfold_string path;
  /**
   * In the list of `pinfold_store_verify`, the SHA-256 that its bytes have now, in hexadecimal; else NULL.
   */
  struct pinfold_string actual_digest;
  /**
   * The lock files, among those that were pulled here and still exist, that pin it.
   */
  const struct pinfold_string *pinned_by;
  /**
   * Their number.
   */
  size_t pinned_by_length;
  /**
   * Its bytes.
   */
  uint64_t size;
  /**
   * When it was last resolved, in seconds since 1970; `PINFOLD_NONE` for never.
   */
  int64_t used;
} pinfold_store_entry;

/**
 * Hears of a download, about ten times a second: of `total` bytes, 0 as long as that is not known, `done` are on this
 * machine, those of earlier attempts included. `source`, which is read, is valid during the call alone. Called on the
 * thread that pulls, before the call returns. Return 0 to go on; anything else ends the pull with
 * `PINFOLD_ERROR_CALLBACK`, and what arrived is kept for the next attempt. It must not throw or `longjmp` out.
 */
typedef int32_t (*pinfold_pull_progress)(void *user, const char *source, uint64_t done, uint64_t total);

/**
 * How downloads are done. Fill it with `pinfold_pull_options_init`, then change what you want. All pointers are read
 * during the call alone.
 */
typedef struct pinfold_pull_options {
  /**
   * `sizeof(pinfold_pull_options)`.
   */
  size_t struct_size;
  /**
   * The address of the Hugging Face Hub; NULL (at first) for `HF_ENDPOINT` of the environment, or else
   * `https://huggingface.co`.
   */
  struct pinfold_string hub_endpoint;
  /**
   * The Hub's access token; NULL (at first) for `HF_TOKEN` of the environment. It is sent to the endpoint only.
   */
  struct pinfold_string hub_token;
  /**
   * A PEM file of certificates that are trusted beside Mozilla's; NULL (at first) for `SSL_CERT_FILE` of the
   * environment.
   */
  struct pinfold_string certificates;
  /**
   * Hears how far the download is; NULL for none.
   */
  pinfold_pull_progress progress;
  /**
   * Given to `progress`.
   */
  void *progress_user;
  /**
   * Connections for one file, 1 to 16; 4 at first.
   */
  uint32_t connections;
  /**
   * Attempts at one source before the next is tried, 1 to 100; 5 at first. Those that brought bytes do not count.
   */
  uint32_t attempts;
  /**
   * Milliseconds without a byte after which a connection is given up; 30000 at first.
   */
  uint32_t stall_timeout_ms;
  /**
   * Must be 0.
   */
  uint32_t reserved;
} pinfold_pull_options;

/**
 * Hears of a verification: of `total` things, `done` are done, and `subject` is looked at, which is empty once all is
 * done, and valid during the call alone. Called on the thread that verifies, before the call returns. Return 0 to go
 * on; anything else ends the verification with `PINFOLD_ERROR_CALLBACK`. It must not throw or `longjmp` out.
 */
typedef int32_t (*pinfold_verify_progress)(void *user, const char *subject, uint32_t done, uint32_t total);

/**
 * What is verified, and how strictly. Fill it with `pinfold_verify_options_init`, then change what you want. All
 * pointers are read during the call alone.
 */
typedef struct pinfold_verify_options {
  /**
   * `sizeof(pinfold_verify_options)`.
   */
  size_t struct_size;
  /**
   * Names of checkpoints, adapters or goldens; everything if there are none.
   */
  const struct pinfold_string *names;
  /**
   * The number of names.
   */
  size_t names_length;
  /**
   * Hears how far the verification is; NULL for none.
   */
  pinfold_verify_progress progress;
  /**
   * Given to `progress`.
   */
  void *progress_user;
  /**
   * 1 to hash every file (at first); 0 to trust one that was not touched since it was hashed last.
   */
  uint32_t full_check;
  /**
   * What a log-probability may differ by where another backend or version recorded a golden, in nats; 0.1 at first.
   */
  float tolerance;
  /**
   * Threads that compute; 0 to choose by the machine.
   */
  uint32_t threads;
  /**
   * Must be 0.
   */
  uint32_t reserved;
} pinfold_verify_options;

/**
 * A pinned checkpoint. Set `struct_size` before `pinfold_lock_file_checkpoint` fills it. Its texts belong to the lock
 * file.
 */
typedef struct pinfold_pinned_checkpoint {
  /**
   * `sizeof(pinfold_pinned_checkpoint)`.
   */
  size_t struct_size;
  /**
   * Its name in the lock file.
   */
  struct pinfold_string name;
  /**
   * Where the bytes can be had, as the lock file says it; tried in this order.
   */
  const struct pinfold_string *sources;
  /**
   * The number of sources.
   */
  size_t sources_length;
  /**
   * The SHA-256 of the bytes, in hexadecimal.
   */
  struct pinfold_string digest;
  /**
   * The licence of the weights, as an SPDX expression or in words.
   */
  struct pinfold_string licence;
  /**
   * The architecture: `llama`, `bert`...
   */
  struct pinfold_string architecture;
  /**
   * How the weights are quantized: `Q4_K_M`, `F16`...
   */
  struct pinfold_string quantization;
  /**
   * The SHA-256 of all tokenizer metadata but the chat template, in hexadecimal.
   */
  struct pinfold_string tokenizer_digest;
  /**
   * The SHA-256 of the chat template, in hexadecimal; may be NULL.
   */
  struct pinfold_string chat_template_digest;
  /**
   * The number of bytes.
   */
  uint64_t size;
  /**
   * The length of the context that it was trained on, in tokens.
   */
  uint32_t context_length;
  /**
   * 1 if the lock file carries a signature of the bytes, else 0.
   */
  uint32_t is_signed;
} pinfold_pinned_checkpoint;

/**
 * A pinned adapter (LoRA), bound to its base. Set `struct_size` before `pinfold_lock_file_adapter` fills it. Its texts
 * belong to the lock file.
 */
typedef struct pinfold_pinned_adapter {
  /**
   * `sizeof(pinfold_pinned_adapter)`.
   */
  size_t struct_size;
  /**
   * Its name in the lock file.
   */
  struct pinfold_string name;
  /**
   * Where the bytes can be had, as the lock file says it; tried in this order.
   */
  const struct pinfold_string *sources;
  /**
   * The number of sources.
   */
  size_t sources_length;
  /**
   * The SHA-256 of the bytes, in hexadecimal.
   */
  struct pinfold_string digest;
  /**
   * The licence of the weights, as an SPDX expression or in words.
   */
  struct pinfold_string licence;
  /**
   * The architecture of the base.
   */
  struct pinfold_string architecture;
  /**
   * The name of the base among the checkpoints of the same lock file.
   */
  struct pinfold_string base;
  /**
   * The SHA-256 of the base, in hexadecimal.
   */
  struct pinfold_string base_digest;
  /**
   * The number of bytes.
   */
  uint64_t size;
  /**
   * 1 if the lock file carries a signature of the bytes, else 0.
   */
  uint32_t is_signed;
  /**
   * 0.
   */
  uint32_t reserved;
} pinfold_pinned_adapter;

/**
 * A generation that was recorded, to be replayed by `pinfold_lock_file_verify`. Set `struct_size` before
 * `pinfold_lock_file_golden` fills it. Its texts belong to the lock file.
 */
typedef struct pinfold_pinned_golden {
  /**
   * `sizeof(pinfold_pinned_golden)`.
   */
  size_t struct_size;
  /**
   * Its name in the lock file.
   */
  struct pinfold_string name;
  /**
   * The name of its checkpoint in the same lock file.
   */
  struct pinfold_string checkpoint;
  /**
   * The text that was generated.
   */
  struct pinfold_string text;
  /**
   * The version of Pinfold that recorded it.
   */
  struct pinfold_string runtime;
  /**
   * What computed it: `cpu x86_64-linux avx2`, `scripted`...
   */
  struct pinfold_string backend;
  /**
   * The revision of llama.cpp.
   */
  struct pinfold_string llama_cpp;
} pinfold_pinned_golden;

/**
 * What changed: a `PINFOLD_CAUSE_`.
 */
typedef int32_t pinfold_cause;

/**
 * The outcome for a file. Set `struct_size` before `pinfold_verify_report_file` fills it. What it points to belongs to
 * the report.
 */
typedef struct pinfold_file_report {
  /**
   * `sizeof(pinfold_file_report)`.
   */
  size_t struct_size;
  /**
   * Its name in the lock file.
   */
  struct pinfold_string name;
  /**
   * What is wrong in words, for people; empty if nothing is.
   */
  struct pinfold_string detail;
  /**
   * What is wrong, with what changed in it as far as that can be said.
   */
  const pinfold_cause *causes;
  /**
   * The number of causes; 0 if nothing is wrong.
   */
  size_t causes_length;
  /**
   * 1 if it is as pinned, else 0.
   */
  uint32_t passed;
  /**
   * 0.
   */
  uint32_t reserved;
} pinfold_file_report;

/**
 * How a golden compares: a `PINFOLD_GOLDEN_`.
 */
typedef int32_t pinfold_golden_outcome;

/**
 * The outcome for a golden. Set `struct_size` before `pinfold_verify_report_golden` fills it. Its texts belong to the
 * report.
 */
typedef struct pinfold_golden_report {
  /**
   * `sizeof(pinfold_golden_report)`.
   */
  size_t struct_size;
  /**
   * Its name in the lock file.
   */
  struct pinfold_string name;
  /**
   * The name of its checkpoint.
   */
  struct pinfold_string checkpoint;
  /**
   * All of it in words, for people.
   */
  struct pinfold_string detail;
  /**
   * The text that was recorded; NULL if nothing differs.
   */
  struct pinfold_string expected_text;
  /**
   * The text that is generated now; NULL if nothing differs.
   */
  struct pinfold_string actual_text;
  /**
   * The index among the generated tokens of the first that differs; `PINFOLD_NONE` if none does.
   */
  int64_t index;
  /**
   * The token that was recorded there; `PINFOLD_NONE` if the generation went on after the recorded end.
   */
  int64_t expected_token;
  /**
   * The token that was chosen now; `PINFOLD_NONE` if the generation ended.
   */
  int64_t actual_token;
  /**
   * The logit there of the token chosen now less that of the recorded one, before any filter; not a number if that
   * cannot be said.
   */
  float margin;
  /**
   * The largest difference of a log-probability from the recorded one, in nats.
   */
  float deviation;
  /**
   * How it compares.
   */
  pinfold_golden_outcome outcome;
  /**
   * What changed; `PINFOLD_CAUSE_NONE` if nothing did.
   */
  pinfold_cause cause;
  /**
   * 1 if the same backend and version recorded it, so that it was compared byte for byte, else 0.
   */
  uint32_t exact;
  /**
   * 0.
   */
  uint32_t reserved;
} pinfold_golden_report;

/**
 * The call did what it says.
 */
#define PINFOLD_OK 0

/**
 * A file could not be read or written.
 */
#define PINFOLD_ERROR_IO 1

/**
 * The checkpoint's bytes would not run safely: the preflight refused them.
 */
#define PINFOLD_ERROR_BAD_CHECKPOINT 2

/**
 * No embedded checkpoint has this name.
 */
#define PINFOLD_ERROR_UNKNOWN_CHECKPOINT 3

/**
 * The checkpoint passed the preflight, but the engine could not load it.
 */
#define PINFOLD_ERROR_LOAD_FAILED 4

/**
 * The checkpoint does not fit into the memory that is free.
 */
#define PINFOLD_ERROR_OUT_OF_MEMORY 5

/**
 * The context has no room for the tokens. Nothing was added.
 */
#define PINFOLD_ERROR_CONTEXT_FULL 6

/**
 * All sessions of the model are in use.
 */
#define PINFOLD_ERROR_TOO_MANY_SESSIONS 7

/**
 * The session is generating; its stream must end or be freed first.
 */
#define PINFOLD_ERROR_SESSION_BUSY 8

/**
 * There is nothing to continue: the session holds no token.
 */
#define PINFOLD_ERROR_SESSION_EMPTY 9

/**
 * The work was cancelled.
 */
#define PINFOLD_ERROR_CANCELLED 10

/**
 * An option or an argument is out of its range.
 */
#define PINFOLD_ERROR_INVALID_OPTION 11

/**
 * A token id is not in the vocabulary.
 */
#define PINFOLD_ERROR_UNKNOWN_TOKEN 12

/**
 * The sampler cannot choose: no candidate is left, or the logits are not numbers.
 */
#define PINFOLD_ERROR_NO_CANDIDATE 13

/**
 * A saved session cannot be restored here.
 */
#define PINFOLD_ERROR_BAD_SESSION 14

/**
 * The checkpoint has no chat template, or it failed.
 */
#define PINFOLD_ERROR_CHAT_TEMPLATE 15

/**
 * This build, machine or checkpoint cannot do it.
 */
#define PINFOLD_ERROR_UNSUPPORTED 16

/**
 * The engine failed in a way that should not happen after the checks.
 */
#define PINFOLD_ERROR_ENGINE 17

/**
 * A text is not UTF-8.
 */
#define PINFOLD_ERROR_INVALID_TEXT 18

/**
 * A function that you gave failed.
 */
#define PINFOLD_ERROR_CALLBACK 19

/**
 * A lock file cannot be read as one; the message begins with its path, the line and the column.
 */
#define PINFOLD_ERROR_BAD_LOCK 20

/**
 * The lock file pins nothing of this name.
 */
#define PINFOLD_ERROR_NOT_PINNED 21

/**
 * The bytes of a pin are not on this machine.
 */
#define PINFOLD_ERROR_NOT_PULLED 22

/**
 * The bytes are not those that were pinned. They are not used.
 */
#define PINFOLD_ERROR_WRONG_DIGEST 23

/**
 * The store is not one that this version can use.
 */
#define PINFOLD_ERROR_BAD_STORE 24

/**
 * There is no room for a download: on the disk, or below the quota of the store.
 */
#define PINFOLD_ERROR_NO_SPACE 25

/**
 * A text does not name a source of bytes.
 */
#define PINFOLD_ERROR_BAD_SOURCE 26

/**
 * No source gave the bytes. What arrived is kept for the next attempt.
 */
#define PINFOLD_ERROR_PULL_FAILED 27

/**
 * A signature is missing, damaged, or not of this key and these bytes.
 */
#define PINFOLD_ERROR_BAD_SIGNATURE 28

/**
 * A pointer is NULL that must not be.
 */
#define PINFOLD_ERROR_NULL_ARGUMENT 100

/**
 * The `struct_size` of a struct was not set, or the struct uses fields that this version does not know.
 */
#define PINFOLD_ERROR_STRUCT_SIZE 101

/**
 * A bug in Pinfold, which was stopped at its boundary. Free the handles that were part of the call.
 */
#define PINFOLD_ERROR_PANIC 102

/**
 * The processor.
 */
#define PINFOLD_DEVICE_CPU 1

/**
 * A graphics processor with memory of its own.
 */
#define PINFOLD_DEVICE_GPU 2

/**
 * A graphics processor that shares the processor's memory.
 */
#define PINFOLD_DEVICE_INTEGRATED_GPU 3

/**
 * Another accelerator.
 */
#define PINFOLD_DEVICE_ACCELERATOR 4

/**
 * Something failed.
 */
#define PINFOLD_LOG_ERROR 1

/**
 * Something is not as it should be.
 */
#define PINFOLD_LOG_WARN 2

/**
 * What happens, in brief.
 */
#define PINFOLD_LOG_INFO 3

/**
 * What happens, with details.
 */
#define PINFOLD_LOG_DEBUG 4

/**
 * Everything.
 */
#define PINFOLD_LOG_TRACE 5

/**
 * The author of the app.
 */
#define PINFOLD_ROLE_SYSTEM 1

/**
 * The user.
 */
#define PINFOLD_ROLE_USER 2

/**
 * The model.
 */
#define PINFOLD_ROLE_ASSISTANT 3

/**
 * A tool that the model called.
 */
#define PINFOLD_ROLE_TOOL 4

/**
 * It goes on, or it ended with an error.
 */
#define PINFOLD_FINISH_NONE 0

/**
 * The model ended its text.
 */
#define PINFOLD_FINISH_END_OF_GENERATION 1

/**
 * A stop text appeared.
 */
#define PINFOLD_FINISH_STOP 2

/**
 * `max_tokens` were generated.
 */
#define PINFOLD_FINISH_LENGTH 3

/**
 * It was cancelled, or its session was freed.
 */
#define PINFOLD_FINISH_CANCELLED 4

/**
 * Nothing.
 */
#define PINFOLD_CAUSE_NONE 0

/**
 * The file is not on this machine.
 */
#define PINFOLD_CAUSE_MISSING 1

/**
 * The bytes of the weights, or others that nothing below names.
 */
#define PINFOLD_CAUSE_WEIGHTS 2

/**
 * The tokenizer.
 */
#define PINFOLD_CAUSE_TOKENIZER 3

/**
 * The chat template.
 */
#define PINFOLD_CAUSE_CHAT_TEMPLATE 4

/**
 * Other metadata of the file.
 */
#define PINFOLD_CAUSE_METADATA 5

/**
 * The file would not run: the preflight refused it.
 */
#define PINFOLD_CAUSE_PREFLIGHT 6

/**
 * The lock file contradicts itself or the file: an adapter's base, an architecture.
 */
#define PINFOLD_CAUSE_LOCK 7

/**
 * The tokens of the prompt: the input, the tokenizer or the chat template.
 */
#define PINFOLD_CAUSE_PROMPT 8

/**
 * The probabilities: the weights, or how they are computed.
 */
#define PINFOLD_CAUSE_COMPUTATION 9

/**
 * The probabilities are as recorded, but another token was chosen: the sampler or its settings.
 */
#define PINFOLD_CAUSE_SAMPLER 10

/**
 * The same, token for token and byte for byte.
 */
#define PINFOLD_GOLDEN_SAME 1

/**
 * Recorded by another backend or version: tokens differ, but within the tolerance.
 */
#define PINFOLD_GOLDEN_WITHIN_TOLERANCE 2

/**
 * Not the same.
 */
#define PINFOLD_GOLDEN_DIFFERENT 3

/**
 * It could not be replayed, see the cause.
 */
#define PINFOLD_GOLDEN_NOT_RUN 4

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The word for a status, e.g. `context_full`; `ok` for `PINFOLD_OK`, `unknown` for a number that is none. The same
 * words name the errors in all languages. A static string, never NULL, never freed.
 */
const char *pinfold_status_code(pinfold_status status);

/**
 * The status that the call returned; `PINFOLD_OK` for NULL.
 */
pinfold_status pinfold_error_status(const struct pinfold_error *error);

/**
 * The message, in English, ending with a zero byte; valid until the error is freed. NULL for NULL.
 */
const char *pinfold_error_message(const struct pinfold_error *error);

/**
 * Frees the error; NULL does nothing.
 */
void pinfold_error_free(struct pinfold_error *error);

/**
 * The version of the ABI that the library has. If it is not `PINFOLD_ABI_VERSION`, header and library do not belong
 * together, and nothing else may be called.
 */
uint32_t pinfold_abi_version(void);

/**
 * The version of the library, e.g. `0.1.0`. A static string, never NULL, never freed.
 */
const char *pinfold_version(void);

/**
 * Lists the devices of this machine that this build can use, the processor last.
 *
 * Fails with `PINFOLD_ERROR_UNSUPPORTED` if the processor lacks what the build needs.
 */
pinfold_status pinfold_devices_list(struct pinfold_devices **devices_out, struct pinfold_error **error_out);

/**
 * The number of devices; 0 for NULL.
 */
size_t pinfold_devices_length(const struct pinfold_devices *devices);

/**
 * The device at `index`, counted from 0. Its texts are valid until the list is freed.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
 */
pinfold_status pinfold_devices_get(const struct pinfold_devices *devices,
                                   size_t index,
                                   struct pinfold_device *device_out,
                                   struct pinfold_error **error_out);

/**
 * Frees the list; NULL does nothing.
 */
void pinfold_devices_free(struct pinfold_devices *devices);

/**
 * Sends log lines of `level` and those that matter more to `log`, in the place of the function before; NULL makes the
 * log silent, as it is at the start. Lines never hold text of the user. `release`, which may be NULL, is called with
 * `user` when `log` will not be called any more: at once if this call fails, or once another thread that still logs
 * is done.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` for a level that is none, and with `PINFOLD_ERROR_UNSUPPORTED` in a Rust
 * program that collects the log itself.
 */
pinfold_status pinfold_log_set(pinfold_log log,
                               pinfold_log_level level,
                               void *user,
                               pinfold_release release,
                               struct pinfold_error **error_out);

/**
 * The text: UTF-8 that ends with a zero byte, which the length does not count; zero characters may stand inside as
 * well. Valid until the text is freed. NULL for NULL.
 */
const char *pinfold_text_data(const struct pinfold_text *text);

/**
 * The number of bytes; 0 for NULL.
 */
size_t pinfold_text_length(const struct pinfold_text *text);

/**
 * Frees the text; NULL does nothing.
 */
void pinfold_text_free(struct pinfold_text *text);

/**
 * The ids, as an array; valid until the list is freed. NULL for NULL; of an empty list, nothing to read.
 */
const uint32_t *pinfold_tokens_data(const struct pinfold_tokens *tokens);

/**
 * Their number; 0 for NULL.
 */
size_t pinfold_tokens_length(const struct pinfold_tokens *tokens);

/**
 * Frees the list; NULL does nothing.
 */
void pinfold_tokens_free(struct pinfold_tokens *tokens);

/**
 * The entries, as an array; valid until the list is freed. NULL for NULL; of an empty list, nothing to read.
 */
const struct pinfold_token_logprob *pinfold_logprobs_data(const struct pinfold_logprobs *logprobs);

/**
 * Their number; 0 for NULL.
 */
size_t pinfold_logprobs_length(const struct pinfold_logprobs *logprobs);

/**
 * Frees the list; NULL does nothing.
 */
void pinfold_logprobs_free(struct pinfold_logprobs *logprobs);

/**
 * Makes a flag that is not set.
 */
pinfold_status pinfold_cancel_new(struct pinfold_cancel **cancel_out, struct pinfold_error **error_out);

/**
 * Asks the work to stop; it does so within one decode step or one slice of a prefill. NULL does nothing.
 */
void pinfold_cancel_set(const struct pinfold_cancel *cancel);

/**
 * Whether the flag is set; false for NULL.
 */
bool pinfold_cancel_is_set(const struct pinfold_cancel *cancel);

/**
 * Frees the flag; NULL does nothing. Set it before, if the work is to stop.
 */
void pinfold_cancel_free(struct pinfold_cancel *cancel);

/**
 * Sets the defaults; `struct_size` is `sizeof(pinfold_model_options)`. NULL does nothing.
 */
void pinfold_model_options_init(struct pinfold_model_options *options_out, size_t struct_size);

/**
 * Sets the defaults; `struct_size` is `sizeof(pinfold_session_options)`. NULL does nothing.
 */
void pinfold_session_options_init(struct pinfold_session_options *options_out, size_t struct_size);

/**
 * Sets the defaults; `struct_size` is `sizeof(pinfold_generate_options)`. NULL does nothing.
 */
void pinfold_generate_options_init(struct pinfold_generate_options *options_out, size_t struct_size);

/**
 * Reads the header of the checkpoint at `path` and runs the preflight, without loading the weights. `options`, NULL
 * for the defaults, serve the estimate of memory.
 *
 * Fails with `PINFOLD_ERROR_IO` if it cannot be read, `PINFOLD_ERROR_BAD_CHECKPOINT` if it would not run.
 */
pinfold_status pinfold_checkpoint_inspect(const char *path,
                                          size_t path_length,
                                          const struct pinfold_model_options *options,
                                          struct pinfold_checkpoint_info **info_out,
                                          struct pinfold_error **error_out);

/**
 * What was found. Its texts are valid until `info` is freed.
 */
pinfold_status pinfold_checkpoint_info_get(const struct pinfold_checkpoint_info *info,
                                           struct pinfold_checkpoint *checkpoint_out,
                                           struct pinfold_error **error_out);

/**
 * Frees what was found; NULL does nothing.
 */
void pinfold_checkpoint_info_free(struct pinfold_checkpoint_info *info);

/**
 * Lists the checkpoints that are compiled into the library, in the order of their names.
 */
pinfold_status pinfold_embedded_list(struct pinfold_embedded **embedded_out,
                                     struct pinfold_error **error_out);

/**
 * The number of checkpoints; 0 for NULL.
 */
size_t pinfold_embedded_length(const struct pinfold_embedded *embedded);

/**
 * The checkpoint at `index`, counted from 0. Its texts are valid until the list is freed.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
 */
pinfold_status pinfold_embedded_get(const struct pinfold_embedded *embedded,
                                    size_t index,
                                    struct pinfold_embedded_checkpoint *checkpoint_out,
                                    struct pinfold_error **error_out);

/**
 * Frees the list; NULL does nothing.
 */
void pinfold_embedded_free(struct pinfold_embedded *embedded);

/**
 * Loads the GGUF checkpoint at `path`, after the preflight. `options` may be NULL for the defaults, `cancel` NULL if
 * nobody stops it.
 *
 * Fails with `PINFOLD_ERROR_IO`, `BAD_CHECKPOINT`, `OUT_OF_MEMORY`, `UNSUPPORTED` (a pure encoder), `LOAD_FAILED`,
 * `INVALID_OPTION`, `CANCELLED`, or `CALLBACK` if the progress function failed.
 */
pinfold_status pinfold_model_load(const char *path,
                                  size_t path_length,
                                  const struct pinfold_model_options *options,
                                  const struct pinfold_cancel *cancel,
                                  struct pinfold_model **model_out,
                                  struct pinfold_error **error_out);

/**
 * Loads the checkpoint of this name that is compiled into the library; `pinfold_embedded_list` lists them.
 *
 * Fails with `PINFOLD_ERROR_UNKNOWN_CHECKPOINT`, or as `pinfold_model_load`.
 */
pinfold_status pinfold_model_load_embedded(const char *name,
                                           size_t name_length,
                                           const struct pinfold_model_options *options,
                                           const struct pinfold_cancel *cancel,
                                           struct pinfold_model **model_out,
                                           struct pinfold_error **error_out);

/**
 * Loads a GGUF checkpoint that is in memory; `name` stands in errors. The bytes are read during the call alone.
 *
 * Fails as `pinfold_model_load`.
 */
pinfold_status pinfold_model_load_bytes(const char *name,
                                        size_t name_length,
                                        const uint8_t *bytes,
                                        size_t bytes_length,
                                        const struct pinfold_model_options *options,
                                        const struct pinfold_cancel *cancel,
                                        struct pinfold_model **model_out,
                                        struct pinfold_error **error_out);

/**
 * Makes a model without a checkpoint that gives the same answer to every prompt, byte by byte, and ends: for tests of
 * an app. Each token takes `step_microseconds`. Its tokens are the 256 bytes, then `<bos>` and `<eos>`; its context
 * has 1024 tokens unless the options say otherwise.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION`.
 */
pinfold_status pinfold_model_scripted(const char *answer,
                                      size_t answer_length,
                                      uint32_t step_microseconds,
                                      const struct pinfold_model_options *options,
                                      struct pinfold_model **model_out,
                                      struct pinfold_error **error_out);

/**
 * Opens a session. `options` may be NULL for the defaults.
 *
 * Fails with `PINFOLD_ERROR_TOO_MANY_SESSIONS`.
 */
pinfold_status pinfold_model_session(const struct pinfold_model *model,
                                     const struct pinfold_session_options *options,
                                     struct pinfold_session **session_out,
                                     struct pinfold_error **error_out);

/**
 * Gives the tokens of `text`, without a begin-of-sequence token. With `parse_special`, special tokens that are spelled
 * out are read as tokens: only for text that the author of a prompt or a chat template wrote, never for a user's.
 */
pinfold_status pinfold_model_tokenize(const struct pinfold_model *model,
                                      const char *text,
                                      size_t text_length,
                                      bool parse_special,
                                      struct pinfold_tokens **tokens_out,
                                      struct pinfold_error **error_out);

/**
 * Gives the text of `tokens` as a reader sees it; what is not UTF-8 becomes U+FFFD.
 *
 * Fails with `PINFOLD_ERROR_UNKNOWN_TOKEN`.
 */
pinfold_status pinfold_model_detokenize(const struct pinfold_model *model,
                                        const uint32_t *tokens,
                                        size_t tokens_length,
                                        struct pinfold_text **text_out,
                                        struct pinfold_error **error_out);

/**
 * Gives the prompt that the checkpoint's chat template makes of the messages, ready for the answer; append it with
 * `parse_special`.
 *
 * Fails with `PINFOLD_ERROR_CHAT_TEMPLATE` if there is none, or if it fails.
 */
pinfold_status pinfold_model_chat_prompt(const struct pinfold_model *model,
                                         const struct pinfold_message *messages,
                                         size_t messages_length,
                                         struct pinfold_text **text_out,
                                         struct pinfold_error **error_out);

/**
 * Gives facts about the checkpoint. Their texts are valid until the model is freed.
 */
pinfold_status pinfold_model_facts_get(const struct pinfold_model *model,
                                       struct pinfold_model_facts *facts_out,
                                       struct pinfold_error **error_out);

/**
 * Gives the SHA-256 of the checkpoint's bytes, in hexadecimal. The first call reads the file.
 *
 * Fails with `PINFOLD_ERROR_IO`, or `PINFOLD_ERROR_BAD_SESSION` if the file was changed after it was loaded.
 */
pinfold_status pinfold_model_digest(const struct pinfold_model *model,
                                    struct pinfold_text **text_out,
                                    struct pinfold_error **error_out);

/**
 * Frees the model; NULL does nothing. No other call on this handle may be under way.
 */
void pinfold_model_free(struct pinfold_model *model);

/**
 * Adds text. Nothing is computed yet. At the start of a session the checkpoint's begin-of-sequence token is put in
 * front, where it wants one. With `parse_special`, special tokens that are spelled out are read as tokens: only for
 * text that the author of a prompt or a chat template wrote, never for a user's. `length_out`, which may be NULL,
 * gets the number of tokens held.
 *
 * Fails with `PINFOLD_ERROR_CONTEXT_FULL` if it does not fit; nothing is added then.
 */
pinfold_status pinfold_session_append(const struct pinfold_session *session,
                                      const char *text,
                                      size_t text_length,
                                      bool parse_special,
                                      uint32_t *length_out,
                                      struct pinfold_error **error_out);

/**
 * Adds tokens as they are. `length_out`, which may be NULL, gets the number of tokens held.
 *
 * Fails with `PINFOLD_ERROR_UNKNOWN_TOKEN` or `PINFOLD_ERROR_CONTEXT_FULL`; nothing is added then.
 */
pinfold_status pinfold_session_append_tokens(const struct pinfold_session *session,
                                             const uint32_t *tokens,
                                             size_t tokens_length,
                                             uint32_t *length_out,
                                             struct pinfold_error **error_out);

/**
 * Computes what was added, so that the first token of the next generation comes at once. `cancel` may be NULL.
 *
 * Fails with `PINFOLD_ERROR_CANCELLED`; what was computed by then stays.
 */
pinfold_status pinfold_session_prefill(const struct pinfold_session *session,
                                       const struct pinfold_cancel *cancel,
                                       struct pinfold_error **error_out);

/**
 * Starts a generation after the tokens held. The stream computes what was added first. `options` may be NULL for the
 * defaults, `cancel` NULL if only `pinfold_stream_cancel` stops it.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` or `PINFOLD_ERROR_SESSION_EMPTY`; later errors come from the stream.
 */
pinfold_status pinfold_session_generate(const struct pinfold_session *session,
                                        const struct pinfold_generate_options *options,
                                        const struct pinfold_cancel *cancel,
                                        struct pinfold_stream **stream_out,
                                        struct pinfold_error **error_out);

/**
 * Gives the `count` likeliest next tokens, the likeliest first. `cancel` may be NULL.
 *
 * Fails with `PINFOLD_ERROR_SESSION_EMPTY` or `PINFOLD_ERROR_CANCELLED`.
 */
pinfold_status pinfold_session_next_tokens(const struct pinfold_session *session,
                                           uint32_t count,
                                           const struct pinfold_cancel *cancel,
                                           struct pinfold_logprobs **logprobs_out,
                                           struct pinfold_error **error_out);

/**
 * Gives the tokens held.
 */
pinfold_status pinfold_session_tokens(const struct pinfold_session *session,
                                      struct pinfold_tokens **tokens_out,
                                      struct pinfold_error **error_out);

/**
 * Forgets all tokens after the first `length`.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` if fewer are held.
 */
pinfold_status pinfold_session_rewind(const struct pinfold_session *session,
                                      uint32_t length,
                                      struct pinfold_error **error_out);

/**
 * Opens another session that holds the same tokens; what is computed is not computed again.
 *
 * Fails with `PINFOLD_ERROR_TOO_MANY_SESSIONS`, or `PINFOLD_ERROR_CONTEXT_FULL`, since a fork counts in full.
 */
pinfold_status pinfold_session_fork(const struct pinfold_session *session,
                                    struct pinfold_session **session_out,
                                    struct pinfold_error **error_out);

/**
 * Writes the session to a file: beside it first, then renamed. The file is bound to the bytes of the checkpoint. It
 * holds the tokens, so treat it as the text that it stands for.
 *
 * Fails with `PINFOLD_ERROR_IO`.
 */
pinfold_status pinfold_session_save(const struct pinfold_session *session,
                                    const char *path,
                                    size_t path_length,
                                    struct pinfold_error **error_out);

/**
 * Puts a saved session in the place of what is held.
 *
 * Fails with `PINFOLD_ERROR_BAD_SESSION` for a damaged file, another format or another checkpoint; the session keeps
 * what it held.
 */
pinfold_status pinfold_session_restore(const struct pinfold_session *session,
                                       const char *path,
                                       size_t path_length,
                                       struct pinfold_error **error_out);

/**
 * Frees the session; NULL does nothing. No other call on this handle may be under way.
 */
void pinfold_session_free(struct pinfold_session *session);

/**
 * Waits for the next piece and gives it; at the end the status is `PINFOLD_OK` and the chunk is NULL. Pieces that are
 * ready come joined, at most 64, so that a reader that is slower than the engine makes fewer calls.
 *
 * Fails with what ended the generation, e.g. `PINFOLD_ERROR_CONTEXT_FULL`, once the text before it was given out.
 */
pinfold_status pinfold_stream_next(const struct pinfold_stream *stream,
                                   struct pinfold_chunk **chunk_out,
                                   struct pinfold_error **error_out);

/**
 * Ends the generation, from any thread: `pinfold_stream_next` gives nothing more, and `pinfold_stream_finish` says
 * `PINFOLD_FINISH_CANCELLED`. After the end it does nothing, nor for NULL.
 */
void pinfold_stream_cancel(const struct pinfold_stream *stream);

/**
 * Gives how it ended. Never waits: while another thread is in `pinfold_stream_next`, it goes on.
 */
pinfold_status pinfold_stream_finish(const struct pinfold_stream *stream,
                                     struct pinfold_finish *finish_out,
                                     struct pinfold_error **error_out);

/**
 * Frees the stream and ends its generation; NULL does nothing. No other call on this handle may be under way.
 */
void pinfold_stream_free(struct pinfold_stream *stream);

/**
 * The text: UTF-8 that ends with a zero byte, which the length does not count; zero characters may stand inside as
 * well. Valid until the chunk is freed. NULL for NULL.
 */
const char *pinfold_chunk_text(const struct pinfold_chunk *chunk);

/**
 * The number of bytes of the text, which is 0 only at the end of a generation; 0 for NULL.
 */
size_t pinfold_chunk_text_length(const struct pinfold_chunk *chunk);

/**
 * The tokens that were sampled since the piece before, as an array; valid until the chunk is freed. NULL for NULL.
 */
const uint32_t *pinfold_chunk_tokens(const struct pinfold_chunk *chunk);

/**
 * Their number; 0 for NULL.
 */
size_t pinfold_chunk_tokens_length(const struct pinfold_chunk *chunk);

/**
 * The natural logarithms of the tokens' probabilities, before any filter: an array as long as that of the tokens;
 * valid until the chunk is freed. NULL if they were not asked for, and for NULL.
 */
const float *pinfold_chunk_logprobs(const struct pinfold_chunk *chunk);

/**
 * The likeliest tokens at the place of the token at `index`, the likeliest first, as an array; valid until the chunk
 * is freed. `length_out`, which may be NULL, gets their number. NULL and 0 if they were not asked for, if there is no
 * such token, and for NULL.
 */
const struct pinfold_token_logprob *pinfold_chunk_top(const struct pinfold_chunk *chunk,
                                                      size_t index,
                                                      size_t *length_out);

/**
 * Frees the chunk; NULL does nothing.
 */
void pinfold_chunk_free(struct pinfold_chunk *chunk);

/**
 * Sets the defaults; `struct_size` is `sizeof(pinfold_store_options)`. NULL does nothing.
 */
void pinfold_store_options_init(struct pinfold_store_options *options_out, size_t struct_size);

/**
 * Opens the store, and makes its folders if they are missing. `options` may be NULL for the defaults.
 *
 * Fails with `PINFOLD_ERROR_IO`, `BAD_STORE`, or `INVALID_TEXT` if the path of its folder is not Unicode.
 */
pinfold_status pinfold_store_open(const struct pinfold_store_options *options,
                                  struct pinfold_store **store_out,
                                  struct pinfold_error **error_out);

/**
 * Its folder, ending with a zero byte; valid until the store is freed. NULL for NULL.
 */
const char *pinfold_store_root(const struct pinfold_store *store);

/**
 * Lists its files, in the order of their digests.
 *
 * Fails with `PINFOLD_ERROR_IO`.
 */
pinfold_status pinfold_store_list(const struct pinfold_store *store,
                                  struct pinfold_store_entries **entries_out,
                                  struct pinfold_error **error_out);

/**
 * Hashes the files of these digests, each in hexadecimal, or all if there are none, and lists those whose bytes were
 * changed. `progress` may be NULL; `progress_user` is given to it. `cancel` may be NULL.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` for a text that is no digest, `NOT_PULLED` for one that the store does not
 * have, `IO`, `CANCELLED` or `CALLBACK`.
 */
pinfold_status pinfold_store_verify(const struct pinfold_store *store,
                                    const struct pinfold_string *digests,
                                    size_t digests_length,
                                    pinfold_store_progress progress,
                                    void *progress_user,
                                    const struct pinfold_cancel *cancel,
                                    struct pinfold_store_entries **entries_out,
                                    struct pinfold_error **error_out);

/**
 * Removes the file of this digest, which is in hexadecimal. `removed_out`, which may be NULL, gets false if the store
 * does not have it.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` for a text that is no digest, or `IO`.
 */
pinfold_status pinfold_store_remove(const struct pinfold_store *store,
                                    const char *digest,
                                    size_t digest_length,
                                    bool *removed_out,
                                    struct pinfold_error **error_out);

/**
 * Removes what no known lock file pins, and what is left of downloads that nobody continues. With `dry_run` it only
 * lists what it would remove. Known are the lock files that were pulled here. `freed_out`, which may be NULL, gets the
 * bytes that were freed, those of unfinished downloads included.
 *
 * Fails with `PINFOLD_ERROR_IO`, or `BAD_LOCK` of a known lock file: what it pins is not known then, and nothing is
 * removed.
 */
pinfold_status pinfold_store_collect(const struct pinfold_store *store,
                                     bool dry_run,
                                     struct pinfold_store_entries **entries_out,
                                     uint64_t *freed_out,
                                     struct pinfold_error **error_out);

/**
 * Copies a file into the store and gives its digest, in hexadecimal. With `expected_digest`, which may be NULL, other
 * bytes are refused. `progress` may be NULL; `progress_user` is given to it. `cancel` may be NULL.
 *
 * Fails with `PINFOLD_ERROR_IO`, `WRONG_DIGEST`, `NO_SPACE`, `INVALID_OPTION` for a text that is no digest, `CANCELLED`
 * or `CALLBACK`.
 */
pinfold_status pinfold_store_import_file(const struct pinfold_store *store,
                                         const char *path,
                                         size_t path_length,
                                         const char *expected_digest,
                                         size_t expected_digest_length,
                                         pinfold_store_progress progress,
                                         void *progress_user,
                                         const struct pinfold_cancel *cancel,
                                         struct pinfold_text **text_out,
                                         struct pinfold_error **error_out);

/**
 * Frees the store; NULL does nothing. Its files stay. No other call on this handle may be under way.
 */
void pinfold_store_free(struct pinfold_store *store);

/**
 * The number of files; 0 for NULL.
 */
size_t pinfold_store_entries_length(const struct pinfold_store_entries *entries);

/**
 * The file at `index`, counted from 0. Its texts are valid until the list is freed.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
 */
pinfold_status pinfold_store_entries_get(const struct pinfold_store_entries *entries,
                                         size_t index,
                                         struct pinfold_store_entry *entry_out,
                                         struct pinfold_error **error_out);

/**
 * Frees the list; NULL does nothing.
 */
void pinfold_store_entries_free(struct pinfold_store_entries *entries);

/**
 * Reads the lock file at `path`.
 *
 * Fails with `PINFOLD_ERROR_IO`, or `BAD_LOCK`, whose message begins with the path, the line and the column.
 */
pinfold_status pinfold_lock_file_open(const char *path,
                                      size_t path_length,
                                      struct pinfold_lock_file **lock_file_out,
                                      struct pinfold_error **error_out);

/**
 * Reads a lock file that is signed: `PATH.minisig` beside it, as `minisign -Sm PATH` writes it. `public_key` is the key
 * that the app embeds: the 56 characters of base64, or the whole text of a `.pub` file.
 *
 * Fails as `pinfold_lock_file_open`, and with `PINFOLD_ERROR_BAD_SIGNATURE`, also if there is no signature.
 */
pinfold_status pinfold_lock_file_open_signed(const char *path,
                                             size_t path_length,
                                             const char *public_key,
                                             size_t public_key_length,
                                             struct pinfold_lock_file **lock_file_out,
                                             struct pinfold_error **error_out);

/**
 * Reads the bytes of a lock file that the app has by other means, say embedded; `path` is for messages, and its folder
 * what `file:` sources are relative to.
 *
 * Fails with `PINFOLD_ERROR_BAD_LOCK`.
 */
pinfold_status pinfold_lock_file_open_bytes(const char *path,
                                            size_t path_length,
                                            const uint8_t *bytes,
                                            size_t bytes_length,
                                            struct pinfold_lock_file **lock_file_out,
                                            struct pinfold_error **error_out);

/**
 * Reads the nearest `pinfold.lock`: in `folder`, or else in the nearest folder around it that has one.
 *
 * Fails with `PINFOLD_ERROR_IO` if there is none, and as `pinfold_lock_file_open`.
 */
pinfold_status pinfold_lock_file_find(const char *folder,
                                      size_t folder_length,
                                      struct pinfold_lock_file **lock_file_out,
                                      struct pinfold_error **error_out);

/**
 * The path of the file, ending with a zero byte; valid until the lock file is freed. NULL for NULL.
 */
const char *pinfold_lock_file_path(const struct pinfold_lock_file *lock_file);

/**
 * Sets the fields of `options` that say how tokens are chosen to the settings of the sampler that have this name; the
 * others stay. Fill `options` with `pinfold_generate_options_init` before. Its `logit_bias` is valid until the lock
 * file is freed.
 *
 * Fails with `PINFOLD_ERROR_NOT_PINNED`.
 */
pinfold_status pinfold_lock_file_sampling(const struct pinfold_lock_file *lock_file,
                                          const char *name,
                                          size_t name_length,
                                          struct pinfold_generate_options *options,
                                          struct pinfold_error **error_out);

/**
 * Gives the path of a file with exactly the bytes that the checkpoint or adapter `name` is pinned to: of the store, or
 * else of a `file:` source. Nothing is downloaded. A file that was hashed is not hashed again as long as it is not
 * touched; with `full_check` it always is.
 *
 * Fails with `PINFOLD_ERROR_NOT_PINNED`, `NOT_PULLED`, `WRONG_DIGEST`, `BAD_LOCK` if the pinned size is wrong, `IO`, or
 * `INVALID_TEXT` if the path is not Unicode.
 */
pinfold_status pinfold_lock_file_resolve(const struct pinfold_lock_file *lock_file,
                                         const char *name,
                                         size_t name_length,
                                         const struct pinfold_store *store,
                                         bool full_check,
                                         struct pinfold_text **path_out,
                                         struct pinfold_error **error_out);

/**
 * Checks that the file of `name`, which is resolved, is signed by `public_key` with the signature that the lock file
 * carries. The key is one that the app embeds: the 56 characters of base64, or the text of a `.pub` file.
 *
 * Fails with `PINFOLD_ERROR_BAD_SIGNATURE`, also if there is no signature, and as `pinfold_lock_file_resolve`.
 */
pinfold_status pinfold_lock_file_check_signature(const struct pinfold_lock_file *lock_file,
                                                 const char *name,
                                                 size_t name_length,
                                                 const struct pinfold_store *store,
                                                 const char *public_key,
                                                 size_t public_key_length,
                                                 struct pinfold_error **error_out);

/**
 * Brings the bytes of the checkpoint or adapter `name` into the store, unless they are there, and gives the path of
 * their file. `options` may be NULL for the defaults, `cancel` NULL if nobody stops it.
 *
 * Fails with `PINFOLD_ERROR_NOT_PINNED`, `PULL_FAILED`, `NO_SPACE`, `INVALID_OPTION`, `IO`, `CANCELLED`, `CALLBACK` if
 * the progress function failed, or `INVALID_TEXT` if the path is not Unicode. What arrived is kept for the next
 * attempt.
 */
pinfold_status pinfold_lock_file_pull(const struct pinfold_lock_file *lock_file,
                                      const char *name,
                                      size_t name_length,
                                      const struct pinfold_store *store,
                                      const struct pinfold_pull_options *options,
                                      const struct pinfold_cancel *cancel,
                                      struct pinfold_text **path_out,
                                      struct pinfold_error **error_out);

/**
 * Loads the checkpoint `name`: resolves it, and opens exactly those bytes. `options` may be NULL for the defaults,
 * `cancel` NULL if nobody stops it.
 *
 * Fails as `pinfold_lock_file_resolve` and `pinfold_model_load`.
 */
pinfold_status pinfold_lock_file_load(const struct pinfold_lock_file *lock_file,
                                      const char *name,
                                      size_t name_length,
                                      const struct pinfold_store *store,
                                      const struct pinfold_model_options *options,
                                      const struct pinfold_cancel *cancel,
                                      struct pinfold_model **model_out,
                                      struct pinfold_error **error_out);

/**
 * Checks the files, and replays the goldens. What is wrong with a pin stands in the report. `options` may be NULL for
 * the defaults, `cancel` NULL if nobody stops it.
 *
 * Fails with `PINFOLD_ERROR_NOT_PINNED` for an unknown name, `INVALID_OPTION`, `CANCELLED`, or `CALLBACK` if the
 * progress function failed.
 */
pinfold_status pinfold_lock_file_verify(const struct pinfold_lock_file *lock_file,
                                        const struct pinfold_store *store,
                                        const struct pinfold_verify_options *options,
                                        const struct pinfold_cancel *cancel,
                                        struct pinfold_verify_report **report_out,
                                        struct pinfold_error **error_out);

/**
 * Frees the lock file; NULL does nothing. No other call on this handle may be under way.
 */
void pinfold_lock_file_free(struct pinfold_lock_file *lock_file);

/**
 * The number of pinned checkpoints; 0 for NULL.
 */
size_t pinfold_lock_file_checkpoints_length(const struct pinfold_lock_file *lock_file);

/**
 * The pinned checkpoint at `index`, counted from 0, in the order of their names. Its texts are valid until the lock
 * file is freed.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
 */
pinfold_status pinfold_lock_file_checkpoint(const struct pinfold_lock_file *lock_file,
                                            size_t index,
                                            struct pinfold_pinned_checkpoint *checkpoint_out,
                                            struct pinfold_error **error_out);

/**
 * The number of pinned adapters; 0 for NULL.
 */
size_t pinfold_lock_file_adapters_length(const struct pinfold_lock_file *lock_file);

/**
 * The pinned adapter at `index`, counted from 0, in the order of their names. Its texts are valid until the lock file
 * is freed.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
 */
pinfold_status pinfold_lock_file_adapter(const struct pinfold_lock_file *lock_file,
                                         size_t index,
                                         struct pinfold_pinned_adapter *adapter_out,
                                         struct pinfold_error **error_out);

/**
 * The number of goldens; 0 for NULL.
 */
size_t pinfold_lock_file_goldens_length(const struct pinfold_lock_file *lock_file);

/**
 * The golden at `index`, counted from 0, in the order of their names. Its texts are valid until the lock file is
 * freed.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
 */
pinfold_status pinfold_lock_file_golden(const struct pinfold_lock_file *lock_file,
                                        size_t index,
                                        struct pinfold_pinned_golden *golden_out,
                                        struct pinfold_error **error_out);

/**
 * Sets the defaults; `struct_size` is `sizeof(pinfold_pull_options)`. NULL does nothing.
 */
void pinfold_pull_options_init(struct pinfold_pull_options *options_out, size_t struct_size);

/**
 * Sets the defaults; `struct_size` is `sizeof(pinfold_verify_options)`. NULL does nothing.
 */
void pinfold_verify_options_init(struct pinfold_verify_options *options_out, size_t struct_size);

/**
 * Whether everything is as pinned, or within the tolerance; false for NULL.
 */
bool pinfold_verify_report_passed(const struct pinfold_verify_report *report);

/**
 * The number of files; 0 for NULL.
 */
size_t pinfold_verify_report_files_length(const struct pinfold_verify_report *report);

/**
 * The outcome for the file at `index`, counted from 0, in the order of their names. What it points to is valid until
 * the report is freed.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
 */
pinfold_status pinfold_verify_report_file(const struct pinfold_verify_report *report,
                                          size_t index,
                                          struct pinfold_file_report *file_out,
                                          struct pinfold_error **error_out);

/**
 * The number of goldens; 0 for NULL.
 */
size_t pinfold_verify_report_goldens_length(const struct pinfold_verify_report *report);

/**
 * The outcome for the golden at `index`, counted from 0, in the order of their names. Its texts are valid until the
 * report is freed.
 *
 * Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
 */
pinfold_status pinfold_verify_report_golden(const struct pinfold_verify_report *report,
                                            size_t index,
                                            struct pinfold_golden_report *golden_out,
                                            struct pinfold_error **error_out);

/**
 * Frees the report; NULL does nothing.
 */
void pinfold_verify_report_free(struct pinfold_verify_report *report);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PINFOLD_H */
