// Processes that fork after they used the pool, or while they use it.
#if !defined(__SANITIZE_THREAD__)  // ThreadSanitizer does not support new threads in a fork of a threaded process

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "check.hpp"
#include "harmonic.hpp"
#include "mlwright/runtime/parallel.hpp"

using namespace mlwright;
using namespace mlwright::runtime;
using mlwright::tests::harmonic;
using namespace std::chrono_literals;

namespace {

// True in a child process that gave the right answer within ten seconds.
bool child_succeeds(const std::function<bool()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(10);
    _exit(work() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST(works_in_a_forked_child) {
  const ThreadLimit limit(3);
  const double want = harmonic(5000, 10);
  CHECK(child_succeeds([&] { return harmonic(5000, 10) == want; }));
  CHECK(child_succeeds([&] {  // and in a child's child
    return harmonic(5000, 10) == want && child_succeeds([&] { return harmonic(5000, 10) == want; });
  }));
  CHECK(harmonic(5000, 10) == want);
}

TEST(fork_while_another_thread_is_in_a_region) {
  const ThreadLimit limit(3);
  const double want = harmonic(5000, 10);
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    const ThreadLimit three(3);
    while (!stop.load()) harmonic(5000, 10);
  });
  for (int repeat = 0; repeat < 20; ++repeat) CHECK(child_succeeds([&] { return harmonic(5000, 10) == want; }));
  stop = true;
  busy.join();
}

TEST(fork_by_the_caller_inside_a_region_is_an_error_not_a_hang) {
  struct ForkOnce final : CancelToken {
    pid_t child = -1;
    bool wants_to_stop() noexcept override {
      if (child < 0) child = fork();
      if (child == 0) alarm(10);
      return false;
    }
  };
  const ThreadLimit limit(2);
  ForkOnce token;
  const auto me = std::this_thread::get_id();
  std::atomic<bool> helper_came{false};
  bool refused = false;
  try {
    parallel_for(2, 1, token, [&](index_t, index_t, index_t) {
      if (std::this_thread::get_id() != me) {
        helper_came = true;
        std::this_thread::sleep_for(200ms);
      } else {
        while (!helper_came) std::this_thread::yield();
      }
    });
  } catch (const Error& e) {
    refused = std::string(e.what()).find("forked") != std::string::npos;
  }
  if (token.child == 0) _exit(refused ? 0 : 1);
  int status = -1;
  waitpid(token.child, &status, 0);
  CHECK(!refused);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
