// Losses of the user's: compiled functions of blocks of observations, or gradients that are given from outside.
#include <algorithm>
#include <cmath>
#include <string>

#include "mlwright/base/elementary.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/tree/objective.hpp"
#include "simd/boosting.hpp"
#include "tree/weighted_mean.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kGrain = 16384;
constexpr index_t kBlock = 1024;  // observations a call of the user's function
constexpr int kNewtonSteps = 50, kHalvings = 50, kGoldenSteps = 90;
constexpr double kSmallStep = 1e-12;

[[noreturn]] void report(std::int64_t status, const double* y, const double* raw) {
  const auto i = static_cast<std::size_t>(status - 1);
  throw NumericalError("loss: your function raised an exception at y = " + std::to_string(y[i]) + ", raw = " +
                       std::to_string(raw[i]) + "; expected numbers; call it there in Python to see the exception");
}

// Leaves of the user's rule, where there is one.
class WithUserLeaf : public Objective {
 public:
  explicit WithUserLeaf(UserLeaf leaf) : leaf_(leaf) {}
  bool renews_leaves() const noexcept final { return leaf_ != nullptr; }

  double leaf_step(int, std::span<double> y, std::span<double> raw, std::span<double> weight) const final {
    std::vector<double> ones;
    if (weight.empty()) ones.assign(y.size(), 1.0), weight = ones;
    double step = 0;
    const auto n = static_cast<std::int64_t>(y.size());
    const std::string leaf = "a leaf of " + std::to_string(n) + " rows";
    if (leaf_(n, y.data(), raw.data(), weight.data(), &step) != 0)
      throw NumericalError("loss: your function leaf_step raised an exception for " + leaf +
                           "; expected a number; call it in Python to see the exception");
    if (!std::isfinite(step))
      throw NumericalError("loss: your function leaf_step returned " + std::to_string(step) + " for " + leaf +
                           "; expected a finite number");
    return step;
  }

 private:
  UserLeaf leaf_;
};

class UserObjective final : public WithUserLeaf {
 public:
  UserObjective(UserLoss function, double start, Link link, UserLeaf leaf)
      : WithUserLeaf(leaf), function_(function), start_(start), link_(link) {}

  void gradients(const double* y, const double* raw, int, index_t begin, index_t end, double* g, double* h) const override {
    call(1, end - begin, y, raw + begin, g, h);
  }

  double loss(const double* y, const double* raw, index_t, const double* weight, index_t begin, index_t end) const override {
    std::vector<double> values(static_cast<std::size_t>(end - begin));
    call(0, end - begin, y, raw + begin, values.data(), nullptr);
    const double total = simd::boosting().weighted_total(values.data(), weight ? weight + begin : nullptr, end - begin);
    if (std::isnan(total)) refuse_value(values, y, raw + begin);
    return total;
  }

  // Newton's method from the weighted mean (a usual loss's minimum, or near it), each step halved until the loss falls;
  // where that does not settle (kinks, Hessians that are bounds only), a golden-section search of the targets' range.
  std::vector<double> start(std::span<const double> y, std::span<const double> weight,
                            runtime::CancelToken& token) const override {
    if (!std::isnan(start_)) return {start_};
    const auto range = std::ranges::minmax(y);
    const double low = linked(range.min), high = linked(range.max), scale = std::max(std::abs(low), std::abs(high));
    double c = linked(weighted_mean(y, weight));
    Totals here = totals(y, weight, c, token);
    for (int i = 0; i < kNewtonSteps; ++i) {
      double step = here.h > 0 ? -here.g / here.h : 0;
      if (std::abs(step) <= kSmallStep * scale && here.h > 0) return {c};
      bool fell = false;
      for (int half = 0; half < kHalvings && !fell; ++half, step /= 2) {
        const Totals there = totals(y, weight, c + step, token);
        if (!(there.value < here.value)) continue;
        c += step;
        here = there;
        fell = true;
        break;
      }
      if (!fell) break;
    }
    return {golden(y, weight, low, high, c, here.value, token)};
  }

 private:
  struct Totals {
    double value = 0, g = 0, h = 0;
  };

  [[noreturn]] static void refuse_value(const std::vector<double>& values, const double* y, const double* raw) {
    std::size_t i = 0;
    while (i + 1 < values.size() && !std::isnan(values[i])) ++i;
    throw NumericalError("loss: your function value returned nan at y = " + std::to_string(y[i]) + ", raw = " +
                         std::to_string(raw[i]) + "; expected a number");
  }

  void call(std::int64_t kind, index_t n, const double* y, const double* raw, double* a, double* b) const {
    for (index_t i = 0; i < n; i += kBlock) {
      const std::int64_t status = function_(kind, std::min(kBlock, n - i), y + i, raw + i, a + i, b == nullptr ? a + i : b + i);
      if (status != 0) report(status, y + i, raw + i);
    }
  }

  // A target on the scale of scores; outside the link's domain, a score far out.
  double linked(double v) const {
    constexpr double kFar = 30;
    if (link_ == Link::identity) return v;
    if (v <= 0) return -kFar;
    if (link_ == Link::log) return mlwright::log(v);
    return v >= 1 ? kFar : mlwright::log(v / (1 - v));
  }

  Totals totals(std::span<const double> y, std::span<const double> weight, double c, runtime::CancelToken& token) const {
    const auto n = static_cast<index_t>(y.size());
    std::vector<Totals> partial(static_cast<std::size_t>(runtime::n_chunks(n, kGrain)));
    runtime::parallel_for(n, kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
      const index_t size = end - begin;
      const std::vector<double> raw(static_cast<std::size_t>(size), c);
      std::vector<double> a(raw.size()), b(raw.size());
      const double* w = weight.empty() ? nullptr : weight.data() + begin;
      Totals& sum = partial[static_cast<std::size_t>(chunk)];
      call(0, size, y.data() + begin, raw.data(), a.data(), nullptr);
      sum.value = simd::boosting().weighted_total(a.data(), w, size);
      call(1, size, y.data() + begin, raw.data(), a.data(), b.data());
      sum.g = simd::boosting().weighted_total(a.data(), w, size);
      sum.h = simd::boosting().weighted_total(b.data(), w, size);
    });
    Totals all;
    for (const Totals& p : partial) {
      all.value += p.value;
      all.g += p.g;
      all.h += p.h;
    }
    return all;
  }

  double golden(std::span<const double> y, std::span<const double> weight, double low, double high, double best,
                double best_value, runtime::CancelToken& token) const {
    constexpr double kRatio = 0.6180339887498949;
    const auto value_at = [&](double c) { return totals(y, weight, c, token).value; };
    double a = high - kRatio * (high - low), b = low + kRatio * (high - low);
    double value_a = value_at(a), value_b = value_at(b);
    for (int i = 0; i < kGoldenSteps && high - low > 1e-9 * (std::abs(low) + std::abs(high)); ++i) {
      if (value_a <= value_b) {
        high = b, b = a, value_b = value_a;
        value_a = value_at(a = high - kRatio * (high - low));
      } else {
        low = a, a = b, value_a = value_b;
        value_b = value_at(b = low + kRatio * (high - low));
      }
    }
    const auto beats = [&](double value) { return value < best_value || std::isnan(best_value); };
    if (beats(value_a)) best = a, best_value = value_a;
    if (beats(value_b)) best = b, best_value = value_b;
    if (!std::isfinite(best_value))
      throw NumericalError("loss: found no constant at which it is finite for these targets; expected one; pass start=");
    return best;
  }

  UserLoss function_;
  double start_;
  Link link_;
};

class GivenObjective final : public WithUserLeaf {
 public:
  GivenObjective(int n_outputs, UserLeaf leaf) : WithUserLeaf(leaf), n_outputs_(n_outputs) {}

  int n_outputs() const noexcept override { return n_outputs_; }
  void give(std::span<const double> g, std::span<const double> h) override {
    g_.assign(g.begin(), g.end());
    h_.assign(h.begin(), h.end());
  }
  void prepare(const Targets& y, std::span<const double>, std::uint64_t, runtime::CancelToken&) override {
    n_rows_ = static_cast<index_t>(y.size());
    const std::size_t size = y.size() * static_cast<std::size_t>(n_outputs_);
    if (g_.size() != size || h_.size() != size)
      throw InvalidArgument("loss: got " + std::to_string(g_.size()) + " gradients, expected " + std::to_string(size));
  }
  void gradients(const double*, const double*, int k, index_t begin, index_t end, double* g, double* h) const override {
    std::copy(g_.begin() + k * n_rows_ + begin, g_.begin() + k * n_rows_ + end, g);
    std::copy(h_.begin() + k * n_rows_ + begin, h_.begin() + k * n_rows_ + end, h);
  }
  double loss(const double*, const double*, index_t, const double*, index_t, index_t) const override { return std::nan(""); }
  std::vector<double> start(std::span<const double>, std::span<const double>, runtime::CancelToken&) const override {
    return std::vector<double>(static_cast<std::size_t>(n_outputs_), 0.0);
  }

 private:
  int n_outputs_;
  index_t n_rows_ = 0;
  std::vector<double> g_, h_;
};

}  // namespace

std::unique_ptr<Objective> user_objective(UserLoss loss, double start_value, Link link, UserLeaf leaf) {
  if (loss == nullptr) throw InvalidArgument("loss: got no compiled function, expected the address of one");
  return std::make_unique<UserObjective>(loss, start_value, link, leaf);
}

std::unique_ptr<Objective> given_objective(int n_outputs, UserLeaf leaf) {
  return std::make_unique<GivenObjective>(n_outputs, leaf);
}

}  // namespace mlwright::tree
