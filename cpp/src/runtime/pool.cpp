#include "runtime/pool.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <exception>
#include <thread>

#include "runtime/cpu_count.hpp"
#include "runtime/placement.hpp"
#include "runtime/spin.hpp"
#include "runtime/thread_count.hpp"
#include "runtime/thread_state.hpp"

namespace mlwright::runtime {
namespace {

std::mutex pool_mutex;               // guards the making of the pool, against others and against fork
std::atomic<Pool*> the_pool{nullptr};
Pool* parents_pool = nullptr;

// While it lives, threads started here receive no signals, so that the program's own threads do. Faults stay with the
// thread that causes them.
class NoSignals {
 public:
  NoSignals() noexcept {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF}) sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

// Fork copies the forking thread only. The mutexes are taken before, so that the child finds the books in order.
struct Pool::ForkHandlers {
  static void before() {
    pool_mutex.lock();
    if (Pool* pool = the_pool.load()) pool->mutex_.lock();
  }
  static void in_parent() {
    if (Pool* pool = the_pool.load()) pool->mutex_.unlock();
    pool_mutex.unlock();
  }
  static void in_child() {
    if (Pool* pool = the_pool.load()) {
      pool->orphaned_ = true;
      pool->inherited_ = parents_pool;
      parents_pool = pool;
      the_pool.store(nullptr);
      pool->mutex_.unlock();
    }
    forget_detected_threads();  // children are often given an affinity or a limit of their own
    pool_mutex.unlock();
  }
  // When the library is loaded: before any thread of ours exists.
  static inline const int registered = pthread_atfork(before, in_parent, in_child);
};

Pool::Pool() noexcept : n_cpus_(affinity_cpus()) {}

Pool& Pool::of_this_process() {
  if (Pool* pool = the_pool.load(std::memory_order_acquire)) [[likely]] return *pool;
  const std::lock_guard lock(pool_mutex);
  (void)ForkHandlers::registered;
  if (the_pool.load() == nullptr) the_pool.store(new Pool, std::memory_order_release);
  return *the_pool.load();
}

void Pool::run(Region& region) {
  open(region);
  {
    const InRegion as_caller(Role::caller);
    region.work_as_caller();
  }
  close(region);
  region.raise_what_went_wrong();
}

// ---------------------------------------------------------------- the caller's side

void Pool::open(Region& region) {
  const int threads = max_threads();
  const std::unique_lock lock(mutex_);
  region.max_helpers = static_cast<int>(std::min<index_t>(threads, region.chunks())) - 1;
  region.budget = std::max(threads, process_threads());
  region.callers_cpu = current_cpu();
  region.following = open_regions_;
  open_regions_ = &region;
  ++active_;
  epoch_.fetch_add(1, std::memory_order_release);
  const int wanted = std::min(region.max_helpers, region.budget - active_);
  const int idle_workers = spinning_ + sleeping_;
  if (wanted > idle_workers) hire(std::min(wanted - idle_workers, region.budget - 1 - workers_));
  wake_some(wanted - spinning_);
  region.may_spin = workers_ < n_cpus_;
}

void Pool::close(Region& region) {
  if (region.may_spin)
    spin_until([&] { return region.inside.load(std::memory_order_acquire) == 0; });
  std::unique_lock lock(mutex_);
  unlink(region);
  wait_until_all_left(region, lock);
  --active_;
  if (region_in_need() != nullptr) {  // the caller's share of the cores is free now
    epoch_.fetch_add(1, std::memory_order_release);
    wake_some(1);
  }
}

void Pool::wait_until_all_left(Region& region, std::unique_lock<std::mutex>& lock) {
  while (region.inside.load(std::memory_order_relaxed) > 0) {
    if (orphaned_) {
      --active_;
      throw Error("parallel region: the process was forked by the thread that runs it, got a child without its workers, "
                  "expected fork between calls; do not fork in a signal handler");
    }
    if (region.all_left.wait_for(lock, CancelToken::kPollInterval) == std::cv_status::timeout) {
      lock.unlock();  // asking may take a while, and may fork
      region.token().ask_if_due();
      lock.lock();
    }
  }
}

void Pool::unlink(Region& region) noexcept {
  Region** link = &open_regions_;
  while (*link != &region) link = &(*link)->following;
  *link = region.following;
}

// ---------------------------------------------------------------- who helps whom

bool Pool::has_room(const Region& region) const noexcept {
  return region.joined < region.max_helpers && active_ < region.budget && !region.exhausted();
}

// The open region with the fewest helpers that could use another.
Region* Pool::region_in_need() const noexcept {
  Region* best = nullptr;
  for (Region* region = open_regions_; region != nullptr; region = region->following)
    if (has_room(*region) && (best == nullptr || region->joined < best->joined)) best = region;
  return best;
}

// More workers; fewer where the system refuses: a region needs none to get done.
void Pool::hire(int missing) noexcept {
  const NoSignals none;
  for (; missing > 0; --missing) {
    try {
      std::thread(&Pool::worker_main, this).detach();
    } catch (const std::exception&) {
      return;
    }
    ++workers_;
  }
}

void Pool::wake_some(int wanted) noexcept {
  for (int n = std::min({wanted, sleeping_, 2}); n > 0; --n) work_arrived_.notify_one();
}

// ---------------------------------------------------------------- the workers' side

void Pool::worker_main() noexcept {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), "mlwright");
#endif
  this_thread.role = Role::helper;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (Region* region = region_in_need())
      help(*region, lock);
    else
      idle(lock);
  }
}

void Pool::help(Region& region, std::unique_lock<std::mutex>& lock) noexcept {
  this_thread.slot = ++region.joined;
  region.inside.fetch_add(1, std::memory_order_relaxed);
  ++active_;
  if (has_room(region)) wake_some(region.max_helpers - region.joined - spinning_);
  lock.unlock();
  leave_cpu(region.callers_cpu);
  adopt_float_state(region.callers_float_state());
  region.work_as_helper();
  lock.lock();
  --active_;
  // The caller takes the mutex before it returns, so the region outlives this line.
  if (region.inside.fetch_sub(1, std::memory_order_release) == 1) region.all_left.notify_one();
}

void Pool::idle(std::unique_lock<std::mutex>& lock) noexcept {
  const unsigned seen = epoch_.load(std::memory_order_relaxed);
  const auto changed = [&] { return epoch_.load(std::memory_order_acquire) != seen; };
  if (active_ + spinning_ < n_cpus_) {
    ++spinning_;
    lock.unlock();
    spin_until(changed);
    lock.lock();
    --spinning_;
  }
  ++sleeping_;
  work_arrived_.wait(lock, changed);  // returns at once if work came while spinning
  --sleeping_;
}

}  // namespace mlwright::runtime
