// The pool as its callers see it. Everything here also runs under ThreadSanitizer (make tsan).
#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.hpp"
#include "harmonic.hpp"
#include "mlwright/runtime/ordered_reduce.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"

using namespace mlwright;
using namespace mlwright::runtime;
using mlwright::tests::harmonic;
using namespace std::chrono_literals;

namespace {

constexpr int kThreadCounts[] = {1, 2, 3, 8};

}  // namespace

TEST(parallel_every_index_once_with_fixed_edges) {
  for (const int threads : kThreadCounts)
    for (const index_t n : {0, 1, 2, 63, 64, 65, 1000})
      for (const index_t grain : {1, 7, 64, 5000}) {
        const ThreadLimit limit(threads);
        CancelToken token;
        std::vector<int> seen(static_cast<std::size_t>(n), 0);
        std::vector<index_t> begins(static_cast<std::size_t>(n_chunks(n, grain)), -1);
        parallel_for(n, grain, token, [&](index_t chunk, index_t begin, index_t end) {
          begins[static_cast<std::size_t>(chunk)] = begin;
          for (index_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
        });
        CHECK(std::all_of(seen.begin(), seen.end(), [](int s) { return s == 1; }));
        for (std::size_t c = 0; c < begins.size(); ++c) CHECK(begins[c] == static_cast<index_t>(c) * grain);
      }
}

TEST(parallel_chunk_edges_do_not_overflow) {
  CHECK(n_chunks(std::numeric_limits<index_t>::max(), std::numeric_limits<index_t>::max()) == 1);
  CancelToken token;
  index_t seen = -1;
  parallel_for(std::numeric_limits<index_t>::max(), std::numeric_limits<index_t>::max() - 1, token,
               [&](index_t chunk, index_t, index_t end) {
                 if (chunk == 1) seen = end;
               });
  CHECK(seen == std::numeric_limits<index_t>::max());
}

TEST(parallel_refuses_a_grain_below_one) {
  CancelToken token;
  const auto message = CHECK_THROWS(InvalidArgument, parallel_for(3, 0, token, [](index_t, index_t, index_t) {}));
  CHECK(message.find("got a grain of 0") != std::string::npos);
}

TEST(parallel_really_uses_that_many_threads) {
  const ThreadLimit limit(3);
  CancelToken token;
  std::atomic<int> arrived{0};
  std::vector<int> slots(3, -1);
  // Three chunks that wait for one another: only three threads can finish them.
  parallel_for(3, 1, token, [&](index_t chunk, index_t, index_t) {
    slots[static_cast<std::size_t>(chunk)] = worker_slot();
    arrived.fetch_add(1);
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (arrived.load() < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  });
  CHECK(arrived.load() == 3);
  CHECK(std::set<int>(slots.begin(), slots.end()) == (std::set<int>{0, 1, 2}));
}

TEST(parallel_nested_regions_are_serial_and_own_slot_zero) {
  const ThreadLimit limit(4);
  CancelToken token;
  std::atomic<int> bad{0}, inner{0};
  parallel_for(16, 1, token, [&](index_t, index_t, index_t) {
    const int outer_slot = worker_slot();
    const auto me = std::this_thread::get_id();
    if (max_threads() != 1 || outer_slot < 0 || outer_slot >= 4) bad.fetch_add(1);
    parallel_for(5, 1, token, [&](index_t, index_t, index_t) {
      inner.fetch_add(1);
      if (worker_slot() != 0 || std::this_thread::get_id() != me) bad.fetch_add(1);
    });
    if (worker_slot() != outer_slot) bad.fetch_add(1);
  });
  CHECK(bad.load() == 0);
  CHECK(inner.load() == 80);
  CHECK(max_threads() == 4);
}

TEST(parallel_rethrows_the_lowest_chunk_that_throws) {
  for (const int threads : kThreadCounts)
    for (int repeat = 0; repeat < 50; ++repeat) {
      const ThreadLimit limit(threads);
      CancelToken token;
      const auto message = CHECK_THROWS(
          std::runtime_error, parallel_for(200, 1, token, [](index_t chunk, index_t, index_t) {
            if (chunk == 13) std::this_thread::sleep_for(50us);  // later in time, lower in number
            if (chunk >= 13) throw std::runtime_error("chunk " + std::to_string(chunk));
          }));
      CHECK(message == "chunk 13");
    }
}

TEST(parallel_stops_soon_after_cancel) {
  for (const int threads : kThreadCounts) {
    const ThreadLimit limit(threads);
    CancelToken token;
    std::atomic<index_t> run{0};
    CHECK_THROWS(Cancelled, parallel_for(1000000, 1, token, [&](index_t chunk, index_t, index_t) {
                   run.fetch_add(1);
                   if (chunk == 5) token.cancel();
                   std::this_thread::sleep_for(20us);
                 }));
    CHECK(run.load() < 1000);
  }
}

TEST(parallel_polls_while_it_waits_for_helpers) {
  struct StopAtOnce final : CancelToken {
    std::atomic<int> asked{0};
    std::thread::id asker;
    bool wants_to_stop() noexcept override {
      asker = std::this_thread::get_id();
      return asked.fetch_add(1) == 0;
    }
  };
  const ThreadLimit limit(2);
  StopAtOnce token;
  const auto me = std::this_thread::get_id();
  std::atomic<bool> gave_up{false};
  // The helper's one chunk lasts until the caller, which has nothing left to do, has asked.
  CHECK_THROWS(Cancelled, parallel_for(2, 1, token, [&](index_t, index_t, index_t) {
                 const auto end = std::chrono::steady_clock::now() + 5s;
                 while (std::this_thread::get_id() != me && !token.cancelled()) {
                   if (std::chrono::steady_clock::now() > end) gave_up = true;
                   if (gave_up) return;
                   std::this_thread::sleep_for(1ms);
                 }
                 if (std::this_thread::get_id() == me) std::this_thread::sleep_for(60ms);
               }));
  CHECK(!gave_up);
  CHECK(token.asker == me);
}

TEST(parallel_limits_are_the_threads_own_and_nest) {
  set_num_threads(5);
  CHECK(max_threads() == 5);
  {
    const ThreadLimit outer(3);
    CHECK(max_threads() == 3);
    {
      const ThreadLimit inner(7);
      CHECK(max_threads() == 7);
    }
    int elsewhere = 0;
    std::thread([&] { elsewhere = max_threads(); }).join();
    CHECK(elsewhere == 5);
    CHECK(max_threads() == 3);
  }
  CHECK_THROWS(InvalidArgument, set_num_threads(-1));
  set_num_threads(1 << 30);
  CHECK(max_threads() == 1024);
  set_num_threads(0);
  CHECK(max_threads() >= 1);
}

TEST(parallel_scratch_is_one_object_a_worker) {
  const ThreadLimit limit(3);
  CancelToken token;
  PerWorker<std::vector<index_t>> scratch([] { return std::vector<index_t>(); });
  std::atomic<index_t> total{0};
  parallel_for(500, 1, token, [&](index_t chunk, index_t, index_t) {
    scratch.local().push_back(chunk);
    total.fetch_add(scratch.local().back());
  });
  CHECK(total.load() == 500 * 499 / 2);
}

TEST(parallel_ordered_reduce_has_the_same_bits_for_any_thread_count) {
  set_num_threads(1);
  const double want = harmonic(100003, 17);
  for (const int threads : kThreadCounts) {
    set_num_threads(threads);
    for (int repeat = 0; repeat < 20; ++repeat) CHECK(harmonic(100003, 17) == want);
  }
  set_num_threads(0);
  CHECK(harmonic(0, 17) == 0.0);
}

TEST(parallel_ordered_reduce_passes_errors_on) {
  const ThreadLimit limit(4);
  CancelToken token;
  for (int repeat = 0; repeat < 50; ++repeat)
    CHECK(CHECK_THROWS(std::runtime_error,
                       ordered_reduce(
                           300, 1, token, [] { return index_t{0}; },
                           [](index_t& part, index_t begin, index_t) {
                             if (begin == 20) throw std::runtime_error("at 20");
                             part = begin;
                           },
                           [](index_t) {})) == "at 20");
}

TEST(parallel_many_callers_at_once) {
  const double want = harmonic(20000, 50);
  set_num_threads(2);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 8; ++i)
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 100; ++repeat)
        if (harmonic(20000, 50) != want) wrong.fetch_add(1);
    });
  for (auto& caller : callers) caller.join();
  set_num_threads(0);
  CHECK(wrong.load() == 0);
}

TEST(parallel_concurrent_callers_share_the_threads) {
  set_num_threads(2);
  std::atomic<int> running{0}, most{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      CancelToken token;
      parallel_for(40, 1, token, [&](index_t, index_t, index_t) {
        const int now = running.fetch_add(1) + 1;
        for (int seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::sleep_for(200us);
        running.fetch_sub(1);
      });
    });
  for (auto& caller : callers) caller.join();
  set_num_threads(0);
  CHECK(most.load() <= 5);  // the four callers; one helper may be at its last chunk when a caller arrives
}

#if defined(__x86_64__)
TEST(parallel_workers_adopt_the_callers_float_state) {
  const ThreadLimit limit(3);
  CancelToken token;
  const unsigned before = __builtin_ia32_stmxcsr();
  for (const unsigned flush : {0x8040u, 0u}) {  // flush-to-zero and denormals-are-zero, on and off
    __builtin_ia32_ldmxcsr((before & ~0x8040u) | flush);
    std::atomic<int> differ{0};
    parallel_for(300, 1, token, [&](index_t, index_t, index_t) {
      if ((__builtin_ia32_stmxcsr() & 0x8040u) != flush) differ.fetch_add(1);
      std::this_thread::sleep_for(5us);
    });
    CHECK(differ.load() == 0);
  }
  __builtin_ia32_ldmxcsr(before);
}
#endif
