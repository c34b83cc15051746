#include "mlwright/runtime/progress.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"

using namespace mlwright;
using mlwright::runtime::Progress;
using mlwright::runtime::ProgressEvent;
using namespace std::chrono_literals;

namespace {

using Heard = std::vector<index_t>;

void listen(void* heard, const ProgressEvent& event) { static_cast<Heard*>(heard)->push_back(event.done); }

}  // namespace

TEST(progress_nobody_watches) {
  Progress progress;
  CHECK(!progress.watched());
  progress.report({.stage = "fit", .done = 1, .total = 2});
}

TEST(progress_quick_steps_are_told_first_and_last_only) {
  Heard heard;
  Progress progress(&listen, &heard, 1h);
  CHECK(progress.watched());
  for (index_t i = 1; i <= 1000; ++i) progress.report({.stage = "fit", .done = i, .total = 1000});
  CHECK((heard == Heard{1, 1000}));
}

TEST(progress_a_new_stage_is_told_at_once) {
  Heard heard;
  Progress progress(&listen, &heard, 1h);
  progress.report({.stage = "bin", .done = 1, .total = 5});
  progress.report({.stage = "grow", .done = 2, .total = 5});
  progress.report({.stage = "grow", .done = 3, .total = 5});
  CHECK((heard == Heard{1, 2}));
}

TEST(progress_without_an_interval_tells_all) {
  Heard heard;
  Progress progress(&listen, &heard, 0s);
  for (index_t i = 1; i <= 5; ++i) progress.report({.stage = "fit", .done = i, .total = 0});
  CHECK((heard == Heard{1, 2, 3, 4, 5}));
}

TEST(progress_what_a_callback_throws_passes_through) {
  Progress progress([](void*, const ProgressEvent& event) { throw std::runtime_error(event.values[0].name); }, nullptr, 0s);
  const runtime::ProgressValue values[] = {{"loss", 0.5}};
  CHECK(CHECK_THROWS(std::runtime_error,
                     progress.report({.stage = "fit", .done = 1, .total = 2, .values = values})) == "loss");
}
