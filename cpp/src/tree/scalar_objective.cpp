// The losses of one score, and one of them a class side by side.
#include <cmath>

#include "mlwright/loss/info.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/tree/objective.hpp"
#include "simd/losses.hpp"
#include "tree/weighted_mean.hpp"

namespace mlwright::tree {
namespace {

class ScalarObjective final : public Objective {
 public:
  ScalarObjective(int place, double parameter) : place_(place), parameter_(parameter) {}

  bool constant_hessian() const noexcept override { return info().constant_hessian; }
  bool renews_leaves() const noexcept override { return info().renews_leaves; }
  bool cheap_gradients() const noexcept override { return true; }

  void gradients(const double* y, const double* raw, int, index_t begin, index_t end, double* g, double* h) const override {
    kernels().grad_hess(parameter_, y, raw + begin, end - begin, g, info().constant_hessian ? nullptr : h);
  }

  double loss(const double* y, const double* raw, index_t, const double* weight, index_t begin, index_t end) const override {
    return kernels().total(parameter_, y, raw + begin, weight ? weight + begin : nullptr, end - begin);
  }

  std::vector<double> start(std::span<const double> y, std::span<const double> weight,
                            runtime::CancelToken&) const override {
    if (info().best == loss::Best::link_of_mean) return {info().link_of(weighted_mean(y, weight))};
    std::vector<double> values(y.begin(), y.end()), weights(weight.begin(), weight.end());
    return {info().best_constant(parameter_, values, weights)};
  }

  // The losses that renew leaves depend on y - raw alone: their best step is the best constant of the residuals.
  double leaf_step(int, std::span<double> y, std::span<double> raw, std::span<double> weight) const override {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] -= raw[i];
    return info().best_constant(parameter_, y, weight);
  }

 private:
  const loss::Info& info() const noexcept { return loss::all()[static_cast<std::size_t>(place_)]; }
  const simd::LossKernels& kernels() const { return simd::losses().of[place_]; }

  int place_;
  double parameter_;
};

class OneVsRestObjective final : public Objective {
 public:
  explicit OneVsRestObjective(int n_classes)
      : n_classes_(n_classes), binary_(scalar_objective("binary_log_loss", 0)) {}

  int n_outputs() const noexcept override { return n_classes_; }
  bool cheap_gradients() const noexcept override { return true; }

  void gradients(const double* y, const double* raw, int k, index_t begin, index_t end, double* g, double* h) const override {
    for_strips(y, k, begin, end, [&](const double* is_class, index_t i, index_t size) {
      binary_->gradients(is_class, raw + i, 0, 0, size, g + (i - begin), h + (i - begin));
    });
  }

  double loss(const double* y, const double* raw, index_t n_rows, const double* weight, index_t begin,
              index_t end) const override {
    double sum = 0;
    for (int k = 0; k < n_classes_; ++k)
      for_strips(y, k, begin, end, [&](const double* is_class, index_t i, index_t size) {
        sum += binary_->loss(is_class, raw + k * n_rows + i, n_rows, weight ? weight + i : nullptr, 0, size);
      });
    return sum;
  }

  std::vector<double> start(std::span<const double> y, std::span<const double> weight,
                            runtime::CancelToken& token) const override {
    std::vector<double> out, is_class(y.size());
    for (int k = 0; k < n_classes_; ++k) {
      for (std::size_t i = 0; i < y.size(); ++i) is_class[i] = y[i] == k;
      out.push_back(binary_->start(is_class, weight, token).front());
    }
    return out;
  }

 private:
  // body(whether rows are of class k, first row, number of rows), a strip at a time.
  template <class Body>
  static void for_strips(const double* y, int k, index_t begin, index_t end, Body body) {
    constexpr index_t kStrip = 512;
    double is_class[kStrip];
    for (index_t i = begin; i < end; i += kStrip) {
      const index_t size = std::min(kStrip, end - i);
      for (index_t r = 0; r < size; ++r) is_class[r] = y[i - begin + r] == k;
      body(is_class, i, size);
    }
  }

  int n_classes_;
  std::unique_ptr<Objective> binary_;
};

}  // namespace

std::unique_ptr<Objective> scalar_objective(std::string_view name, double parameter) {
  const int place = loss::find(name);
  return place < 0 ? nullptr : std::make_unique<ScalarObjective>(place, parameter);
}

std::unique_ptr<Objective> one_vs_rest_objective(int n_classes) { return std::make_unique<OneVsRestObjective>(n_classes); }

}  // namespace mlwright::tree
