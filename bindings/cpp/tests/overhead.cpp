// What a token costs in C++, in microseconds, to be held against `pinfold bench` on the same checkpoint:
//
//     overhead CHECKPOINT.gguf
//     pinfold bench --prompt-tokens=0 --gen-tokens=200 --repetitions=1 --threads=1 CHECKPOINT.gguf
//
// The lower quartile of all rounds counts, which is what the machine does when nothing disturbs it.

#include <algorithm>
#include <chrono>
#include <iostream>
#include <vector>

#include <pinfold.hpp>

using Clock = std::chrono::steady_clock;

static constexpr int ROUNDS = 60;
static constexpr std::uint32_t TOKENS = 200;

static double quartile(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return samples[samples.size() / 4];
}

/// Microseconds of one of `count` calls of `work`.
template <typename Work>
static double microseconds(int count, Work&& work) {
  const auto start = Clock::now();
  for (int i = 0; i < count; ++i) {
    work();
  }
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count() / count;
}

/// Greedy generation from one token on.
static double generation(pinfold::Model& model) {
  pinfold::Session session = model.session();
  session.append_tokens({1});
  session.prefill();
  pinfold::GenerateOptions options;
  options.max_tokens = TOKENS;
  std::size_t tokens = 0;
  const double took = microseconds(1, [&] {
    for (const pinfold::Chunk& chunk : session.generate(options)) {
      tokens += chunk.tokens.size();
    }
  });
  return took / static_cast<double>(tokens);
}

/// The boundary alone: pieces of one token that are ready, read without the engine in between. Beside the boundary there
/// is only the queue, with its lock.
static double ready_piece(pinfold::Model& model) {
  constexpr int PIECES = 64;
  pinfold::Session session = model.session();
  session.append("q");
  pinfold::GenerateOptions options;
  options.max_tokens = 1;
  double sum = 0.0;
  for (int i = 0; i < PIECES; ++i) {
    pinfold::Stream stream = session.generate(options);
    // No call says that a piece is ready without taking it, so the worker gets ample time.
    const auto until = Clock::now() + std::chrono::microseconds(200);
    while (Clock::now() < until) {
    }
    sum += microseconds(1, [&] { stream.next(); });
  }
  return sum / PIECES;
}

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: overhead CHECKPOINT.gguf\n";
    return 2;
  }
  pinfold::ModelOptions options;
  options.context_tokens = 512;
  options.threads = 1;
  options.offload.layers = 0;
  pinfold::Model model = pinfold::Model::load(arguments[1], options);
  pinfold::Model scripted = pinfold::Model::scripted(std::string(256, 'x'));
  std::vector<double> generations;
  std::vector<double> pieces;
  generation(model);
  for (int round = 0; round < ROUNDS; ++round) {
    generations.push_back(generation(model));
    pieces.push_back(ready_piece(scripted));
  }
  pinfold::Cancel cancel;
  const double call = microseconds(1000000, [&] { (void)cancel.is_cancelled(); });
  std::cout << "a token of a stream " << quartile(generations) << " us, reading a piece that is ready "
            << quartile(pieces) << " us, the smallest call " << call << " us\n";
  return 0;
}
