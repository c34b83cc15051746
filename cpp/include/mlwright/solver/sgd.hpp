// Stochastic gradient descent on linear models: one epoch of one or several binary or regression problems over the same rows.
//
// A visit of row r with weight omega:  p = x . w + b,  w <- shrink w - eta slope(y, p) omega x,  b likewise without shrinking;
// shrink = 1 - (1 - l1_ratio) eta alpha. The L1 part is the cumulative penalty of Tsuruoka et al.: a coefficient pays what
// has fallen due when its column is visited. The average of the coefficients after each visit is kept as sums that a visit
// changes in its own columns only.
// The order of the visits is a permutation that depends on seed and epoch. Rows are copied into blocks in that order; problems
// visit a block side by side, each on one thread, while another copies the next one, so the bits do not depend on threads.
// Cost of a visit: a copy of the row's stored entries and two passes over them.
// References: Bottou, Stochastic gradient descent tricks, 2012; Tsuruoka, Tsujii and Ananiadou, ACL 2009; Crammer et al.,
// Online passive-aggressive algorithms, JMLR 7 (2006).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/loss/margin.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/solver/row_access.hpp"

namespace mlwright::solver {

enum class Schedule : int { constant, optimal, invscaling, adaptive, pa1, pa2 };
inline constexpr int kSchedules = 6;

struct SgdSettings {
  loss::MarginLoss loss;
  double alpha, l1_ratio;  // l1_ratio 0: no L1 part; alpha 0: no penalty
  Schedule schedule;
  double eta0, power_t;
  index_t t;               // number of the first visit, from 1
  index_t average;         // visits from that number on are averaged; 0: none
  bool fit_intercept, shuffle;
  std::uint64_t seed;
  index_t epoch;
};

struct SgdProblem {
  const double* y;
  double weight_positive, weight_negative;  // of targets above zero, and of the others
  double eta;                // for constant and adaptive schedules
  double* coef;
  double* intercept;
  double* paid;              // L1 penalty paid by each coefficient; null without
  double* due;               // L1 penalty fallen due
  double* coef_sum;          // over averaged visits; null without
  double* intercept_sum;
  double loss = 0.0;         // out: weighted sum of the losses before each visit
};

struct SgdVisits {
  std::span<const std::int64_t> row;
  const double* weight = nullptr;  // null: all ones
};

template <class Rows>
void sgd_epoch(const Rows& rows, const SgdVisits& visits, const SgdSettings& settings, std::span<SgdProblem> problems,
               runtime::CancelToken& token);

}  // namespace mlwright::solver
