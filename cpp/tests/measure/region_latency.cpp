// What a parallel region costs that has nothing to do: ours, std::thread, std::async, OpenMP. The figures of
// docs/decisions/threads.md: `make latency`.
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <thread>
#include <vector>

#include "mlwright/runtime/parallel.hpp"

using namespace mlwright;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kThreads = 2;

void busy(double seconds) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
  }
}

void ours(index_t chunks, double seconds) {
  runtime::CancelToken token;
  runtime::parallel_for(chunks, 1, token, [&](index_t, index_t, index_t) { if (seconds > 0) busy(seconds); });
}

void openmp(index_t chunks, double seconds) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(kThreads)
  for (index_t i = 0; i < chunks; ++i)
    if (seconds > 0) busy(seconds);
}

template <class Start>
void by_hand(index_t chunks, double seconds, Start start) {
  std::atomic<index_t> next{0};
  const auto work = [&] {
    while (next.fetch_add(1) < chunks)
      if (seconds > 0) busy(seconds);
  };
  start(work);
}

void std_thread(index_t chunks, double seconds) {
  by_hand(chunks, seconds, [](auto& work) {
    std::thread helper(work);
    work();
    helper.join();
  });
}

void std_async(index_t chunks, double seconds) {
  by_hand(chunks, seconds, [](auto& work) {
    auto helper = std::async(std::launch::async, work);
    work();
    helper.get();
  });
}

void nothing() {}
void work_200us() { busy(200e-6); }
void sleep_1ms() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

// Median microseconds of a region beyond its work, shared evenly.
template <class Region>
double overhead(Region region, index_t chunks, double seconds, void (*before)(), int repeats) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    before();
    const auto start = Clock::now();
    region(chunks, seconds);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  const auto median = times.begin() + repeats / 2;
  std::nth_element(times.begin(), median, times.end());
  return *median - 1e6 * seconds * static_cast<double>(chunks) / kThreads;
}

template <class Region>
void row(const char* name, Region region) {
  overhead(region, 8, 0, nothing, 100);
  std::printf("| %-11s | %7.1f | %9.1f | %17.1f | %17.1f |\n", name, overhead(region, 8, 0, nothing, 20000),
              overhead(region, 2, 10e-6, nothing, 5000), overhead(region, 40, 20e-6, work_200us, 500),
              overhead(region, 40, 20e-6, sleep_1ms, 500));
}

}  // namespace

int main() {
  const runtime::ThreadLimit limit(kThreads);
  std::printf("| %d threads   | 8 empty | 2 x 10 us | 40 x 20, 200 us   | 40 x 20, 1 ms     |\n", kThreads);
  std::printf("|             |  chunks |           | after other work  | after sleeping    |\n");
  row("mlwright", ours);
  row("OpenMP", openmp);
  row("std::thread", std_thread);
  row("std::async", std_async);
}
