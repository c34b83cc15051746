#include "mlwright/sampler/glm/density.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mlwright/base/elementary.hpp"
#include "mlwright/loss/glm_names.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "sampler/moments.hpp"
#include "simd/glm.hpp"
#include "simd/vector.hpp"

namespace mlwright::sampler::glm {
namespace {

using simd::kBlockRows;
using simd::kGroup;

constexpr index_t kStream = kBlockRows * kGroup;
constexpr index_t kPoints = 8;                // that share a read of the rows
constexpr index_t kMostWork = index_t{1} << 23;  // numbers of the rows that a chunk reads: Ctrl-C waits for no more

Layout layout_of(const Model& model) {
  Layout at{};
  at.intercept = static_cast<index_t>(model.coefficients.scale.size());
  at.effects = at.intercept + (model.fit_intercept ? 1 : 0);
  at.scales = at.effects;
  for (const Term& term : model.terms) at.scales += term.levels;
  at.dispersion = at.scales + static_cast<index_t>(model.terms.size());
  at.hyper = at.dispersion + (model.dispersion == Dispersion::none ? 0 : 1);
  at.size = at.hyper + model.coefficients.hyperparameters();
  return at;
}

}  // namespace

// One point: what its parameters are, and the sums over the rows that have been seen.
class Evaluation {
 public:
  explicit Evaluation(const Density& density)
      : density_(density),
        theta_(static_cast<std::size_t>(density.layout_.size)),
        coef_(static_cast<std::size_t>(density.padded())),
        gradient_coef_(coef_.size()),
        effects_(static_cast<std::size_t>(density.layout_.scales - density.layout_.effects)),
        gradient_effects_(effects_.size()) {}

  void start(const double* u) {
    const Layout& at = density_.layout_;
    const Model& model = density_.model_;
    density_.to_theta(u, theta_.data());
    model.coefficients.coefficients(theta_.data(), theta_.data() + at.hyper, coef_.data());
    index_t first = 0;
    for (std::size_t t = 0; t < model.terms.size(); first += model.terms[t].levels, ++t)
      model.terms[t].prior.effects(of_term(theta_.data() + at.effects + first, t), log_scale(t), effects_.data() + first);
    std::fill(gradient_coef_.begin(), gradient_coef_.end(), 0.0);
    std::fill(gradient_effects_.begin(), gradient_effects_.end(), 0.0);
    loss_ = total_ = slope_of_loss_ = 0;
    parameter_ = model.dispersion == Dispersion::negative_binomial ? exp(log_dispersion()) : model.parameter;
  }

  const std::vector<double>& coef() const { return coef_; }

  // `projected`: the rows' products with the coefficients, kPoints apart, where they are known; else null.
  void rows(index_t k, bool with_gradient, const double* projected = nullptr) {
    const Model& model = density_.model_;
    const index_t begin = k * kBlockRows, n = std::min(kBlockRows, static_cast<index_t>(model.y.size()) - begin);
    const double* const block = density_.block(k);
    const double* const w = model.w == nullptr ? nullptr : model.w + begin;
    double eta[kBlockRows], g[kBlockRows];
    if (projected == nullptr) simd::gram().project(block, coef_.data(), n, density_.groups_, intercept(), eta, 1);
    else
      for (index_t r = 0; r < n; ++r) eta[r] = projected[r * kPoints] + intercept();
    if (model.offset != nullptr)
      for (index_t r = 0; r < n; ++r) eta[r] += model.offset[begin + r];
    for_terms([&](const Term& term, index_t first) {
      for (index_t r = 0; r < n; ++r) eta[r] += effects_[at_level(term, first, begin + r)] * slope(term, begin + r);
    });
    loss_ += simd::glm().of[density_.loss_].evaluate(parameter_, model.y.data() + begin, eta, w, n, with_gradient ? g : nullptr, nullptr);
    if (!with_gradient) return;
    for (index_t r = 0; r < n; ++r) total_ += g[r];
    simd::gram().accumulate(block, g, n, density_.groups_, gradient_coef_.data());
    for_terms([&](const Term& term, index_t first) {
      for (index_t r = 0; r < n; ++r) gradient_effects_[at_level(term, first, begin + r)] += g[r] * slope(term, begin + r);
    });
    if (model.dispersion == Dispersion::negative_binomial) add_slope_of_loss(begin, n, eta, g);
  }

  // The log density of the point, and into `gradient` (or null) its gradient in u.
  double finish(double* gradient) {
    const Layout& at = density_.layout_;
    const Model& model = density_.model_;
    std::vector<double> of_theta(theta_.size(), 0.0);
    const WithDispersion rows = with_dispersion(model.dispersion, model.sums, loss_, slope_of_loss_, log_dispersion());
    for (double& g : gradient_coef_) g *= rows.factor;
    for (double& g : gradient_effects_) g *= rows.factor;
    double value = rows.value;
    value += model.coefficients.add(theta_.data(), theta_.data() + at.hyper, coef_.data(), gradient_coef_.data(), of_theta.data(),
                                    of_theta.data() + at.hyper);
    if (model.fit_intercept) {
      double& of_intercept = of_theta[static_cast<std::size_t>(at.intercept)];
      of_intercept = rows.factor * total_;
      value += model.intercept.add(intercept(), of_intercept);
    }
    index_t first = 0;
    for (std::size_t t = 0; t < model.terms.size(); first += model.terms[t].levels, ++t)
      value += model.terms[t].prior.add(of_term(theta_.data() + at.effects + first, t), log_scale(t), gradient_effects_.data() + first,
                                        of_theta.data() + at.effects + first, of_theta[scale_place(t)]);
    if (model.dispersion != Dispersion::none) {
      double of_root = 0;
      value += model.root_dispersion.add(0.5 * log_dispersion(), of_root);
      of_theta[static_cast<std::size_t>(at.dispersion)] = rows.slope + 0.5 * of_root;
    }
    if (gradient != nullptr) pull_back(of_theta, gradient);
    return std::isnan(value) ? -HUGE_VAL : value;
  }

 private:
  double intercept() const { return density_.model_.fit_intercept ? theta_[static_cast<std::size_t>(density_.layout_.intercept)] : 0; }
  double log_dispersion() const {
    return density_.model_.dispersion == Dispersion::none ? 0 : theta_[static_cast<std::size_t>(density_.layout_.dispersion)];
  }
  std::size_t scale_place(std::size_t t) const { return static_cast<std::size_t>(density_.layout_.scales) + t; }
  double log_scale(std::size_t t) const { return theta_[scale_place(t)]; }
  std::span<const double> of_term(const double* z, std::size_t t) const {
    return {z, static_cast<std::size_t>(density_.model_.terms[t].levels)};
  }
  static std::size_t at_level(const Term& term, index_t first, index_t row) {
    return static_cast<std::size_t>(first + term.level[static_cast<std::size_t>(row)]);
  }
  static double slope(const Term& term, index_t row) {
    return term.slope.empty() ? 1 : term.slope[static_cast<std::size_t>(row)];
  }
  template <class Body>
  void for_terms(Body body) const {
    index_t first = 0;
    for (const Term& term : density_.model_.terms) {
      body(term, first);
      first += term.levels;
    }
  }

  // With theta = 1 / phi: dL/ds = sum w (y + theta) p - theta softplus(eta + s), of which w (y + theta) p = g + w y.
  void add_slope_of_loss(index_t begin, index_t n, const double* eta, const double* g) {
    const Model& model = density_.model_;
    const double s = log_dispersion(), theta = exp(-s);
    for (index_t r = 0; r < n; ++r) {
      const double weight = model.w == nullptr ? 1 : model.w[begin + r];
      if (weight != 0) slope_of_loss_ += g[r] + weight * (model.y[static_cast<std::size_t>(begin + r)] - theta * softplus(eta[r] + s));
    }
  }

  void pull_back(const std::vector<double>& of_theta, double* gradient) const {
    const index_t d = density_.mapped_;
    for (index_t j = 0; j < d; ++j) gradient[j] = dot(density_.columns_.data() + j * d, of_theta.data(), j + 1);
    std::copy(of_theta.begin() + d, of_theta.end(), gradient + d);
  }

  const Density& density_;
  std::vector<double> theta_, coef_, gradient_coef_, effects_, gradient_effects_;
  double loss_ = 0, total_ = 0, slope_of_loss_ = 0, parameter_ = 0;
};

Density::Density(Model model, const linalg::Design& x, std::span<const double> shift, std::span<const double> scale,
                 runtime::CancelToken& token)
    : model_(std::move(model)), loss_(loss::glm_loss_place(model_.loss)), groups_((x.cols() + kGroup - 1) / kGroup), layout_(layout_of(model_)) {
  centre_.assign(static_cast<std::size_t>(layout_.size), 0.0);
  packed_ = Buffer<double>(static_cast<std::size_t>(blocks() * groups_ * kStream));
  const linalg::Affine affine{shift.data(), scale.data(), nullptr};
  runtime::parallel_for(blocks(), 64, token, [&](index_t, index_t begin, index_t end) {
    std::fill(packed_.data() + begin * groups_ * kStream, packed_.data() + end * groups_ * kStream, 0.0);  // padding columns
    for (index_t k = begin; k < end; ++k)
      x.pack(k * kBlockRows, std::min(kBlockRows, x.rows() - k * kBlockRows), affine, packed_.data() + k * groups_ * kStream);
  });
}

index_t Density::blocks() const noexcept { return (static_cast<index_t>(model_.y.size()) + kBlockRows - 1) / kBlockRows; }
index_t Density::padded() const noexcept { return groups_ * kGroup; }
const double* Density::block(index_t k) const noexcept { return packed_.data() + k * groups_ * kStream; }

void Density::set_map(std::span<const double> centre, std::span<const double> columns, index_t mapped) {
  centre_.assign(centre.begin(), centre.end());
  columns_.assign(columns.begin(), columns.end());
  mapped_ = mapped;
}

void Density::to_theta(const double* u, double* theta) const {
  std::copy(centre_.begin(), centre_.end(), theta);
  for (index_t j = 0; j < mapped_; ++j) simd::vector().axpy(u[j], columns_.data() + j * mapped_, j + 1, theta);
  for (index_t j = mapped_; j < layout_.size; ++j) theta[j] += u[j];
}

double Density::operator()(const double* u, double* gradient) const {
  Evaluation point(*this);
  point.start(u);
  for (index_t k = 0; k < blocks(); ++k) point.rows(k, gradient != nullptr);
  return point.finish(gradient);
}

// The rows' losses at kPoints points or fewer: one product of a block with all of their coefficients.
void Density::project_together(std::span<Evaluation> points) const {
  std::vector<double> coef(static_cast<std::size_t>(padded() * kPoints));
  for (std::size_t c = 0; c < points.size(); ++c)
    for (std::size_t j = 0; j < points[c].coef().size(); ++j) coef[j * kPoints + c] = points[c].coef()[j];
  double products[kBlockRows * kPoints];
  for (index_t k = 0; k < blocks(); ++k) {
    const index_t rows = std::min(kBlockRows, static_cast<index_t>(model_.y.size()) - k * kBlockRows);
    simd::glm().project_many(block(k), coef.data(), rows, groups_, 1, products);
    for (std::size_t c = 0; c < points.size(); ++c) points[c].rows(k, false, products + c);
  }
}

void Density::evaluate(std::span<const double> points, std::span<double> out, double* gradients, runtime::CancelToken& token) const {
  const index_t work = std::max<index_t>(1, blocks() * kBlockRows * (padded() + kGroup));
  const index_t most = gradients == nullptr ? kPoints : 1;  // gradients are asked for by few chains, of which each has a thread
  const index_t grain = std::clamp<index_t>(kMostWork / work, 1, most);
  runtime::parallel_for(static_cast<index_t>(out.size()), grain, token, [&](index_t, index_t begin, index_t end) {
    std::vector<Evaluation> some(static_cast<std::size_t>(end - begin), Evaluation(*this));
    for (index_t i = begin; i < end; ++i) some[static_cast<std::size_t>(i - begin)].start(points.data() + i * layout_.size);
    if (gradients != nullptr)
      for (index_t k = 0; k < blocks(); ++k)
        for (Evaluation& one : some) one.rows(k, true);
    else project_together(some);
    for (index_t i = begin; i < end; ++i)
      out[static_cast<std::size_t>(i)] =
          some[static_cast<std::size_t>(i - begin)].finish(gradients == nullptr ? nullptr : gradients + i * layout_.size);
  });
}

int Density::call(std::size_t, const double* u, double* gradient, double* log_density, void* data) {
  *log_density = (*static_cast<const Density*>(data))(u, gradient);
  return std::isinf(*log_density) ? 1 : 0;
}

}  // namespace mlwright::sampler::glm
