// How many threads this process should use when nobody says: the environment, the CPU affinity, the cgroup's quota.
#pragma once

#include <string>

namespace mlwright::runtime {

inline constexpr int kMaxThreads = 1024;  // no request, however absurd, starts more

// A thread count as OpenMP writes it: "4", or "4,2" for nested levels, of which the first counts. 0 if it is none.
int parse_thread_count(const char* text) noexcept;

// CPUs of the affinity mask of this thread; at least 1.
int affinity_cpus() noexcept;

// CPUs' worth of run time that the control group grants, rounded up; 0 without a quota. Reads version 2 and version 1, in
// this group and every one above it. `root` is put before the paths, for tests with a tree of their own.
int cgroup_cpus(const std::string& root = "");

// MLWRIGHT_NUM_THREADS, else OMP_NUM_THREADS, else the smaller of affinity and quota.
int detect_threads() noexcept;

}  // namespace mlwright::runtime
