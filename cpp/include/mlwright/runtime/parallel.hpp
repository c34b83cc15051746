// The one door to threads.
//
//   parallel_for(n, grain, token, body)   body(chunk, begin, end) for every chunk of [0, n)
//
// Chunk edges depend on n and grain only. Whatever a body computes for a chunk goes to storage indexed by the chunk,
// and partial results are combined in chunk order afterwards: sums do not depend on the number of threads
// (ordered_reduce.hpp does that in bounded memory; per_worker.hpp holds scratch memory).
//
// The calling thread takes part and polls the token; chunks are handed out in rising order, and a chunk that was handed
// out runs to its end. Ctrl-C ends a region once the chunks in flight have ended: cut them shorter than 0.1 s.
// An exception thrown by a body is rethrown on the calling thread after every worker has left the region: always the one
// of the lowest chunk that throws, whatever the number of threads. Cancelled goes before it.
// A region inside a region runs serially on the thread that meets it; a region of one chunk is a plain call, inside which
// another may still be parallel. Any number of threads may start regions at once; they share the workers, and together
// run no more threads than the process is set to, or than the callers are.
// Cost: 1-2 us while the workers still spin, a wake-up (tens of us) when they sleep. See docs/decisions/threads.md.
#pragma once

#include <type_traits>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::runtime {

constexpr index_t n_chunks(index_t n, index_t grain) noexcept { return n <= 0 ? 0 : (n - 1) / grain + 1; }

// How many threads a region started here may use (caller included): the innermost ThreadLimit of this thread, else the
// process-wide setting, else MLWRIGHT_NUM_THREADS, OMP_NUM_THREADS, then affinity and cgroup quota. 1 inside a region.
// More than there are cores is allowed where asked for. Another thread may change the process-wide setting at any time:
// hold a ThreadLimit (or a PerWorker) between sizing storage by this answer and starting the region.
int max_threads() noexcept;
void set_num_threads(int n);  // process-wide; 0 returns to the environment's answer and reads it anew

// Which participant of the current region this thread is: 0 <= worker_slot() < max_threads() as seen by the caller. For
// scratch memory only; results must not depend on it.
int worker_slot() noexcept;

// The limit of this thread's regions (`n_jobs`); 0 is no limit. Returns the one before.
int set_thread_limit(int n) noexcept;

// Limits regions that this thread starts while the object lives. 0 is no limit.
class ThreadLimit {
 public:
  explicit ThreadLimit(int n) noexcept;
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int previous_;
};

using ChunkFunction = void (*)(void* context, index_t chunk, index_t begin, index_t end);
void parallel_for_erased(index_t n, index_t grain, CancelToken& token, ChunkFunction run, void* context);

template <class Body>
void parallel_for(index_t n, index_t grain, CancelToken& token, Body&& body) {
  using B = std::remove_reference_t<Body>;
  parallel_for_erased(
      n, grain, token,
      [](void* context, index_t chunk, index_t begin, index_t end) { (*static_cast<B*>(context))(chunk, begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace mlwright::runtime
