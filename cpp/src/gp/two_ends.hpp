// Smoothers of a series from both of its ends.
#pragma once

#include "gp/smoother.hpp"

namespace mlwright::gp {

// The series from its other end, where a Matern process looks the same.
class Reversed {
 public:
  explicit Reversed(const Series& series) : n_targets_(series.n_targets) {
    for (index_t i = series.n - 1; i >= 0; --i) {
      t_.push_back(-series.t[i]);
      y_.insert(y_.end(), series.y + i * n_targets_, series.y + (i + 1) * n_targets_);
      noise_.push_back(series.noise[i]);
      observed_.push_back(series.observed[i]);
    }
  }
  Series series() const {
    return {t_.data(), y_.data(), noise_.data(), observed_.data(), static_cast<index_t>(t_.size()), n_targets_};
  }

 private:
  index_t n_targets_;
  std::vector<double> t_, y_, noise_;
  std::vector<std::uint8_t> observed_;
};

// Smoothers from both ends. What comes out is what is known so far less what the rest adds: before and at its first rows,
// where all of the prior is left, a smoother loses every digit of that difference, and the other one none. Of each row, and
// each pair of rows, the answer is that of the smoother that knew more.
class TwoEnds {
 public:
  TwoEnds(const std::vector<Term>& terms, const Series& series)
      : reversed_(series), first_(terms, series), last_(terms, reversed_.series()), n_(series.n) {}

  // Where rounding lets only the way from the first row be gone, it is gone alone.
  bool filter(runtime::CancelToken& token) {
    if (!first_.filter(token)) return false;
    both_ = last_.filter(token);
    return true;
  }

  // visit(smoother, its number of the row, row, later), once or twice a row; the last answer counts.
  template <class Visit>
  void smooth(runtime::CancelToken& token, Visit&& visit) {
    first_.smooth(token, [&](index_t i, const Smoother::Later& later) { visit(first_, i, i, later); });
    if (both_) last_.smooth(token, [&](index_t k, const Smoother::Later& later) {
      const index_t i = n_ - 1 - k;
      if (last_knows_more(i, i)) visit(last_, k, i, later);
    });
  }

  // Of a pair of rows, the second not before the first: the smoothers know most when they come to the other one.
  bool last_knows_more(index_t a, index_t b) const { return both_ && last_.variance(n_ - 1 - a) < first_.variance(b); }

  Smoother& first() noexcept { return first_; }
  Smoother* last() noexcept { return both_ ? &last_ : nullptr; }

 private:
  Reversed reversed_;
  Smoother first_, last_;
  index_t n_;
  bool both_ = false;
};

}  // namespace mlwright::gp
