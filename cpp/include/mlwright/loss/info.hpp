// The losses of list.hpp at run time: by name, with their flags and the verbs that are not array kernels.
//
// Thread-safe, pure. best_constant() reorders its arguments in place instead of allocating: O(n) for quantiles (quickselect
// with pivots that depend on n only), O(n) a Newton step for roots. Same bits for the same order of observations.
#pragma once

#include <span>
#include <string_view>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Info {
  const char* name;
  Link link;
  Best best;
  bool convex, constant_hessian, renews_leaves, has_parameter;
  bool (*in_domain)(double y);
  double (*link_of)(double mu);
  // The constant of least loss, for Best::quantile and Best::root: y (and w, empty for all ones) may be reordered.
  double (*best_constant)(double parameter, std::span<double> y, std::span<double> w);
};

std::span<const Info> all();
int find(std::string_view name) noexcept;  // its place in the list, or -1

// The weighted quantile: the midpoint of all q that minimise the pinball loss, so that a weight of 2 is the value twice.
// level in [0, 1]; y not empty, without NaN; w empty for all ones, else positive. Reorders both.
double weighted_quantile(std::span<double> y, std::span<double> w, double level) noexcept;

}  // namespace mlwright::loss
