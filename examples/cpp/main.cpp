// Streams an answer of the embedded checkpoint, cancels one, and shows an error.
//
//     cargo build --release --workspace
//     cmake -S examples/cpp -B target/example-cpp && cmake --build target/example-cpp
//     target/example-cpp/pinfold_example "play some jazz by miles davis"

#include <future>
#include <iostream>

#include <pinfold.hpp>

static const char* name(pinfold::FinishReason reason) {
  switch (reason) {
    case pinfold::FinishReason::EndOfGeneration: return "the model ended";
    case pinfold::FinishReason::Stop: return "a stop text";
    case pinfold::FinishReason::Length: return "enough tokens";
    case pinfold::FinishReason::Cancelled: return "cancelled";
  }
  return "unknown";
}

static void run(const std::string& request) {
  pinfold::Model model = pinfold::Model::load_embedded("intent");

  // An answer, piece by piece.
  pinfold::Session session = model.session();
  session.append(model.chat_prompt({{pinfold::Role::User, request}}), true);
  {
    pinfold::Stream stream = session.generate();
    for (const pinfold::Chunk& chunk : stream) {
      std::cout << chunk.text << std::flush;
    }
    if (const auto finish = stream.finish()) {
      std::cout << "\n" << name(finish->reason) << " after " << finish->generated_tokens << " tokens\n";
    }
  }

  // A cancel from another thread ends the stream; the session holds what the stream gave out and can be used again.
  session.rewind(1);
  pinfold::Cancel cancel;
  pinfold::Stream stream = session.generate({}, cancel);
  std::async(std::launch::async, [&cancel] { cancel.cancel(); }).wait();
  while (stream.next()) {
  }
  if (const auto finish = stream.finish()) {
    std::cout << name(finish->reason) << "\n";
  }

  // An error says what to do; its code is for the program.
  try {
    pinfold::Model::load("no-such-checkpoint.gguf");
  } catch (const pinfold::Error& error) {
    std::cout << "error " << error.code() << ": " << error.what() << "\n";
  }
}

int main(int count, char** arguments) {
  try {
    run(count > 1 ? arguments[1] : "will it rain in Lisbon tomorrow");
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
