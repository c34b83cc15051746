// Work of known length that does nothing useful: for tests and measurements of threads, cancellation, errors and progress.
#pragma once

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/progress.hpp"

namespace mlwright::runtime {

struct Exercise {
  index_t rounds = 1;    // regions, one after the other; progress is reported after each
  index_t chunks = 1;    // of each region
  double seconds = 0;    // that each chunk keeps its thread busy
  index_t fail_at = -1;  // the chunk that throws InvalidArgument, in the first round
};

struct ExerciseResult {
  double sum;   // of 1 / (i + 1) over all rounds and chunks, in order: the same bits for any number of threads
  int threads;  // that took part in the last round
};

ExerciseResult exercise(const Exercise& how, CancelToken& token, Progress& progress);

}  // namespace mlwright::runtime
