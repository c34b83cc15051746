// A symmetric matrix [[A, c], [c', y'y]] swept on a set of its first p columns: O(p^2) a flip, for walks over all sets.
#pragma once

#include <cmath>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "sampler/set_weight.hpp"

namespace mlwright::sampler {

class Swept {
 public:
  explicit Swept(const Selection& selection)
      : selection_(selection),
        p_(static_cast<std::size_t>(selection.p())),
        in_(p_, 0),
        matrix_(selection.matrix.begin(), selection.matrix.end()),
        column_(p_ + 1) {}

  bool in(std::size_t j) const noexcept { return in_[j] != 0; }
  double coef(std::size_t j) const noexcept { return at(j, p_); }  // its mean, of a column that is in
  double log_weight() const noexcept { return set_weight(selection_, size_, at(p_, p_), log_det_); }

  void flip(std::size_t k) noexcept {
    const std::size_t n = p_ + 1;
    double* const row_k = matrix_.data() + k * n;
    const double pivot = row_k[k], sign = in(k) ? -1 : 1;
    for (std::size_t j = 0; j < n; ++j) column_[j] = row_k[j];
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      double* const row = matrix_.data() + i * n;
      const double factor = column_[i] / pivot;
      for (std::size_t j = 0; j < n; ++j) row[j] -= factor * column_[j];
      row[k] = row_k[i] = sign * factor;
    }
    row_k[k] = -1 / pivot;
    log_det_ += log(std::fabs(pivot));
    size_ += in(k) ? std::size_t(-1) : 1;
    in_[k] = !in_[k];
  }

 private:
  double at(std::size_t i, std::size_t j) const noexcept { return matrix_[i * (p_ + 1) + j]; }

  const Selection& selection_;
  std::size_t p_, size_ = 0;
  std::vector<unsigned char> in_;
  std::vector<double> matrix_, column_;
  double log_det_ = 0;
};

}  // namespace mlwright::sampler
