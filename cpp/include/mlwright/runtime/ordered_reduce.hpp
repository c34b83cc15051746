// A parallel reduction with the same bits for any number of threads, in bounded memory.
//
//   ordered_reduce(n, grain, token, make, body, combine)
//     make()                      one Partial, by the calling thread
//     body(partial, begin, end)   overwrites the partial with that of one chunk, in parallel
//     combine(partial)            called for every chunk in chunk order, one at a time, on whichever thread has the turn
//
// Partials are a ring of two a thread: a chunk's partial may be made while the one before it waits for its turn, and the
// thread of a chunk that is a whole ring ahead waits. The thread whose chunk has the turn never waits, so there is no
// deadlock; combining overlaps with the other threads' bodies. Memory: min(2 * max_threads(), chunks) partials.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "mlwright/runtime/parallel.hpp"

namespace mlwright::runtime {

// Whose turn it is. Chunks combine in order; a failed chunk releases everybody.
class Turnstile {
 public:
  explicit Turnstile(index_t ring) : ring_(ring), done_(static_cast<std::size_t>(ring), false) {}

  // Until the ring's place for this chunk is free. False if it never will be, since a lower chunk has failed.
  bool await_place(index_t chunk) {
    std::unique_lock lock(mutex_);
    place_free_.wait(lock, [&] { return failed_ || chunk < turn_ + ring_; });
    return chunk < turn_ + ring_;  // lower than one that failed: runs, since the lowest error is the one reported
  }

  // This chunk's partial is ready: combines it and those that waited for it, if it is their turn and nobody is at it.
  template <class Combine>
  void finish(index_t chunk, Combine&& combine_place) {
    std::unique_lock lock(mutex_);
    done_[static_cast<std::size_t>(chunk % ring_)] = true;
    if (combining_) return;  // that thread will come to it
    combining_ = true;
    while (!failed_ && done_[static_cast<std::size_t>(turn_ % ring_)]) {
      const index_t place = turn_ % ring_;
      lock.unlock();
      combine_place(place);
      lock.lock();
      done_[static_cast<std::size_t>(place)] = false;
      ++turn_;
      place_free_.notify_all();
    }
    combining_ = false;
  }

  void fail() {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    place_free_.notify_all();
  }

 private:
  const index_t ring_;
  std::mutex mutex_;
  std::condition_variable place_free_;
  std::vector<bool> done_;
  index_t turn_ = 0;
  bool combining_ = false, failed_ = false;
};

template <class Make, class Body, class Combine>
void ordered_reduce(index_t n, index_t grain, CancelToken& token, Make&& make, Body&& body, Combine&& combine) {
  const ThreadLimit pinned(max_threads());
  const index_t ring = std::min<index_t>(2 * max_threads(), n_chunks(n, grain));
  if (ring == 0) return;
  std::vector<decltype(make())> partials;
  partials.reserve(static_cast<std::size_t>(ring));
  for (index_t i = 0; i < ring; ++i) partials.push_back(make());
  Turnstile turnstile(ring);
  parallel_for(n, grain, token, [&](index_t chunk, index_t begin, index_t end) {
    if (!turnstile.await_place(chunk)) return;
    try {
      body(partials[static_cast<std::size_t>(chunk % ring)], begin, end);
      turnstile.finish(chunk, [&](index_t place) { combine(partials[static_cast<std::size_t>(place)]); });
    } catch (...) {
      turnstile.fail();
      throw;
    }
  });
}

}  // namespace mlwright::runtime
