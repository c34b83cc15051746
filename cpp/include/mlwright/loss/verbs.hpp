// The words that every loss of this folder is written in.
//
// A loss is a struct with at most one member, its parameter, and these verbs on one observation, pure, without
// allocation, threads or exceptions:
//   value<M>(y, eta)      l(y, eta), the constants dropped that its header names
//   grad_hess<M>(y, eta)  its first two derivatives in eta; an upper bound of the second where that vanishes
//   in_domain(y)          whether y may be a target
//   mean(eta), link(mu)   prediction of a score, and back
// and says as constants: kLink; kBest, how the constant of least loss is found; kConvex; kConstantHessian (1 everywhere);
// kRenewsLeaves: whether the second derivative says so little that a leaf of a tree is given its exact best constant.
//
// value and grad_hess are templates of M, where exp and select come from, and V, a double or a vector of them: array
// kernels of every instruction set and scalar code share the text and have the same bits. M and V of a SIMD kernel are
// types of that kernel's own namespace, so no instantiation is shared between instruction sets.
#pragma once

#include "mlwright/base/elementary.hpp"

namespace mlwright::loss {

#define MLWRIGHT_VERB [[gnu::always_inline]]

template <class V>
struct GradHess {
  V g, h;
};

enum class Link { identity, log, logit };

// How the constant that minimises a weighted sum of losses is found.
enum class Best {
  link_of_mean,  // link(weighted mean of y)
  quantile,      // a weighted quantile of y: midpoint of the minimisers
  root,          // where the sum of gradients is zero: safeguarded Newton steps
};

// M for plain doubles.
struct ScalarMath {
  static double exp(double x) { return mlwright::exp(x); }
  static double log(double x) { return mlwright::log(x); }
  static double expit(double x) { return mlwright::expit(x); }
  static double softplus(double x) { return mlwright::softplus(x); }
  static double select(bool mask, double yes, double no) { return mask ? yes : no; }
};

}  // namespace mlwright::loss
