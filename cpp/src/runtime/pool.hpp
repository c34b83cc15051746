// The workers. One pool a process, made at the first region that wants help; never destroyed (a process may exit while
// workers sleep or work; the operating system ends them). A forked child has none of its parent's workers: it gets a new
// pool at its first region.
//
// One mutex guards all bookkeeping; it is held for tens of nanoseconds, never while a body, a poll or a wake-up runs.
// An idle worker spins for a moment, then sleeps on a condition variable. Wake-ups cascade: the caller wakes two, and
// everyone who joins wakes two more while the region has room.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "runtime/region.hpp"

namespace mlwright::runtime {

class Pool {
 public:
  static Pool& of_this_process();

  // Runs every chunk of the region on this thread and the helpers that come; returns when all have left.
  // Throws Error if the process was forked meanwhile by this very thread: the helpers are then gone, and their chunks.
  void run(Region& region);

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

 private:
  struct ForkHandlers;

  Pool() noexcept;
  ~Pool() = default;

  void open(Region& region);
  void close(Region& region);
  void wait_until_all_left(Region& region, std::unique_lock<std::mutex>& lock);
  void unlink(Region& region) noexcept;

  bool has_room(const Region& region) const noexcept;
  Region* region_in_need() const noexcept;
  void hire(int missing) noexcept;
  void wake_some(int wanted) noexcept;

  void worker_main() noexcept;
  void help(Region& region, std::unique_lock<std::mutex>& lock) noexcept;
  void idle(std::unique_lock<std::mutex>& lock) noexcept;

  const int n_cpus_;  // beyond that many threads, one that spins takes time from one that works
  std::mutex mutex_;
  std::condition_variable work_arrived_;
  Region* open_regions_ = nullptr;  // on their callers' stacks
  int workers_ = 0;
  int active_ = 0;    // threads in regions: callers and helpers
  int spinning_ = 0;
  int sleeping_ = 0;
  bool orphaned_ = false;           // this process is a fork: the workers are in the parent
  Pool* inherited_ = nullptr;       // the parent's pool: kept reachable, never used

  alignas(64) std::atomic<unsigned> epoch_{0};  // changes whenever an idle worker should look again
};

}  // namespace mlwright::runtime
