#include "mlwright/solver/linear_objectives.hpp"

#include "linalg/row_sums.hpp"
#include "simd/glm.hpp"
#include "solver/hessian_products.hpp"
#include "solver/preconditioner.hpp"

namespace mlwright::solver {
namespace {

using linalg::kBlockRows;
constexpr double kBound = 0.5;  // of the curvature of classes
constexpr double kRounding = 1e-15;  // of a row's loss: scores are of the order of one

// Adds the penalty of coefficients (padded x width) and its gradient.
double add_penalty(const std::vector<double>& l2, index_t width, const double* b, double* gradient) {
  double sum = 0.0;
  for (std::size_t j = 0; j < l2.size(); ++j)
    for (index_t k = 0; k < width; ++k) {
      const index_t at = static_cast<index_t>(j) * width + k;
      gradient[at] += l2[j] * b[at];
      sum += l2[j] * b[at] * b[at];
    }
  return 0.5 * sum;
}

// A bound of r'H^-1 r: every coefficient is bent by its penalty at least, every intercept by `corner`.
double penalty_bound(const LinearProblem& problem, index_t width, const double* r, double corner) {
  double sum = 0.0;
  for (std::size_t j = 0; j < problem.l2.size(); ++j)
    for (index_t k = 0; k < width; ++k) {
      const double one = r[static_cast<index_t>(j) * width + k];
      if (one != 0.0) sum += one * one / problem.l2[j];
    }
  const double* intercepts = r + problem.x.padded() * width;
  for (index_t k = 0; k < width; ++k)
    if (intercepts[k] != 0.0) sum += intercepts[k] * intercepts[k] / corner;
  return sum;
}

// One block of rows of a multinomial pass: scores, softmax, and sums of the residuals.
struct ClassPass {
  const LinearProblem& problem;
  index_t classes, width, coefs;
  const double *raw, *start;

  void block(index_t r, index_t count, double* mine, double* sum) const {
    const linalg::RowBlocks& rows = problem.x;
    double* eta = mine + rows.scratch_size(width, false);
    rows.load(r, count, mine);
    rows.project_many(r, count, mine, raw, width, eta);
    start_classes(problem, classes, start, r, count, eta);
    const double* w = problem.w == nullptr ? nullptr : problem.w + r;
    sum[coefs + width] += simd::glm().softmax_residual(eta, problem.y + r, w, count, classes, width / 8);
    for (index_t i = 0; i < count; ++i)
      for (index_t k = 0; k < width; ++k) sum[coefs + k] += eta[i * width + k];
    rows.accumulate_many(r, count, mine, eta, width, sum);
  }
};

class Multinomial final : public SmoothObjective {
 public:
  Multinomial(LinearProblem problem, index_t classes, runtime::CancelToken& token)
      : problem_(std::move(problem)), classes_(classes), width_(class_width(classes)), preconditioner_(problem_, kBound, token) {}

  index_t size() const override { return (problem_.x.padded() + 1) * width_; }
  double saturated() const override { return problem_.saturated; }
  double rounding() const override { return kRounding * preconditioner_.weight(); }
  void precondition(double* v) const override { preconditioner_.apply(v, problem_.x.padded(), width_); }
  double largest_curvature_violation(const double* g) const override { return preconditioner_.largest_violation(g, width_); }
  double evaluate(const double* x, double* gradient, runtime::CancelToken& token) override {
    return multinomial_pass(problem_, classes_, x, gradient, token) + add_penalty(problem_.l2, width_, x, gradient);
  }
  void curve_at(const double* x, runtime::CancelToken&) override { at_.assign(x, x + size()); }
  double times_hessian(const double* v, double* out, runtime::CancelToken& token) const override {
    const double square = multinomial_hessian_product(problem_, classes_, at_.data(), v, out, token);
    return kBound * square + 2.0 * add_penalty(problem_.l2, width_, v, out);
  }
  double bound(const double* r, double share) const override {
    return penalty_bound(problem_, width_, r, kBound * preconditioner_.weight() * share);
  }

 private:
  LinearProblem problem_;
  index_t classes_, width_;
  Preconditioner preconditioner_;
  std::vector<double> at_;  // where products with the Hessian are asked for
};

class Scalar final : public SmoothObjective {
 public:
  Scalar(LinearProblem problem, const RowLoss& loss, double curvature, runtime::CancelToken& token)
      : problem_(std::move(problem)), loss_(loss), preconditioner_(problem_, curvature, token), curvature_(curvature),
        eta_(static_cast<std::size_t>(problem_.x.rows())) {}

  index_t size() const override { return problem_.x.padded() + 1; }
  double saturated() const override { return problem_.saturated; }
  double rounding() const override { return kRounding * preconditioner_.weight(); }
  void precondition(double* v) const override { preconditioner_.apply(v, problem_.x.padded(), 1); }
  double largest_curvature_violation(const double* g) const override { return preconditioner_.largest_violation(g, 1); }

  double evaluate(const double* x, double* gradient, runtime::CancelToken& token) override {
    const index_t padded = problem_.x.padded();
    const std::vector<double> coef(x, x + padded);
    const GlmData data{problem_.x, problem_.y, problem_.w, problem_.offset, loss_};
    const GlmSums sums = glm_pass(data, coef, x[padded], Depth::gradient, 1, eta_.data(), token);
    std::copy(sums.gradient.begin(), sums.gradient.end(), gradient);
    gradient[padded] = problem_.intercept ? sums.total_g : 0.0;
    return sums.loss + add_penalty(problem_.l2, 1, x, gradient);
  }
  void curve_at(const double* x, runtime::CancelToken& token) override {
    row_curvature_ = row_curvatures({problem_.x, problem_.y, problem_.w, problem_.offset, loss_}, x, token);
  }
  double times_hessian(const double* v, double* out, runtime::CancelToken& token) const override {
    const double square = scalar_hessian_product(problem_, row_curvature_, v, out, token);
    return curvature_ * square + 2.0 * add_penalty(problem_.l2, 1, v, out);
  }
  double bound(const double* r, double share) const override {
    return penalty_bound(problem_, 1, r, curvature_ * preconditioner_.weight() * share);
  }

 private:
  LinearProblem problem_;
  const RowLoss& loss_;
  Preconditioner preconditioner_;
  double curvature_;
  std::vector<double> eta_, row_curvature_;  // row_curvature_: , where products with the Hessian are asked for
};

}  // namespace

void start_classes(const LinearProblem& problem, index_t classes, const double* start, index_t r, index_t count, double* eta) {
  const index_t width = class_width(classes);
  for (index_t i = 0; i < count; ++i)
    for (index_t k = 0; k < classes; ++k) eta[i * width + k] += start[k];
  if (problem.offset == nullptr) return;
  const double* offset = problem.offset + r * classes;
  for (index_t i = 0; i < count; ++i)
    for (index_t k = 0; k < classes; ++k) eta[i * width + k] += offset[i * classes + k];
}

double multinomial_pass(const LinearProblem& problem, index_t classes, const double* x, double* gradient,
                        runtime::CancelToken& token) {
  const linalg::RowBlocks& rows = problem.x;
  const index_t n = rows.rows(), width = class_width(classes), coefs = rows.padded() * width;
  std::vector<double> raw(static_cast<std::size_t>(coefs)), start(static_cast<std::size_t>(width));
  rows.prepare({x, static_cast<std::size_t>(coefs)}, width, raw.data(), start.data());
  for (index_t k = 0; k < width; ++k) start[static_cast<std::size_t>(k)] += x[coefs + k];
  const ClassPass pass{problem, classes, width, coefs, raw.data(), start.data()};
  linalg::Scratch scratch(rows.scratch_size(width, false) + kBlockRows * width);
  const index_t grain = linalg::row_grain(n, 2 * rows.work_per_row() * width);
  const auto sums = linalg::sum_over_rows(n, grain, coefs + width + 1, token, [&](double* sum, index_t begin, index_t end) {
    double* mine = scratch.mine();
    linalg::for_blocks(begin, end, [&](index_t r, index_t count) { pass.block(r, count, mine, sum); });
  });
  std::copy_n(sums.begin(), coefs + width, gradient);
  rows.settle(gradient, width, gradient + coefs);
  if (!problem.intercept) std::fill_n(gradient + coefs, width, 0.0);
  return sums.back();
}

std::unique_ptr<SmoothObjective> multinomial_objective(LinearProblem problem, index_t classes, runtime::CancelToken& token) {
  return std::make_unique<Multinomial>(std::move(problem), classes, token);
}

std::unique_ptr<SmoothObjective> scalar_objective(LinearProblem problem, const RowLoss& loss, double curvature,
                                                  runtime::CancelToken& token) {
  return std::make_unique<Scalar>(std::move(problem), loss, curvature, token);
}

}  // namespace mlwright::solver
