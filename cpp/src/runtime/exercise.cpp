#include "runtime/exercise.hpp"

#include <string>

#include "mlwright/runtime/ordered_reduce.hpp"

namespace mlwright::runtime {
namespace {

void keep_busy(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
  }
}

void exercise_round(const Exercise& how, index_t round, CancelToken& token, ExerciseResult& result) {
  std::vector<char> took_part(static_cast<std::size_t>(max_threads()), 0);
  const ThreadLimit pinned(static_cast<int>(took_part.size()));
  ordered_reduce(
      how.chunks, 1, token, [] { return 0.0; },
      [&](double& part, index_t chunk, index_t) {
        took_part[static_cast<std::size_t>(worker_slot())] = 1;
        keep_busy(how.seconds);
        if (round == 0 && chunk == how.fail_at)
          throw InvalidArgument("exercise: chunk " + std::to_string(chunk) + " fails, as asked");
        part = 1.0 / static_cast<double>(round * how.chunks + chunk + 1);
      },
      [&](double part) { result.sum += part; });
  result.threads = 0;
  for (const char yes : took_part) result.threads += yes;
}

}  // namespace

ExerciseResult exercise(const Exercise& how, CancelToken& token, Progress& progress) {
  ExerciseResult result{0, 0};
  for (index_t round = 0; round < how.rounds; ++round) {
    exercise_round(how, round, token, result);
    const ProgressValue values[] = {{"sum", result.sum}};
    progress.report({.stage = "exercise", .done = round + 1, .total = how.rounds, .values = values});
  }
  return result;
}

}  // namespace mlwright::runtime
