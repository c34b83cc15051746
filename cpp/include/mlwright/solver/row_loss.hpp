// The loss of a generalized linear model over a block of rows, behind one call: built in (loss/glm_list.hpp) or the user's.
//
// Thread-safe; evaluate() is called from several threads at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "mlwright/base/view.hpp"

namespace mlwright::solver {

class RowLoss {
 public:
  virtual ~RowLoss() = default;
  // The sum over n <= 128 rows of w l(y, eta); g = w l' and h = w l'' where they are not null; w may be null.
  virtual double evaluate(const double* y, const double* eta, const double* w, index_t n, double* g, double* h) const = 0;
};

// Throws InvalidArgument for a name that loss/glm_list.hpp does not have.
std::unique_ptr<RowLoss> built_in_loss(std::string_view name, double parameter);

// (kind, n, y, raw, out_a, out_b) -> 0 or the 1-based number of the row that failed; kind 0: values, 1: gradients, Hessians.
using UserRows = std::int64_t (*)(std::int64_t, std::int64_t, const double*, const double*, double*, double*);
std::unique_ptr<RowLoss> user_loss(UserRows function);

}  // namespace mlwright::solver
