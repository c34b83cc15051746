// Shapley values and interactions of forests, exact, for two games.
//
// Path-dependent: a feature that is not known is averaged out at each node by the share of training rows (covers) on its
// two sides. Interventional: it is taken from a row of the background, and the results averaged over the background.
//
// In both, a leaf's part depends on one bit a feature of its path: whether the row satisfies all that the path asks of it.
//   path-dependent    phi_i = v * integral over t in [0, 1] of (o_i - z_i) * product over j != i of ((1 - t) z_j + t o_j),
//                     by Gauss-Legendre with half as many points as features: exact, the integrand being a polynomial
//   interventional    phi_i = v * sum over distinct background patterns of their share times (a-1)! b! / (a+b)!, or
//                     -a! (b-1)! / (a+b)!, where a features are satisfied by the row only and b by the background only
// with o the bits, z the shares, v the leaf's value. Groups of neighbouring leaves share a table over the bits of all of
// them, so a row costs a comparison a node, and a look-up and some vector additions a group.
//
// Cost of values: O(n x (nodes + groups)) + O(tables); see docs/decisions/shap.md. Thread-safe once built (values and
// interactions are const). Deterministic: the same bits for any threads, SIMD level and number of rows in the call.
// References: Lundberg et al., Nature Machine Intelligence 2 (2020), 56-67; Yang, Fast TreeSHAP (2021), for tables over
// patterns; Nadel and Wettenstein, WOODELF (2025), for background pattern counts.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/tree/forest.hpp"

namespace mlwright::tree {

struct ShapState;  // tree/shap_state.hpp

class TreeShap {
 public:
  // forest: checked (check_forest). cover: one number a node, not negative. rules: of which n outputs, divide_by and
  // float32_input matter. background: no rows for the path-dependent game; else as many columns as features.
  TreeShap(const ForestArrays& forest, std::span<const double> cover, const ForestRules& rules,
           MatrixView<const double> background, runtime::CancelToken& token);
  ~TreeShap();
  TreeShap(const TreeShap&) = delete;
  TreeShap& operator=(const TreeShap&) = delete;

  index_t n_features() const noexcept;
  index_t n_outputs() const noexcept;

  // What the trees add when nothing is known, one number an output; without the forest's start.
  std::vector<double> base() const;
  // out[(i * n_features + j) * n_outputs + k]; overwrites.
  template <class T>
  void values(MatrixView<const T> x, std::span<double> out, runtime::CancelToken& token) const;
  // out[((i * n_features + j) * n_features + l) * n_outputs + k], symmetric in j and l, summing over l to the values;
  // overwrites.
  template <class T>
  void interactions(MatrixView<const T> x, std::span<double> out, runtime::CancelToken& token) const;

 private:
  std::unique_ptr<const ShapState> state_;
};

}  // namespace mlwright::tree
