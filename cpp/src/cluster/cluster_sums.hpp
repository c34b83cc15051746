// Weights and sums of clusters: partial ones of a chunk of rows, and totals in twice the precision.
#pragma once

#include <cstdint>
#include <vector>

#include "mlwright/cluster/points.hpp"

namespace mlwright::cluster {

struct PartialSums {  // of one chunk
  explicit PartialSums(index_t k, index_t p)
      : sums(static_cast<std::size_t>(k * p)), weight(static_cast<std::size_t>(k)), rows(static_cast<std::size_t>(k)) {}
  std::vector<double> sums, weight;
  std::vector<std::int64_t> rows;  // with a weight above zero
  index_t changed = 0;             // labels
  double inertia = 0.0;
  bool used = false;  // whether the sums hold anything but zeros

  void clear() {
    if (used) {
      std::fill(sums.begin(), sums.end(), 0.0);
      std::fill(weight.begin(), weight.end(), 0.0);
      std::fill(rows.begin(), rows.end(), 0);
    }
    used = false;
    changed = 0;
    inertia = 0.0;
  }
  // One row into a cluster (sign 1) or out of it (-1).
  void move(const Points& points, index_t row, double w, std::int32_t label, int sign) {
    if (!(w > 0.0)) return;
    const auto j = static_cast<std::size_t>(label);
    used = true;
    weight[j] += sign * w;
    rows[j] += sign;
    points.add(row, sign * w, sums.data() + label * points.cols());
  }
};

class TotalSums {
 public:
  TotalSums(index_t k, index_t p) : high_(static_cast<std::size_t>(k * (p + 1))), low_(high_.size()), rows_(static_cast<std::size_t>(k)), k_(k), p_(p) {}

  void add(const PartialSums& part) {
    if (!part.used) return;
    for (std::size_t j = 0; j < part.rows.size(); ++j) {
      if (part.rows[j] == 0 && part.weight[j] == 0.0 && !any(part, j)) continue;
      rows_[j] += part.rows[j];
      const auto width = static_cast<std::size_t>(p_ + 1);
      for (std::size_t i = 0; i < static_cast<std::size_t>(p_); ++i) add(j * width + i, part.sums[j * static_cast<std::size_t>(p_) + i]);
      add(j * width + static_cast<std::size_t>(p_), part.weight[j]);
    }
  }
  std::int64_t rows(index_t j) const { return rows_[static_cast<std::size_t>(j)]; }
  double weight(index_t j) const { return value(j, p_); }
  double sum(index_t j, index_t i) const { return value(j, i); }
  index_t count() const { return k_; }

 private:
  bool any(const PartialSums& part, std::size_t j) const {
    const double* sums = part.sums.data() + j * static_cast<std::size_t>(p_);
    for (index_t i = 0; i < p_; ++i)
      if (sums[i] != 0.0) return true;
    return false;
  }
  double value(index_t j, index_t i) const {
    const auto at = static_cast<std::size_t>(j * (p_ + 1) + i);
    return high_[at] + low_[at];
  }
  void add(std::size_t at, double x) {  // Knuth's two-sum; the error goes to the low part
    const double sum = high_[at] + x, part = sum - high_[at];
    low_[at] += (high_[at] - (sum - part)) + (x - part);
    high_[at] = sum;
  }

  std::vector<double> high_, low_;
  std::vector<std::int64_t> rows_;
  index_t k_, p_;
};

}  // namespace mlwright::cluster
