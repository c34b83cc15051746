// Cholesky factorisation A = U'U of a positive semidefinite matrix, blocked over the Gram kernels: the same bits for any
// number of threads and any instruction set, and no BLAS threads are woken.
//
// A column whose pivot falls to `tolerance` times its diagonal depends on those before it: it is left out, and solutions have
// a zero there. Cost: n^3 / 6 multiply-adds. Thread-safe once made.
// Reference: Golub and Van Loan, Matrix Computations, 2013, algorithm 4.2.2.
#pragma once

#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::linalg {

class Cholesky {
 public:
  Cholesky() = default;
  // a: n x n with leading dimension ld >= n, of which the upper half is read.
  Cholesky(const double* a, index_t n, index_t ld, double tolerance, runtime::CancelToken& token);
  void solve(double* b) const;  // b = A^-1 b
  index_t size() const noexcept { return n_; }
  index_t rank() const noexcept { return rank_; }

 private:
  void factor_panel(index_t begin, index_t end, const std::vector<double>& limit);
  void update_rest(index_t begin, index_t end, runtime::CancelToken& token);
  double* row(index_t i) { return u_.data() + i * ld_; }
  const double* row(index_t i) const { return u_.data() + i * ld_; }
  index_t n_ = 0, ld_ = 0, rank_ = 0;
  std::vector<double> u_, inverse_diagonal_;  // zero where a column is left out
};

}  // namespace mlwright::linalg
