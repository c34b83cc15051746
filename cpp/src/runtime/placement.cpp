#include "runtime/placement.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

namespace mlwright::runtime {

#if defined(__linux__)

int current_cpu() noexcept { return sched_getcpu(); }

void leave_cpu(int cpu) noexcept {
  if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getcpu() != cpu) return;
  cpu_set_t allowed;  // of systems with more CPUs than it has bits, the kernel tells nothing, and the thread stays
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2) return;
  cpu_set_t others = allowed;
  CPU_CLR(cpu, &others);
  if (sched_setaffinity(0, sizeof others, &others) == 0) sched_setaffinity(0, sizeof allowed, &allowed);
}

#else

int current_cpu() noexcept { return -1; }
void leave_cpu(int) noexcept {}

#endif

}  // namespace mlwright::runtime
