// The log posterior density of a (hierarchical) generalized linear model and its gradient, in one read of the rows.
//
//   eta_i = z_i . coef + intercept + offset_i + sum over terms t of effect_t[level_t(i)] slope_t(i)
//
// with a loss of loss/glm_list.hpp for minus the log likelihood, and the priors of prior.hpp. Constants are left out.
// The point: coefficients' numbers (p), intercept (where there is one), effects of each term, logarithms of the
// terms' scales, log dispersion (where the family has one), hyperparameters of the coefficients.
// The rows are kept packed (simd/gram.hpp), columns centred and scaled. 128 rows at a time stay in the first caches for
// scores, losses and gradients, and for several points in evaluate(). Cost: 4 n p flops and n losses.
// Thread-safe once made; the same bits for any number of threads and any instruction set.
#pragma once

#include <string_view>
#include <vector>

#include "mlwright/base/buffer.hpp"
#include "mlwright/linalg/design.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/sampler/glm/dispersion.hpp"
#include "mlwright/sampler/glm/prior.hpp"

namespace mlwright::sampler::glm {

struct Term {
  std::span<const std::int32_t> level;  // one a row, of 0 .. levels - 1
  std::span<const double> slope;        // one a row, or empty: 1
  index_t levels = 0;
  EffectPrior prior;
};

// Rows and priors; what spans and pointers name must outlive a density.
struct Model {
  std::span<const double> y;
  const double* w = nullptr;       // or one a row
  const double* offset = nullptr;  // or one a row
  std::string_view loss;
  double parameter = 0;            // of the loss, where the dispersion is not it
  bool fit_intercept = true;
  InterceptPrior intercept;
  CoefficientPrior coefficients;
  std::vector<Term> terms;
  Dispersion dispersion = Dispersion::none;
  DispersionSums sums;
  ScalePrior root_dispersion;      // of its square root
};

// Where the parts of a point begin.
struct Layout {
  index_t intercept, effects, scales, dispersion, hyper, size;
};

class Evaluation;

class Density {
 public:
  // Throws InvalidArgument for a loss that is not there.
  Density(Model model, const linalg::Design& x, std::span<const double> shift, std::span<const double> scale,
          runtime::CancelToken& token);

  const Layout& layout() const noexcept { return layout_; }

  // From now on evaluations are of points u with theta = centre + R u for the first `mapped` numbers, R upper triangular with
  // its columns one after another in `columns`, and theta = centre + u for the rest.
  void set_map(std::span<const double> centre, std::span<const double> columns, index_t mapped);

  // Log density, minus infinity where it is undefined, and the gradient.
  double operator()(const double* u, double* gradient) const;

  // Log densities of many points, one after another, in parallel, and their gradients unless `gradients` is null.
  void evaluate(std::span<const double> points, std::span<double> out, double* gradients, runtime::CancelToken& token) const;

  // As sampler::LogDensity, for which `data` is a Density.
  static int call(std::size_t size, const double* u, double* gradient, double* log_density, void* data);

 private:
  friend class Evaluation;
  index_t blocks() const noexcept;
  index_t padded() const noexcept;
  const double* block(index_t k) const noexcept;
  void to_theta(const double* u, double* theta) const;
  void project_together(std::span<Evaluation> points) const;

  Model model_;
  index_t loss_ = 0, groups_ = 0, mapped_ = 0;
  Layout layout_{};
  Buffer<double> packed_;
  std::vector<double> centre_, columns_;
};

}  // namespace mlwright::sampler::glm
