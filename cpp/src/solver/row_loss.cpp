#include "mlwright/solver/row_loss.hpp"

#include <cmath>
#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/loss/glm_names.hpp"
#include "simd/glm.hpp"

namespace mlwright::solver {
namespace {

class BuiltIn final : public RowLoss {
 public:
  BuiltIn(std::size_t place, double parameter) : place_(place), parameter_(parameter) {}
  double evaluate(const double* y, const double* eta, const double* w, index_t n, double* g, double* h) const override {
    return simd::glm().of[place_].evaluate(parameter_, y, eta, w, n, g, h);
  }

 private:
  std::size_t place_;
  double parameter_;
};

class User final : public RowLoss {
 public:
  explicit User(UserRows function) : function_(function) {}
  double evaluate(const double* y, const double* eta, const double* w, index_t n, double* g, double* h) const override {
    double values[simd::kBlockRows], slopes[simd::kBlockRows], bends[simd::kBlockRows];
    call(0, n, y, eta, values, nullptr);
    if (g != nullptr || h != nullptr) call(1, n, y, eta, slopes, bends);
    double sum = 0.0;
    for (index_t i = 0; i < n; ++i) {
      const double weight = w == nullptr ? 1.0 : w[i];
      if (weight != 0.0) check(values[i], g == nullptr ? 0.0 : slopes[i], h == nullptr ? 0.0 : bends[i], y[i], eta[i]);
      if (weight != 0.0) sum += weight * values[i];
      if (g != nullptr) g[i] = weight == 0.0 ? 0.0 : weight * slopes[i];
      if (h != nullptr) h[i] = weight == 0.0 ? 0.0 : weight * bends[i];
    }
    return sum;
  }

 private:
  // An infinite value is an answer, a score to turn back from, where derivatives may be anything.
  static void check(double value, double slope, double bend, double y, double eta) {
    if (std::isinf(value)) return;
    if (std::isnan(value)) refuse("value returned nan", y, eta, "a number");
    if (std::isnan(slope)) refuse("grad_hess returned the first derivative nan", y, eta, "a number");
    if (!(bend >= 0.0))
      refuse("grad_hess returned the second derivative " + std::to_string(bend), y, eta,
             "a number >= 0; return a positive upper bound of it there");
  }
  [[noreturn]] static void refuse(const std::string& what, double y, double eta, const std::string& expected) {
    throw NumericalError("loss: your " + what + " at y = " + std::to_string(y) + ", raw = " + std::to_string(eta) + "; expected " +
                         expected);
  }
  void call(std::int64_t kind, index_t n, const double* y, const double* eta, double* a, double* b) const {
    const std::int64_t status = function_(kind, n, y, eta, a, b);
    if (status == 0) return;
    throw NumericalError("loss: your function raised an exception at y = " + std::to_string(y[status - 1]) + ", raw = " +
                         std::to_string(eta[status - 1]) +
                         "; expected numbers; call it there in Python to see the exception");
  }
  UserRows function_;
};

}  // namespace

std::unique_ptr<RowLoss> built_in_loss(std::string_view name, double parameter) {
  return std::make_unique<BuiltIn>(static_cast<std::size_t>(loss::glm_loss_place(name)), parameter);
}

std::unique_ptr<RowLoss> user_loss(UserRows function) { return std::make_unique<User>(function); }

}  // namespace mlwright::solver
