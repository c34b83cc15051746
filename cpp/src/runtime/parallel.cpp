#include "mlwright/runtime/parallel.hpp"

#include <string>

#include "runtime/pool.hpp"
#include "runtime/thread_state.hpp"

namespace mlwright::runtime {
namespace {

void run_serially(index_t n, index_t grain, CancelToken& token, ChunkFunction run, void* context) {
  const InRegion in_the_same_role(this_thread.role);
  const bool may_poll = this_thread.role != Role::helper;
  const index_t chunks = n_chunks(n, grain);
  for (index_t chunk = 0; chunk < chunks; ++chunk) {
    if (may_poll ? token.ask_if_due() : token.cancelled()) throw Cancelled();
    run(context, chunk, chunk * grain, chunk == chunks - 1 ? n : (chunk + 1) * grain);
  }
}

}  // namespace

void parallel_for_erased(index_t n, index_t grain, CancelToken& token, ChunkFunction run, void* context) {
  if (grain < 1)
    throw InvalidArgument("parallel_for: got a grain of " + std::to_string(grain) + ", expected at least 1");
  if (n <= grain || max_threads() == 1) return run_serially(n, grain, token, run, context);
  Pool& pool = Pool::of_this_process();
  Region region(n, grain, token, run, context);
  pool.run(region);
}

}  // namespace mlwright::runtime
