// A set of columns with the inverse of its matrix: what flipping or swapping columns would do, in O(size^2) and without
// touching the columns that are out. For chains, whose sets are small beside p.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "sampler/set_weight.hpp"

namespace mlwright::sampler {

class ActiveSet {
 public:
  explicit ActiveSet(const Selection& selection)
      : selection_(selection), p_(static_cast<std::size_t>(selection.p())), place_(p_, kOut), rest_(given(p_, p_)) {}

  bool in(std::size_t j) const noexcept { return place_[j] != kOut; }
  const std::vector<std::size_t>& members() const noexcept { return members_; }
  double coef(std::size_t place) const noexcept { return coef_[place]; }  // its mean, of a member by its place
  double covariance(std::size_t a, std::size_t b) const noexcept { return inverse_[a * members_.size() + b]; }
  double rest() const noexcept { return rest_; }
  double log_weight() const noexcept { return weight(members_.size(), rest_, log_det_); }

  // ln w of the set with column j flipped.
  double flipped(std::size_t j) {
    const std::size_t k = members_.size();
    if (in(j)) {
      const std::size_t r = place_[j];
      return weight(k - 1, rest_ + coef_[r] * coef_[r] / covariance(r, r), log_det_ + log(covariance(r, r)));
    }
    const Outside c = look_at(j);
    return weight(k + 1, rest_ - c.cross * c.cross / c.pivot, log_det_ + log(c.pivot));
  }

  // ln w of the set with i taken out and j put in.
  double swapped(std::size_t i, std::size_t j) {
    const Outside c = look_at(j);
    const std::size_t r = place_[i];
    const double own = covariance(r, r), slope = image_[r];
    const double pivot = c.pivot + slope * slope / own, cross = c.cross + slope * coef_[r] / own;
    const double rest = rest_ + coef_[r] * coef_[r] / own - cross * cross / pivot;
    return weight(members_.size(), rest, log_det_ + log(own) + log(pivot));
  }

  void flip(std::size_t j) { in(j) ? remove(place_[j]) : add(j); }

  // The same set from the matrix as it was given: without the rounding of all flips so far.
  void refresh() {
    const std::vector<std::size_t> wanted = members_;
    std::fill(place_.begin(), place_.end(), kOut);
    members_.clear(), inverse_.clear(), coef_.clear();
    rest_ = given(p_, p_), log_det_ = 0;
    for (const std::size_t j : wanted) add(j);
  }

 private:
  static constexpr std::size_t kOut = static_cast<std::size_t>(-1);
  struct Outside {  // of a column given the set: what is left of its square and of its product with y
    double pivot, cross;
  };

  double given(std::size_t i, std::size_t j) const noexcept { return selection_.matrix[i * (p_ + 1) + j]; }
  double weight(std::size_t size, double rest, double log_det) const noexcept {
    return set_weight(selection_, size, rest, log_det);
  }

  Outside look_at(std::size_t j) {
    const std::size_t k = members_.size();
    column_.resize(k), image_.resize(k);
    for (std::size_t a = 0; a < k; ++a) column_[a] = given(j, members_[a]);
    Outside c{given(j, j), given(j, p_)};
    for (std::size_t a = 0; a < k; ++a) {
      double sum = 0;
      for (std::size_t b = 0; b < k; ++b) sum += inverse_[a * k + b] * column_[b];
      image_[a] = sum;
      c.pivot -= sum * column_[a];
      c.cross -= coef_[a] * column_[a];
    }
    return c;
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
    place_[j] = k;
    members_.push_back(j);
    rest_ -= c.cross * step;
    log_det_ += log(c.pivot);
  }

  void remove(std::size_t r) {
    const std::size_t k = members_.size();
    const double own = covariance(r, r), step = coef_[r] / own;
    std::vector<double> smaller;
    smaller.reserve((k - 1) * (k - 1));
    for (std::size_t a = 0; a < k; ++a)
      for (std::size_t b = 0; b < k; ++b)
        if (a != r && b != r) smaller.push_back(inverse_[a * k + b] - inverse_[a * k + r] * inverse_[r * k + b] / own);
    for (std::size_t a = 0; a < k; ++a) coef_[a] -= inverse_[a * k + r] * step;
    rest_ += step * step * own;
    log_det_ += log(own);
    place_[members_[r]] = kOut;
    members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(r));
    coef_.erase(coef_.begin() + static_cast<std::ptrdiff_t>(r));
    for (std::size_t a = r; a < members_.size(); ++a) place_[members_[a]] = a;
    inverse_.swap(smaller);
  }

  const Selection& selection_;
  std::size_t p_;
  std::vector<std::size_t> place_, members_;
  std::vector<double> inverse_, coef_, column_, image_;
  double rest_, log_det_ = 0;
};

}  // namespace mlwright::sampler
