// What a chain with dynamics learns in its warm-up, kept in its row: step size, scales, directions.
#pragma once

#include <span>

#include "mlwright/sampler/kernel.hpp"
#include "sampler/chain_row.hpp"

namespace mlwright::sampler {

class WarmUp {
 public:
  WarmUp(const Settings& settings, ChainRow row) : settings_(settings), schedule_{settings.warm_up}, row_(row) {}

  void begin();
  void set_step(double step);
  // After the iteration `at`, whose draw may be the one `before`.
  void learn(index_t at, const Info& info, std::span<const double> before);

 private:
  void add();
  void learn_step(index_t at, double acceptance);
  void turn_windows(index_t at);
  void learn_metric(index_t at);

  const Settings& settings_;
  Schedule schedule_;
  ChainRow row_;
};

}  // namespace mlwright::sampler
