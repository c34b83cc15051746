#include "runtime/cpu_count.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace mlwright::runtime {
namespace {

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

double quota_of(double run_time, double period) {
  return run_time > 0 && period > 0 ? run_time / period : kNoQuota;
}

// Version 2: one file, "max 100000" or "150000 100000".
double quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string run_time;
  double period = 0;
  if (!(file >> run_time >> period) || run_time == "max") return kNoQuota;
  return quota_of(std::strtod(run_time.c_str(), nullptr), period);
}

// Version 1: two files; a quota of -1 is none.
double quota_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
  double run_time = 0, period = 0;
  if (!(quota_file >> run_time) || !(period_file >> period)) return kNoQuota;
  return quota_of(run_time, period);
}

// A group is granted no more than any group above it. In a container the path may name a folder that is only visible
// outside; the walk then meets what is mounted at the top.
double tightest(const std::string& mount, std::string path, double (*quota)(const std::string&)) {
  double least = quota(mount);
  while (path.size() > 1) {
    least = std::min(least, quota(mount + path));
    path.resize(path.rfind('/'));
  }
  return least;
}

bool lists_cpu(const std::string& controllers) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');)
    if (name == "cpu") return true;
  return false;
}

}  // namespace

int parse_thread_count(const char* text) noexcept {
  if (text == nullptr) return 0;
  char* end = nullptr;
  const long n = std::strtol(text, &end, 10);
  while (*end == ' ') ++end;
  if (end == text || n < 1 || (*end != '\0' && *end != ',')) return 0;
  return static_cast<int>(std::min<long>(n, kMaxThreads));
}

int affinity_cpus() noexcept {
#if defined(__linux__)
  // The kernel refuses a mask shorter than its own, so ask for longer ones until it is content.
  for (int cpus = 1024; cpus <= (1 << 20); cpus *= 4) {
    cpu_set_t* mask = CPU_ALLOC(static_cast<std::size_t>(cpus));
    if (mask == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus));
    const int count = sched_getaffinity(0, bytes, mask) == 0 ? CPU_COUNT_S(bytes, mask) : 0;
    CPU_FREE(mask);
    if (count > 0) return count;
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int cgroup_cpus(const std::string& root) {
  const std::string mount = root + "/sys/fs/cgroup";
  std::ifstream groups(root + "/proc/self/cgroup");
  double least = kNoQuota;
  for (std::string line; std::getline(groups, line);) {  // "0::/path" or "4:cpu,cpuacct:/path"
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    if (path.empty() || path[0] != '/') continue;
    if (controllers.empty()) least = std::min(least, tightest(mount, path, quota_v2));
    if (lists_cpu(controllers))
      for (const std::string& folder : {std::string("/cpu"), "/" + controllers})
        least = std::min(least, tightest(mount + folder, path, quota_v1));
  }
  return least < kMaxThreads ? static_cast<int>(std::ceil(least)) : 0;
}

int detect_threads() noexcept {
  for (const char* variable : {"MLWRIGHT_NUM_THREADS", "OMP_NUM_THREADS"})
    if (const int n = parse_thread_count(std::getenv(variable)); n > 0) return n;
  int quota = 0;
  try {
    quota = cgroup_cpus();
  } catch (...) {  // out of memory while reading: as good as no quota
  }
  const int cpus = std::min(affinity_cpus(), kMaxThreads);
  return quota > 0 ? std::min(cpus, quota) : cpus;
}

}  // namespace mlwright::runtime
