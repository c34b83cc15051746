// A set of columns with the inverse of its matrix: what flipping or swapping columns would do, in O(size^2) and without
// touching the columns that are out. For chains, whose sets are small beside p.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/linalg/small_cholesky.hpp"
#include "mlwright/runtime/rng.hpp"
#include "sampler/members.hpp"
#include "sampler/set_weight.hpp"
#include "simd/reduce.hpp"

namespace mlwright::sampler {

class ActiveSet {
 public:
  explicit ActiveSet(const Selection& selection)
      : selection_(selection), p_(static_cast<std::size_t>(selection.p())), members_(p_), rest_(given(p_, p_)) {}

  const Members& members() const noexcept { return members_; }
  double rest() const noexcept { return rest_; }
  double log_weight() const noexcept { return weight(members_.size(), rest_, log_det_); }

  // That set, from the matrix as it was given: without the rounding of flips before.
  void assign(const std::vector<std::size_t>& wanted) {
    members_.clear(), inverse_.clear(), coef_.clear();
    rest_ = given(p_, p_), log_det_ = 0;
    for (const std::size_t j : wanted) add(j);
  }

  // ln w of the set with column j flipped.
  double flipped(std::size_t j) {
    const std::size_t k = members_.size();
    if (members_.in(j)) {
      const std::size_t r = members_.place(j);
      return weight(k - 1, rest_ + coef_[r] * coef_[r] / covariance(r, r), log_det_ + log(covariance(r, r)));
    }
    const Outside c = look_at(j);
    return weight(k + 1, rest_ - c.cross * c.cross / c.pivot, log_det_ + log(c.pivot));
  }

  // ln w of the set with i taken out and j put in.
  double swapped(std::size_t i, std::size_t j) {
    const Outside c = look_at(j);
    const std::size_t r = members_.place(i);
    const double own = covariance(r, r), slope = image_[r];
    const double pivot = c.pivot + slope * slope / own, cross = c.cross + slope * coef_[r] / own;
    const double rest = rest_ + coef_[r] * coef_[r] / own - cross * cross / pivot;
    return weight(members_.size(), rest, log_det_ + log(own) + log(pivot));
  }

  void flip(std::size_t j) { members_.in(j) ? remove(j) : add(j); }

  // Coefficients of the members: their conjugate posterior, covariance variance A^-1.
  void draw(runtime::Rng& rng, double variance, double* coef) {
    const std::size_t k = members_.size();
    lower_.assign(inverse_.begin(), inverse_.end()), noise_.resize(k);
    if (!linalg::small_cholesky(lower_.data(), static_cast<index_t>(k)))
      throw NumericalError("spike and slab: the covariance of " + std::to_string(k) +
                           " columns is not positive definite; expected columns that differ; raise slab_precision");
    const double deviation = std::sqrt(variance);
    for (double& z : noise_) z = deviation * rng.normal();
    for (std::size_t a = 0; a < k; ++a)
      coef[members_.list()[a]] = coef_[a] + dot_(lower_.data() + a * k, noise_.data(), static_cast<index_t>(a) + 1);
  }

 private:
  struct Outside {  // of a column given the set: what is left of its square and of its product with y
    double pivot, cross;
  };

  double covariance(std::size_t a, std::size_t b) const noexcept { return inverse_[a * members_.size() + b]; }
  double given(std::size_t i, std::size_t j) const noexcept { return selection_.matrix[i * (p_ + 1) + j]; }
  double weight(std::size_t size, double rest, double log_det) const noexcept {
    return set_weight(selection_, size, rest, log_det);
  }

  Outside look_at(std::size_t j) {
    const std::size_t k = members_.size();
    const auto n = static_cast<index_t>(k);
    column_.resize(k), image_.resize(k);
    for (std::size_t a = 0; a < k; ++a) column_[a] = given(j, members_.list()[a]);
    for (std::size_t a = 0; a < k; ++a) image_[a] = dot_(inverse_.data() + a * k, column_.data(), n);
    return {given(j, j) - dot_(image_.data(), column_.data(), n), given(j, p_) - dot_(coef_.data(), column_.data(), n)};
  }

  void add(std::size_t j) {
    const Outside c = look_at(j);
    const std::size_t k = members_.size();
    const double step = c.cross / c.pivot;
    std::vector<double> larger((k + 1) * (k + 1));
    for (std::size_t a = 0; a < k; ++a) {
      for (std::size_t b = 0; b < k; ++b) larger[a * (k + 1) + b] = inverse_[a * k + b] + image_[a] * image_[b] / c.pivot;
      larger[a * (k + 1) + k] = larger[k * (k + 1) + a] = -image_[a] / c.pivot;
      coef_[a] -= image_[a] * step;
    }
    larger[k * (k + 1) + k] = 1 / c.pivot;
    inverse_.swap(larger);
    coef_.push_back(step);
    members_.flip(j);
    rest_ -= c.cross * step;
    log_det_ += log(c.pivot);
  }

  void remove(std::size_t j) {
    const std::size_t k = members_.size(), r = members_.place(j);
    const double own = covariance(r, r), step = coef_[r] / own;
    std::vector<double> smaller;
    smaller.reserve((k - 1) * (k - 1));
    for (std::size_t a = 0; a < k; ++a)
      for (std::size_t b = 0; b < k; ++b)
        if (a != r && b != r) smaller.push_back(inverse_[a * k + b] - inverse_[a * k + r] * inverse_[r * k + b] / own);
    for (std::size_t a = 0; a < k; ++a) coef_[a] -= inverse_[a * k + r] * step;
    rest_ += step * step * own;
    log_det_ += log(own);
    coef_.erase(coef_.begin() + static_cast<std::ptrdiff_t>(r));
    members_.flip(j);
    inverse_.swap(smaller);
  }

  const Selection& selection_;
  std::size_t p_;
  Members members_;
  std::vector<double> inverse_, coef_, column_, image_, lower_, noise_;
  double rest_, log_det_ = 0;
  decltype(simd::ReduceTable::dot) dot_ = simd::reduce().dot;
};

}  // namespace mlwright::sampler
