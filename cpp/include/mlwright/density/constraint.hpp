// Parameters with constraints as functions x(u) of free numbers u, with their Jacobians: what a sampler moves is u.
//
//   none      x = u
//   lower     x = lower + exp(u)                    upper   x = upper - exp(u)
//   interval  x = lower + (upper - lower) expit(u)
//   ordered   x_0 = u_0, x_k = x_{k-1} + exp(u_k)   ascending
//   simplex   broken sticks: x_k = r_k z_k, z_k = expit(u_k - log(K - 1 - k)), r_{k+1} = r_k (1 - z_k); K - 1 free numbers
//
// With log|J(u)| = log |det dx/du| and f a log density of x, the density of u is f(x(u)) + log|J(u)|, and pull_back() turns
// the gradient of f in x into that one's in u. All of it O(size), without allocation, exceptions or state.
// Reference: Stan Reference Manual, chapter Constraint Transforms.
#pragma once

#include <span>

#include "mlwright/base/view.hpp"

namespace mlwright::density {

enum class Constraint { none, lower, upper, interval, ordered, simplex };

struct Block {
  Constraint kind = Constraint::none;
  index_t size = 1;  // of x; a simplex has two or more
  double lower = 0, upper = 0;

  index_t free_size() const noexcept { return kind == Constraint::simplex ? size - 1 : size; }
};

index_t size(std::span<const Block> blocks) noexcept;
index_t free_size(std::span<const Block> blocks) noexcept;

// Writes x(u); returns log|J(u)|.
double constrain(std::span<const Block> blocks, const double* u, double* x) noexcept;

// From x = x(u) and the gradient in x, the gradient of f(x(u)) + log|J(u)| in u.
void pull_back(std::span<const Block> blocks, const double* u, const double* x, const double* gradient_x,
               double* gradient_u) noexcept;

// Writes u with x(u) = x; false where x does not satisfy a constraint strictly.
bool unconstrain(std::span<const Block> blocks, const double* x, double* u) noexcept;

}  // namespace mlwright::density
