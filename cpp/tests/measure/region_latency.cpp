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

// Median microseconds of a call beyond the work itself, with a pause before each.
template <class Region>
double overhead(Region region, index_t chunks, double seconds, std::chrono::microseconds pause, int repeats) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
    const auto start = Clock::now();
    region(chunks, seconds);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + repeats / 2, times.end());
  return times[static_cast<std::size_t>(repeats / 2)] - 1e6 * seconds * static_cast<double>((chunks + kThreads - 1) / kThreads);
}

template <class Region>
void row(const char* name, Region region) {
  using std::chrono::microseconds;
  overhead(region, 8, 0, microseconds(0), 100);
  std::printf("%-12s %12.2f %14.2f %16.2f %18.2f\n", name, overhead(region, 8, 0, microseconds(0), 20000),
              overhead(region, 2, 10e-6, microseconds(0), 5000), overhead(region, 2, 100e-6, microseconds(1000), 500),
              overhead(region, 8, 25e-6, microseconds(1000), 500));
}

}  // namespace

int main() {
  const runtime::ThreadLimit limit(kThreads);
  std::printf("microseconds beyond the work, median, %d threads\n", kThreads);
  std::printf("%-12s %12s %14s %16s %18s\n", "", "8 empty", "2 x 10 us", "2 x 100, asleep", "8 x 25, asleep");
  row("mlwright", ours);
  row("OpenMP", openmp);
  row("std::thread", std_thread);
  row("std::async", std_async);
}
