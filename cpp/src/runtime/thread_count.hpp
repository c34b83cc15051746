// The process's own answer to "how many threads", cached; max_threads() and ThreadLimit are in parallel.hpp.
#pragma once

namespace mlwright::runtime {

// set_num_threads(), else what the environment says; asked once, again after set_num_threads(0) and in a forked child.
int process_threads() noexcept;
void forget_detected_threads() noexcept;

}  // namespace mlwright::runtime
