// Names for the numbers of one row of state.
#pragma once

#include <algorithm>
#include <span>

#include "mlwright/sampler/adaptation.hpp"
#include "mlwright/sampler/chains.hpp"
#include "mlwright/sampler/directions.hpp"

namespace mlwright::sampler {

class ChainRow {
 public:
  enum Head {
    iteration, step, log_density, window, count_now, count_next, averaging,
    remembered = averaging + 5, learnt_at, n_directions, kHead
  };

  ChainRow(double* row, index_t d, bool remembers) : row_(row), d_(static_cast<std::size_t>(d)), most_(remembers ? most_directions(d) : 0) {}

  static index_t size(index_t d, bool remembers) noexcept {
    const index_t more = remembers ? most_directions(d) * (d + 1) + 2 * kRemembered * d : 0;
    return kHead + static_cast<index_t>(kVectors) * d + more;
  }

  double& operator[](Head name) noexcept { return row_[name]; }
  std::span<double> u() noexcept { return vectors(0, 1); }
  std::span<double> gradient() noexcept { return vectors(1, 1); }
  std::span<double> inverse_mass() noexcept { return vectors(2, 1); }
  Moments now() noexcept { return {row_ + count_now, vectors(3, 4)}; }
  Moments next() noexcept { return {row_ + count_next, vectors(7, 4)}; }
  State state() noexcept { return {u(), gradient(), row_ + log_density}; }

  std::span<double> stretch() noexcept { return {row_ + kHead + kVectors * d_, most_}; }
  std::span<double> directions() noexcept { return {stretch().data() + most_, most_ * d_}; }
  Memory memory() noexcept {
    double* const begin = directions().data() + most_ * d_;
    const std::size_t size = static_cast<std::size_t>(kRemembered) * d_;
    return {row_ + remembered, {begin, size}, {begin + size, size}};
  }
  Metric metric() noexcept {
    const auto n = static_cast<std::size_t>(row_[n_directions]);
    return {inverse_mass(), stretch().first(n), directions().first(n * d_)};
  }

  DualAveraging step_averaging() const noexcept {
    const double* a = row_ + averaging;
    return {a[0], a[1], a[2], a[3], a[4]};
  }
  void set(const DualAveraging& a) noexcept {
    const double values[] = {a.count, a.error, a.log_step, a.log_step_mean, a.centre};
    std::ranges::copy(values, row_ + averaging);
  }
  // The window that has seen more replaces the one in use; a new one begins.
  void turn_window() noexcept {
    std::ranges::copy(vectors(7, 4), vectors(3, 4).begin());
    row_[count_now] = row_[count_next];
    next().clear();
  }

 private:
  static constexpr std::size_t kVectors = 3 + 2 * 4;
  static index_t most_directions(index_t d) noexcept { return std::min(d, kMostDirections); }
  std::span<double> vectors(std::size_t first, std::size_t n) noexcept { return {row_ + kHead + first * d_, n * d_}; }

  double* row_;
  std::size_t d_, most_;
};

}  // namespace mlwright::sampler
