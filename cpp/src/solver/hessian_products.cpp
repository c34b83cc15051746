#include "solver/hessian_products.hpp"

#include "linalg/row_sums.hpp"
#include "simd/glm.hpp"

namespace mlwright::solver {
namespace {

using linalg::kBlockRows;

// Parameters as the rows want them: of raw columns, and a start for each column.
struct Raw {
  std::vector<double> coef, start;
  Raw(const linalg::RowBlocks& rows, const double* x, index_t width)
      : coef(static_cast<std::size_t>(rows.padded() * std::max<index_t>(1, width))),
        start(static_cast<std::size_t>(std::max<index_t>(1, width))) {
    rows.prepare({x, coef.size()}, width, coef.data(), start.data());
    for (std::size_t k = 0; k < start.size(); ++k) start[k] += x[coef.size() + k];
  }
};

// One block of rows of a multinomial product.
struct ClassProduct {
  const LinearProblem& problem;
  index_t classes, width, coefs;
  const Raw &at, &along;

  // eta: the residuals of a row, w (s - [y = k]); q: its scores along v, which become the row's part of the product.
  // Returns w |q|^2.
  double bend(double* eta, double* q, double y, double weight) const {
    eta[static_cast<index_t>(y)] += weight;
    double mean = 0.0, square = 0.0;
    for (index_t k = 0; k < classes; ++k) mean += eta[k] * q[k], square += q[k] * q[k];
    if (weight > 0.0) mean /= weight;
    for (index_t k = 0; k < classes; ++k) q[k] = eta[k] * (q[k] - mean);
    for (index_t k = classes; k < width; ++k) q[k] = 0.0;
    return weight * square;
  }

  void block(index_t r, index_t count, double* mine, double* sum) const {
    const linalg::RowBlocks& rows = problem.x;
    double* eta = mine + rows.scratch_size(width, false);
    double* q = eta + kBlockRows * width;
    rows.load(r, count, mine);
    rows.project_many(r, count, mine, at.coef.data(), width, eta);
    start_classes(problem, classes, at.start.data(), r, count, eta);
    rows.project_many(r, count, mine, along.coef.data(), width, q);
    for (index_t i = 0; i < count; ++i)
      for (index_t k = 0; k < classes; ++k) q[i * width + k] += along.start[static_cast<std::size_t>(k)];
    simd::glm().softmax_residual(eta, problem.y + r, problem.w == nullptr ? nullptr : problem.w + r, count, classes, width / 8);
    for (index_t i = 0; i < count; ++i) {
      sum[coefs + width] += bend(eta + i * width, q + i * width, problem.y[r + i], problem.w == nullptr ? 1.0 : problem.w[r + i]);
      for (index_t k = 0; k < width; ++k) sum[coefs + k] += q[i * width + k];
    }
    rows.accumulate_many(r, count, mine, q, width, sum);
  }
};

}  // namespace

std::vector<double> row_curvatures(const GlmData& data, const double* x, runtime::CancelToken& token) {
  const linalg::RowBlocks& rows = data.x;
  const Raw raw(rows, x, 0);
  std::vector<double> out(static_cast<std::size_t>(rows.rows()));
  linalg::Scratch scratch(rows.scratch_size(0, false));
  const index_t n = rows.rows();
  runtime::parallel_for(n, linalg::row_grain(n, rows.work_per_row()), token, [&](index_t, index_t begin, index_t end) {
    double eta[kBlockRows], g[kBlockRows];
    double* mine = scratch.mine();
    linalg::for_blocks(begin, end, [&](index_t r, index_t count) {
      rows.load(r, count, mine);
      rows.project(r, count, mine, raw.coef.data(), raw.start[0], eta);
      if (data.offset != nullptr)
        for (index_t i = 0; i < count; ++i) eta[i] += data.offset[r + i];
      data.loss.evaluate(data.y + r, eta, data.w == nullptr ? nullptr : data.w + r, count, g, out.data() + r);
    });
  });
  return out;
}

double scalar_hessian_product(const LinearProblem& problem, const std::vector<double>& curvatures, const double* v, double* out,
                              runtime::CancelToken& token) {
  const linalg::RowBlocks& rows = problem.x;
  const index_t n = rows.rows(), padded = rows.padded();
  const Raw raw(rows, v, 0);
  linalg::Scratch scratch(rows.scratch_size(0, false));
  const auto sums = linalg::sum_over_rows(
      n, linalg::row_grain(n, 2 * rows.work_per_row()), padded + 2, token, [&](double* sum, index_t begin, index_t end) {
        double q[kBlockRows];
        double* mine = scratch.mine();
        linalg::for_blocks(begin, end, [&](index_t r, index_t count) {
          rows.load(r, count, mine);
          rows.project(r, count, mine, raw.coef.data(), raw.start[0], q);
          for (index_t i = 0; i < count; ++i) {
            sum[padded + 1] += (problem.w == nullptr ? 1.0 : problem.w[r + i]) * q[i] * q[i];
            sum[padded] += q[i] *= curvatures[static_cast<std::size_t>(r + i)];
          }
          rows.accumulate(r, count, mine, q, sum);
        });
      });
  std::copy_n(sums.begin(), padded + 1, out);
  rows.settle(out, 0, out + padded);
  if (!problem.intercept) out[padded] = 0.0;
  return sums.back();
}

double multinomial_hessian_product(const LinearProblem& problem, index_t classes, const double* x, const double* v, double* out,
                                   runtime::CancelToken& token) {
  const linalg::RowBlocks& rows = problem.x;
  const index_t n = rows.rows(), width = class_width(classes), coefs = rows.padded() * width;
  const Raw at(rows, x, width), along(rows, v, width);
  const ClassProduct product{problem, classes, width, coefs, at, along};
  linalg::Scratch scratch(rows.scratch_size(width, false) + 2 * kBlockRows * width);
  const auto sums = linalg::sum_over_rows(
      n, linalg::row_grain(n, 3 * rows.work_per_row() * width), coefs + width + 1, token, [&](double* sum, index_t begin, index_t end) {
        double* mine = scratch.mine();
        linalg::for_blocks(begin, end, [&](index_t r, index_t count) { product.block(r, count, mine, sum); });
      });
  std::copy_n(sums.begin(), coefs + width, out);
  rows.settle(out, width, out + coefs);
  if (!problem.intercept) std::fill_n(out + coefs, width, 0.0);
  return sums.back();
}

}  // namespace mlwright::solver
