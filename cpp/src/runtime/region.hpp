// One parallel loop in flight: what there is to do, who takes part, what went wrong.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>

#include "mlwright/runtime/parallel.hpp"
#include "runtime/float_state.hpp"

namespace mlwright::runtime {

class Region {
 public:
  Region(index_t n, index_t grain, CancelToken& token, ChunkFunction run, void* context) noexcept
      : n_(n), grain_(grain), chunks_(n_chunks(n, grain)), token_(token), run_(run), context_(context) {}

  index_t chunks() const noexcept { return chunks_; }
  CancelToken& token() noexcept { return token_; }
  std::uint64_t callers_float_state() const noexcept { return float_state_; }

  // Nobody takes a chunk any more.
  bool exhausted() const noexcept {
    return stopped_.load(std::memory_order_relaxed) || next_.load(std::memory_order_relaxed) >= chunks_;
  }

  void work_as_caller() noexcept {
    while (!stopped_.load(std::memory_order_relaxed) && !token_.ask_if_due() && run_next()) {
    }
    stop();  // helpers see a cancelled token themselves, but exhausted() does not look at it
  }

  void work_as_helper() noexcept {
    while (!stopped_.load(std::memory_order_relaxed) && !token_.cancelled() && run_next()) {
    }
  }

  // On the calling thread, once every helper has left.
  void raise_what_went_wrong() {
    if (token_.cancelled()) throw Cancelled();  // first: Python's error indicator may be set already
    if (error_) std::rethrow_exception(error_);
  }

  // The pool's, under its mutex.
  Region* following = nullptr;     // the next open region
  int max_helpers = 0;             // of this region: the caller's max_threads() - 1, and no more than it has chunks
  int budget = 0;                  // threads that may run in all regions together for a helper to join this one
  int callers_cpu = -1;            // where the caller runs, and helpers should not
  bool may_spin = false;           // there are CPUs enough for all workers to be awake
  int joined = 0;                  // helpers so far; a helper's slot is its number
  std::atomic<int> inside{0};      // helpers now; the caller spins on it without the mutex
  std::condition_variable all_left;

 private:
  // False when there was no chunk left.
  bool run_next() noexcept {
    const index_t chunk = next_.fetch_add(1, std::memory_order_relaxed);
    if (chunk >= chunks_) return false;
    try {
      run_(context_, chunk, chunk * grain_, chunk == chunks_ - 1 ? n_ : (chunk + 1) * grain_);
    } catch (...) {
      keep_error_of(chunk);
    }
    return true;
  }

  // Every chunk below one that threw has been handed out and runs to its end, so the lowest that throws is always found.
  void keep_error_of(index_t chunk) noexcept {
    const std::lock_guard lock(error_mutex_);
    if (chunk < error_chunk_) {
      error_chunk_ = chunk;
      error_ = std::current_exception();
    }
    stop();
  }

  void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }

  const index_t n_, grain_, chunks_;
  CancelToken& token_;
  const ChunkFunction run_;
  void* const context_;
  const std::uint64_t float_state_ = float_state();

  std::mutex error_mutex_;
  index_t error_chunk_ = std::numeric_limits<index_t>::max();
  std::exception_ptr error_;

  // Written by everybody; a cache line away from what everybody reads.
  alignas(64) std::atomic<index_t> next_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace mlwright::runtime
