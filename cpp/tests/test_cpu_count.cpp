// Control groups as machines and containers write them, in a folder tree of our own.
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include "check.hpp"
#include "runtime/cpu_count.hpp"

using namespace mlwright::runtime;
namespace fs = std::filesystem;

namespace {

class Machine {
 public:
  Machine() : root_(fs::temp_directory_path() / ("mlwright-cgroup-" + std::to_string(getpid()))) { fs::create_directories(root_); }
  ~Machine() { fs::remove_all(root_); }
  Machine& file(const std::string& path, const std::string& content) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << content;
    return *this;
  }
  int cpus() const { return cgroup_cpus(root_.string()); }

 private:
  fs::path root_;
};

}  // namespace

TEST(cgroup_none) { CHECK(Machine().cpus() == 0); }

TEST(cgroup_version_2) {
  CHECK(Machine().file("proc/self/cgroup", "0::/\n").file("sys/fs/cgroup/cpu.max", "max 100000\n").cpus() == 0);
  CHECK(Machine().file("proc/self/cgroup", "0::/\n").file("sys/fs/cgroup/cpu.max", "200000 100000\n").cpus() == 2);
  CHECK(Machine().file("proc/self/cgroup", "0::/\n").file("sys/fs/cgroup/cpu.max", "150000 100000\n").cpus() == 2);
  CHECK(Machine().file("proc/self/cgroup", "0::/\n").file("sys/fs/cgroup/cpu.max", "10000 100000\n").cpus() == 1);
}

TEST(cgroup_the_tightest_group_above_counts) {
  CHECK(Machine()
            .file("proc/self/cgroup", "0::/batch/job/task\n")
            .file("sys/fs/cgroup/batch/cpu.max", "300000 100000\n")
            .file("sys/fs/cgroup/batch/job/cpu.max", "max 100000\n")
            .file("sys/fs/cgroup/batch/job/task/cpu.max", "800000 100000\n")
            .cpus() == 3);
}

TEST(cgroup_path_of_the_host_is_not_there_in_a_container) {
  CHECK(Machine().file("proc/self/cgroup", "0::/docker/abc\n").file("sys/fs/cgroup/cpu.max", "400000 100000\n").cpus() == 4);
}

TEST(cgroup_version_1) {
  CHECK(Machine()
            .file("proc/self/cgroup", "11:memory:/x\n4:cpu,cpuacct:/docker/abc\n")
            .file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n")
            .file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
            .cpus() == 3);
  CHECK(Machine()
            .file("proc/self/cgroup", "4:cpu:/a\n")
            .file("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n")
            .file("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n")
            .cpus() == 0);
}

TEST(cgroup_nonsense_is_no_quota) {
  for (const char* content : {"", "max", "0 0\n", "-5 100000\n", "abc def\n", "1e400 1\n", "nan nan\n"})
    CHECK(Machine().file("proc/self/cgroup", "0::/\n").file("sys/fs/cgroup/cpu.max", content).cpus() == 0);
  for (const char* groups : {"", ":", "::", "0::", "0:cpu", "no colon at all", "0::relative"})
    CHECK(Machine().file("proc/self/cgroup", groups).file("sys/fs/cgroup/x/cpu.max", "1 1").cpus() == 0);
}

TEST(thread_count_as_openmp_writes_it) {
  CHECK(parse_thread_count("4") == 4);
  CHECK(parse_thread_count(" 4 ") == 4);
  CHECK(parse_thread_count("4,2,1") == 4);
  CHECK(parse_thread_count("99999999999999999999") == kMaxThreads);
  for (const char* none : {"", " ", "0", "-3", "four", "4x", "4.5", ","}) CHECK(parse_thread_count(none) == 0);
  CHECK(parse_thread_count(nullptr) == 0);
}

TEST(cpus_of_this_machine) {
  CHECK(affinity_cpus() >= 1);
  CHECK(detect_threads() >= 1);
}
