#include "runtime/thread_count.hpp"

#include <algorithm>
#include <atomic>
#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "runtime/cpu_count.hpp"
#include "runtime/thread_state.hpp"

namespace mlwright::runtime {
namespace {

std::atomic<int> process_setting{0};  // 0: the environment's answer
std::atomic<int> detected{0};         // 0: not asked yet

}  // namespace

int process_threads() noexcept {
  if (const int n = process_setting.load(std::memory_order_relaxed); n > 0) return n;
  int n = detected.load(std::memory_order_relaxed);
  if (n == 0) [[unlikely]] {
    n = detect_threads();
    detected.store(n, std::memory_order_relaxed);
  }
  return n;
}

void forget_detected_threads() noexcept { detected.store(0, std::memory_order_relaxed); }

int max_threads() noexcept {
  if (this_thread.role != Role::outside) return 1;
  return this_thread.limit > 0 ? this_thread.limit : process_threads();
}

void set_num_threads(int n) {
  if (n < 0)
    throw InvalidArgument("number of threads: got " + std::to_string(n) +
                          ", expected at least 1, or 0 for what the environment says");
  forget_detected_threads();
  process_setting.store(std::min(n, kMaxThreads), std::memory_order_relaxed);
}

int worker_slot() noexcept { return this_thread.slot; }

int set_thread_limit(int n) noexcept {
  const int previous = this_thread.limit;
  this_thread.limit = std::clamp(n, 0, kMaxThreads);
  return previous;
}

ThreadLimit::ThreadLimit(int n) noexcept : previous_(set_thread_limit(n)) {}
ThreadLimit::~ThreadLimit() { set_thread_limit(previous_); }

}  // namespace mlwright::runtime
