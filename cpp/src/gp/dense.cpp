#include "mlwright/gp/dense.hpp"

#include <algorithm>

#include "gp/columns.hpp"
#include "mlwright/runtime/ordered_reduce.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "simd/vector.hpp"

namespace mlwright::gp {
namespace {

constexpr index_t kStrip = 256;            // pairs whose values stay in the first-level caches
constexpr index_t kChunkPairs = 1 << 15;  // some 0.2 ms

// Rows a chunk, by the shape alone.
index_t row_grain(index_t columns) { return std::max<index_t>(1, kChunkPairs / std::max<index_t>(1, columns)); }

// The pairs of one row with columns [begin, end): values at strip's disposal.
const double* values_of_row(const Kernel& kernel, KernelStrip& strip, const double* row, const Columns& columns, index_t begin,
                            index_t end, Same same, bool with_slopes) {
  strip.start(end - begin);
  for (index_t k = 0; k < kernel.d(); ++k) strip.column(k, columns.column(k) + begin, row[k]);
  return strip.values(same, with_slopes);
}

template <class Visit>
void for_strips(index_t begin, index_t end, Visit&& visit) {
  for (index_t j = begin; j < end; j += kStrip) visit(j, std::min(end, j + kStrip));
}

}  // namespace

void covariance(const Kernel& kernel, Points x, const double* noise, double* out, runtime::CancelToken& token) {
  const Columns columns(x.x, x.n, kernel.d());
  runtime::PerWorker<KernelStrip> strips([&] { return KernelStrip(kernel, kStrip); });
  runtime::parallel_for(x.n, row_grain(x.n), token, [&](index_t, index_t first, index_t last) {
    KernelStrip& strip = strips.local();
    for (index_t i = first; i < last; ++i) {
      for_strips(i, x.n, [&](index_t j, index_t end) {
        const double* value = values_of_row(kernel, strip, x.x + i * kernel.d(), columns, j, end, {0, j == i}, false);
        std::copy_n(value, end - j, out + i * x.n + j);
      });
      out[i * x.n + i] += noise[i];
    }
  });
}

void cross_covariance(const Kernel& kernel, Points x, Points z, bool same, double* out, runtime::CancelToken& token) {
  const Columns columns(z.x, z.n, kernel.d());
  runtime::PerWorker<KernelStrip> strips([&] { return KernelStrip(kernel, kStrip); });
  runtime::parallel_for(x.n, row_grain(z.n), token, [&](index_t, index_t first, index_t last) {
    KernelStrip& strip = strips.local();
    for (index_t i = first; i < last; ++i)
      for_strips(0, z.n, [&](index_t j, index_t end) {
        const Same self = same && j <= i && i < end ? Same{i - j, 1} : Same{};
        const double* value = values_of_row(kernel, strip, x.x + i * kernel.d(), columns, j, end, self, false);
        std::copy_n(value, end - j, out + i * z.n + j);
      });
  });
}

std::vector<double> covariance_gradient(const Kernel& kernel, Points x, const double* precision, const double* weights,
                                        index_t n_targets, runtime::CancelToken& token) {
  const Columns columns(x.x, x.n, kernel.d()), by_target(weights, x.n, n_targets);
  const auto axpy = simd::vector().axpy;
  const auto p = static_cast<std::size_t>(kernel.n_parameters());
  struct Worker {
    KernelStrip strip;
    double weight[kStrip];
  };
  runtime::PerWorker<Worker> workers([&] { return Worker{KernelStrip(kernel, kStrip), {}}; });
  std::vector<double> total(p, 0.0);
  const auto add_row = [&](Worker& worker, index_t i, double* gradient) {
    for_strips(i, x.n, [&](index_t j, index_t end) {
      const index_t n = end - j;
      const Same same{0, j == i};
      values_of_row(kernel, worker.strip, x.x + i * kernel.d(), columns, j, end, same, true);
      for (index_t c = 0; c < n; ++c) worker.weight[c] = -static_cast<double>(n_targets) * precision[i * x.n + j + c];
      for (index_t t = 0; t < n_targets; ++t) axpy(weights[i * n_targets + t], by_target.column(t) + j, n, worker.weight);
      if (j == i) worker.weight[0] *= 0.5;  // every other pair stands for two
      worker.strip.add_gradient(same, worker.weight, gradient);
    });
  };
  runtime::ordered_reduce(
      x.n, row_grain(x.n), token, [&] { return std::vector<double>(p); },
      [&](std::vector<double>& gradient, index_t first, index_t last) {
        std::fill(gradient.begin(), gradient.end(), 0.0);
        for (index_t i = first; i < last; ++i) add_row(workers.local(), i, gradient.data());
      },
      [&](const std::vector<double>& gradient) {
        for (std::size_t k = 0; k < p; ++k) total[k] += gradient[k];
      });
  return total;
}

}  // namespace mlwright::gp
