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
  template <class Equal>
  void score(const std::vector<std::uint32_t>& places, Equal&& equal, double* z) const noexcept;
  void sort_cells(const double* x, int place_bits);

  index_t n_;
  std::vector<double> by_twice_rank_;         // score of mean rank r at 2 r
  std::vector<std::uint64_t> items_, spare_;  // the cell of a number, then its place
  std::vector<double> sorted_, folded_, distance_;
  std::vector<std::uint32_t> order_, folded_order_;
};

}  // namespace mlwright::sampler
