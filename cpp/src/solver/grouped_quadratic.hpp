// A quadratic and its penalty, group by group: blocks of coefficients out of arrays that stand target by target.
#pragma once

#include <algorithm>
#include <vector>

#include "mlwright/solver/block_descent.hpp"
#include "simd/vector.hpp"

namespace mlwright::solver {

class GroupedQuadratic {
 public:
  GroupedQuadratic(const BlockQuadratic& q, const GroupPenalties& penalty) : q_(q), penalty_(penalty) {}

  const BlockQuadratic* operator->() const { return &q_; }
  index_t size() const { return q_.t * q_.p; }
  index_t group_size(index_t g) const { return q_.start[g + 1] - q_.start[g]; }
  index_t feature(index_t g, index_t i) const { return q_.member[q_.start[g] + i]; }
  const double* gram_row(index_t feature) const { return q_.gram + feature * q_.p; }
  penalty::BoxedGroup penalty_of(index_t g) const {
    const bool bounded = penalty_.low != nullptr;
    return {{penalty_.l1, penalty_.norm * penalty_.norm_weight[g], penalty_.ridge * penalty_.ridge_weight[g],
             penalty_.l1_weight + q_.start[g], group_size(g), q_.t},
            bounded ? penalty_.low + q_.start[g] : nullptr, bounded ? penalty_.high + q_.start[g] : nullptr};
  }

  // Coefficients of the largest block.
  index_t widest() const {
    index_t most = 1;
    for (index_t g = 0; g < q_.n_groups; ++g) most = std::max(most, group_size(g));
    return most * q_.t;
  }

  // The block of a group out of an array of t x p; false where all of it is zero.
  bool gather(index_t g, const double* from, double* block) const {
    bool any = false;
    for (index_t i = 0; i < group_size(g); ++i)
      for (index_t k = 0; k < q_.t; ++k) {
        block[i * q_.t + k] = from[k * q_.p + feature(g, i)];
        any = any || block[i * q_.t + k] != 0.0;
      }
    return any;
  }

  void form_gradient(const double* b, double* gradient) const {
    for (index_t i = 0; i < size(); ++i) gradient[i] = -q_.linear[i];
    for (index_t k = 0; k < q_.t; ++k)
      for (index_t j = 0; j < q_.p; ++j)
        if (const double value = b[k * q_.p + j]; value != 0.0)
          simd::vector().axpy(value, gram_row(j), q_.p, gradient + k * q_.p);
  }

  // F without square / 2, where all other groups are zero; `block` is scratch of `widest()` numbers.
  double objective(const std::vector<index_t>& groups, const double* b, const double* gradient, double* block) const {
    double smooth = 0.0, value = 0.0;
    for (index_t i = 0; i < size(); ++i) smooth += b[i] * (gradient[i] - q_.linear[i]);
    for (const index_t g : groups)
      if (gather(g, b, block)) value += penalty_of(g).value(block);
    return 0.5 * smooth + value;
  }

 private:
  const BlockQuadratic& q_;
  const GroupPenalties& penalty_;
};

}  // namespace mlwright::solver
