// Objects that are used from several threads at once.

#include <chrono>
#include <thread>
#include <vector>

#include "check.hpp"

using pinfold::Cancel;
using pinfold::Model;
using pinfold::Session;
using pinfold::Stream;

static const std::string ANSWER = "an answer that takes a while";

static void sessions_side_by_side() {
  Model model = Model::scripted(ANSWER, 200);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&model] {
      for (int round = 0; round < 5; ++round) {
        Session session = model.session();
        session.append("q");
        Stream stream = session.generate();
        check(text_of(stream) == ANSWER, "each session gives its answer");
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

static void a_cancel_does_not_wait_for_the_reader() {
  // A step takes a second, so that a cancel that waited for one would be seen.
  Model model = Model::scripted(ANSWER, 1000000);
  Session session = model.session();
  session.append("q");
  for (const bool by_flag : {false, true}) {
    Cancel cancel;
    Stream stream = session.generate({}, cancel);
    std::thread reader([&stream] { text_of(stream); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    check(!stream.finish(), "it goes on");
    const auto before = std::chrono::steady_clock::now();
    by_flag ? cancel.cancel() : stream.cancel();
    const auto took = std::chrono::steady_clock::now() - before;
    check(took < std::chrono::milliseconds(500), "a cancel returns at once");
    reader.join();
    const auto finish = stream.finish();
    check(finish && finish->reason == pinfold::FinishReason::Cancelled, "the stream was cancelled");
  }
}

static void many_readers_of_one_stream() {
  Model model = Model::scripted(ANSWER, 100);
  Session session = model.session();
  session.append("q");
  Stream stream = session.generate();
  std::vector<std::string> texts(4);
  std::vector<std::thread> threads;
  for (std::string& text : texts) {
    threads.emplace_back([&stream, &text] { text = text_of(stream); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::size_t length = 0;
  for (const std::string& text : texts) {
    length += text.size();
  }
  check(length == ANSWER.size(), "each piece goes to one reader");
}

static void calls_on_one_session() {
  Model model = Model::scripted("x");
  Session session = model.session();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&session] {
      for (int round = 0; round < 50; ++round) {
        session.append("a");
        session.tokens();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  check(session.tokens().size() == 400, "calls from many threads are done one after another");
}

static void objects_are_destroyed_on_other_threads() {
  for (int round = 0; round < 20; ++round) {
    Model model = Model::scripted(ANSWER, 100);
    Session session = model.session();
    session.append("q");
    Stream stream = session.generate();
    stream.next();
    std::thread one([moved = std::move(stream)]() mutable { moved.next(); });
    std::thread two([moved = std::move(session)]() mutable { Session here = std::move(moved); });
    std::thread three([moved = std::move(model)]() mutable { Model here = std::move(moved); });
    one.join();
    two.join();
    three.join();
  }
  check(true, "all of them are gone");
}

int main() {
  sessions_side_by_side();
  a_cancel_does_not_wait_for_the_reader();
  many_readers_of_one_stream();
  calls_on_one_session();
  objects_are_destroyed_on_other_threads();
  return report("threads");
}
