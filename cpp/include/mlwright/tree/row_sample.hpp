// Which rows a tree is grown on: all, a share drawn at random, or those of large gradients and a share of the others.
//
// Drawn at random ("subsample"): ceil(share * n) rows without replacement. Rows are taken in strata of kStratum; the
// quotas of the strata are what ceil(share * end) - ceil(share * begin) leaves each, and within one every choice is
// equally likely. A sample is drawn anew every `every` iterations.
// By gradient (GOSS): the ceil(top_rate * n) rows of the largest |g|, told apart to float precision (equals: the earlier
// row), and ceil(other_rate * n) of the others drawn as above, whose gradients and Hessians are multiplied by the others'
// number over the drawn ones', so that sums keep their expectation. Drawn anew for each tree.
//
// Deterministic for a seed and a number of iterations or trees; independent of threads. O(n) a draw.
// Reference: Ke et al., LightGBM, NIPS 2017, algorithm 2; Friedman, Stochastic gradient boosting, CSDA 38 (2002).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::tree {

struct SamplingRules {
  double subsample = 1;
  std::uint64_t every = 1;  // iterations that share a sample
  bool by_gradient = false;
  double top_rate = 0.2, other_rate = 0.1;  // sum at most 1
};

// All rows: first the n_in that a tree is grown on, then the others, each part ascending.
struct RowSample {
  std::vector<std::uint32_t> rows;
  index_t n_in = 0;
};

class RowSampler {
 public:
  static constexpr index_t kStratum = 4096;

  RowSampler(index_t n, const SamplingRules& rules, std::uint64_t seed) : n_(n), rules_(rules), seed_(seed) {}

  bool takes_all() const noexcept { return !rules_.by_gradient && rules_.subsample >= 1; }
  bool by_gradient() const noexcept { return rules_.by_gradient; }

  const RowSample& draw(std::uint64_t iteration, runtime::CancelToken& token);

  // g and h of the drawn others are multiplied in place. Returns the factor.
  double draw_by_gradient(std::uint64_t tree, std::span<double> g, std::span<double> h, runtime::CancelToken& token);

  const RowSample& sample() const noexcept { return sample_; }

 private:
  void mark_largest(std::span<const double> g, index_t n_top, runtime::CancelToken& token);
  void mark_drawn(double share, std::uint64_t stream, runtime::CancelToken& token);
  void gather(runtime::CancelToken& token);

  index_t n_;
  SamplingRules rules_;
  std::uint64_t seed_;
  std::vector<std::uint8_t> mark_;  // of each row: whether it is in, and why
  std::vector<float> size_;         // |g|
  RowSample sample_;
  bool drawn_ = false;
  std::uint64_t drawn_for_ = 0;
};

}  // namespace mlwright::tree
