#include <cmath>
#include <vector>

#include "check.hpp"
#include "mlwright/density/constraint.hpp"

using namespace mlwright;
using namespace mlwright::density;

namespace {

const std::vector<Block> kBlocks{{Constraint::none, 2},          {Constraint::lower, 1, -1.0},
                                 {Constraint::upper, 2, 0.0, 3}, {Constraint::interval, 1, -2.0, 5.0},
                                 {Constraint::ordered, 3},       {Constraint::simplex, 4}};

std::vector<double> free_numbers() {
  std::vector<double> u(static_cast<std::size_t>(density::free_size(kBlocks)));
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = std::sin(1.0 + 2.0 * static_cast<double>(i));
  return u;
}

}  // namespace

TEST(constraint_there_and_back) {
  const auto u = free_numbers();
  std::vector<double> x(static_cast<std::size_t>(density::size(kBlocks))), back(u.size());
  CHECK(std::isfinite(constrain(kBlocks, u.data(), x.data())));
  CHECK(unconstrain(kBlocks, x.data(), back.data()));
  for (std::size_t i = 0; i < u.size(); ++i) CHECK(std::fabs(back[i] - u[i]) < 1e-12);
  double total = 0;
  for (std::size_t i = x.size() - 4; i < x.size(); ++i) total += x[i];
  CHECK(std::fabs(total - 1) < 1e-15);
}

// Of log|J| alone, and of log|J| + sum x: central differences.
TEST(constraint_gradients) {
  const auto u = free_numbers();
  std::vector<double> x(static_cast<std::size_t>(density::size(kBlocks))), gradient(u.size());
  for (const double weight : {0.0, 1.0}) {
    const std::vector<double> in_x(x.size(), weight);
    const auto value = [&](std::vector<double> at) {
      double sum = constrain(kBlocks, at.data(), x.data());
      for (const double v : x) sum += weight * v;
      return sum;
    };
    value(u);
    pull_back(kBlocks, u.data(), x.data(), in_x.data(), gradient.data());
    constexpr double kStep = 1e-5;
    for (std::size_t i = 0; i < u.size(); ++i) {
      auto more = u, less = u;
      more[i] += kStep;
      less[i] -= kStep;
      CHECK(std::fabs((value(more) - value(less)) / (2 * kStep) - gradient[i]) < 1e-8);
    }
  }
}

TEST(constraint_points_on_an_edge_are_refused) {
  double u[3];
  const std::vector<Block> positive{{Constraint::lower, 1, 0.0}}, rising{{Constraint::ordered, 2}}, shares{{Constraint::simplex, 2}};
  const double zero[] = {0.0}, level[] = {1.0, 1.0}, short_of_one[] = {0.4, 0.5};
  CHECK(!unconstrain(positive, zero, u));
  CHECK(!unconstrain(rising, level, u));
  CHECK(!unconstrain(shares, short_of_one, u));
}
