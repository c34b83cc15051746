#include "mlwright/runtime/parallel.hpp"

#include <algorithm>

namespace mlwright::runtime {

int max_threads() noexcept { return 1; }
void set_num_threads(int) {}
int worker_slot() noexcept { return 0; }
ThreadLimit::ThreadLimit(int n) noexcept : previous_(n) {}
ThreadLimit::~ThreadLimit() { (void)previous_; }

void parallel_for_erased(index_t n, index_t grain, CancelToken& token, ChunkFunction run, void* context) {
  for (index_t chunk = 0; chunk < n_chunks(n, grain); ++chunk) {
    token.poll();
    run(context, chunk, chunk * grain, std::min(n, (chunk + 1) * grain));
  }
}

}  // namespace mlwright::runtime
