// Rank normalisation of one column of draws, by a radix sort.
#pragma once

#include <cstdint>
#include <vector>

#include "mlwright/base/view.hpp"

namespace mlwright::sampler {

// Scratch memory and tables for columns of n numbers; belongs to one thread.
class Ranks {
 public:
  explicit Ranks(index_t n);

  // Sorts the column; it must be finite. What follows speaks of the last sorted one.
  void sort(const double* x);
  double quantile(double p) const noexcept;  // linear between order statistics (Hyndman and Fan's type 7)

  // z[i] = normal quantile of (rank of x[i] - 3/8) / (n + 1/4), ties sharing the mean of their ranks.
  void normal_scores(double* z) const noexcept;
  // The same of |x - median|.
  void folded_scores(double* z);

 private:
  struct Item {
    std::uint64_t key;  // orders as the number does
    std::uint32_t place;
  };
  double value(index_t i) const noexcept;
  template <class Equal>
  void score(const std::vector<std::uint32_t>& places, Equal&& equal, double* z) const noexcept;

  index_t n_;
  std::vector<double> by_twice_rank_;  // score of mean rank r at 2 r
  std::vector<Item> items_, spare_;
  std::vector<double> sorted_, folded_;
  std::vector<std::uint32_t> order_, folded_order_;
};

}  // namespace mlwright::sampler
