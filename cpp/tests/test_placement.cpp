// A thread that steps aside runs on another CPU, and may run where it might before.
#include "runtime/placement.hpp"

#include "check.hpp"

#if defined(__linux__)
#include <sched.h>

#include <thread>

using namespace mlwright::runtime;

namespace {

cpu_set_t affinity() {
  cpu_set_t set;
  CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
  return set;
}

// In a thread of its own, whose affinity no other test sees.
template <class Body>
void in_a_thread(Body&& body) {
  std::thread(body).join();
}

}  // namespace

TEST(placement_leaves_the_cpu_and_keeps_the_affinity) {
  in_a_thread([] {
    const cpu_set_t before = affinity();
    bool left = false;
    for (int i = 0; i < 1000 && !left; ++i) {  // the scheduler may bring it back at any time
      const int cpu = current_cpu();
      leave_cpu(cpu);
      left = current_cpu() != cpu;
      const cpu_set_t after = affinity();
      CHECK(CPU_EQUAL(&before, &after));
    }
    CHECK(left == (CPU_COUNT(&before) > 1));
  });
}

TEST(placement_stays_where_there_is_no_other_cpu) {
  in_a_thread([] {
    cpu_set_t one;
    CPU_ZERO(&one);
    const int cpu = current_cpu();
    CPU_SET(cpu, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    leave_cpu(cpu);
    const cpu_set_t after = affinity();
    CHECK(current_cpu() == cpu && CPU_EQUAL(&one, &after));
  });
}

TEST(placement_leaves_no_cpu_that_is_not_its_own) {
  in_a_thread([] {
    for (const int cpu : {-1, 1 << 20}) leave_cpu(cpu);
    CHECK(current_cpu() >= 0);
  });
}

#endif
