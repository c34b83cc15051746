// A set of columns with the inverse of I + X X' / kappa on it: what flipping or swapping columns would do, in O(n^2) whatever the
// size of the set. For sets of more columns than there are rows; the same set, and the same weights, as an ActiveSet's:
//   |X'X + kappa I| = kappa^size |I + X X' / kappa|,  y'y - c'A^-1 c = y' (I + X X' / kappa)^-1 y.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "mlwright/runtime/rng.hpp"
#include "sampler/members.hpp"
#include "sampler/set_weight.hpp"
#include "simd/reduce.hpp"
#include "simd/vector.hpp"

namespace mlwright::sampler {

class RowSet {
 public:
  explicit RowSet(const Selection& selection)
      : selection_(selection),
        n_(static_cast<index_t>(selection.y.size())),
        log_kappa_(2 * selection.log_slab),
        kappa_(exp(log_kappa_)),
        members_(static_cast<std::size_t>(selection.p())),
        inverse_(static_cast<std::size_t>(n_ * n_)),
        pull_(static_cast<std::size_t>(n_)),
        image_(pull_.size()),
        other_(pull_.size()) {}

  const Members& members() const noexcept { return members_; }
  std::size_t size() const noexcept { return pull_.size(); }  // in rows
  double rest() const noexcept { return rest_; }
  double log_weight() const noexcept { return weight(members_.size(), rest_, log_det_); }

  void assign(const std::vector<std::size_t>& wanted) {
    members_.clear();
    std::fill(inverse_.begin(), inverse_.end(), 0.0);
    for (index_t i = 0; i < n_; ++i) row(i)[i] = 1;
    std::copy(selection_.y.begin(), selection_.y.end(), pull_.begin());
    rest_ = dot_(pull_.data(), pull_.data(), n_), log_det_ = 0;
    for (const std::size_t j : wanted) flip(j);
  }

  double flipped(std::size_t j) {
    const Seen s = look_at(j, image_);
    const double sign = members_.in(j) ? -1 : 1, pivot = 1 + sign * s.square;
    return weight(members_.size() + (members_.in(j) ? std::size_t(-1) : 1), rest_ - sign * s.cross * s.cross / pivot / kappa_,
                  log_det_ + sign * log_kappa_ + log(pivot));
  }

  double swapped(std::size_t i, std::size_t j) {
    const Seen out = look_at(i, image_), in = look_at(j, other_);
    const double left = 1 - out.square, both = dot_(column(i), other_.data(), n_) / kappa_;
    const double pivot = 1 + in.square + both * both / left, cross = in.cross + both * out.cross / left;
    const double rest = rest_ + (out.cross * out.cross / left - cross * cross / pivot) / kappa_;
    return weight(members_.size(), rest, log_det_ + log(left) + log(pivot));
  }

  void flip(std::size_t j) {
    const Seen s = look_at(j, image_);
    const double sign = members_.in(j) ? -1 : 1, pivot = 1 + sign * s.square, factor = sign / (kappa_ * pivot);
    for (index_t a = 0; a < n_; ++a) axpy_(-factor * image_[static_cast<std::size_t>(a)], image_.data(), n_, row(a));
    axpy_(-factor * s.cross, image_.data(), n_, pull_.data());
    rest_ -= factor * s.cross * s.cross;
    log_det_ += sign * log_kappa_ + log(pivot);
    members_.flip(j);
  }

  // Coefficients of the members: a draw from their prior, moved by what it misses of y (Bhattacharya and others 2016).
  void draw(runtime::Rng& rng, double variance, double* coef) {
    const double deviation = std::sqrt(variance), prior = deviation / std::sqrt(kappa_);
    for (std::size_t a = 0; a < other_.size(); ++a) other_[a] = selection_.y[a] - deviation * rng.normal();
    for (const std::size_t j : members_.list()) {
      coef[j] = prior * rng.normal();
      axpy_(-coef[j], column(j), n_, other_.data());
    }
    for (index_t a = 0; a < n_; ++a) image_[static_cast<std::size_t>(a)] = dot_(row(a), other_.data(), n_);
    for (const std::size_t j : members_.list()) coef[j] += dot_(column(j), image_.data(), n_) / kappa_;
  }

 private:
  struct Seen {  // of a column: x' M^-1 x / kappa, and x' M^-1 y
    double square, cross;
  };

  const double* column(std::size_t j) const { return selection_.columns + static_cast<index_t>(j) * n_; }
  double* row(index_t a) { return inverse_.data() + a * n_; }
  double weight(std::size_t size, double rest, double log_det) const noexcept { return set_weight(selection_, size, rest, log_det); }

  Seen look_at(std::size_t j, std::vector<double>& image) {
    const double* const x = column(j);
    for (index_t a = 0; a < n_; ++a) image[static_cast<std::size_t>(a)] = dot_(row(a), x, n_);
    return {dot_(x, image.data(), n_) / kappa_, dot_(x, pull_.data(), n_)};
  }

  const Selection& selection_;
  index_t n_;
  double log_kappa_, kappa_;
  Members members_;
  std::vector<double> inverse_, pull_, image_, other_;  // M^-1, M^-1 y, scratch
  double rest_ = 0, log_det_ = 0;
  decltype(simd::ReduceTable::dot) dot_ = simd::reduce().dot;
  decltype(simd::VectorTable::axpy) axpy_ = simd::vector().axpy;
};

}  // namespace mlwright::sampler
