#include "mlwright/linalg/gram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mlwright/base/checked.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "linalg/mirror.hpp"
#include "linalg/row_sums.hpp"
#include "simd/glm.hpp"
#include "simd/gram.hpp"

namespace mlwright::linalg {
namespace {

using runtime::n_chunks;
using runtime::parallel_for;
using simd::kBlockRows;
using simd::kGroup;

constexpr index_t kStream = kBlockRows * kGroup;
constexpr index_t kFewGroups = 64;                    // up to 512 columns a Gram of its own fits the second-level cache
constexpr index_t kPanelBlocks = 8;                   // blocks of rows packed at once when tiles are shared out
constexpr index_t kTileGroups = 16;                   // two packed sides of 128 columns fill half a second-level cache

// One chunk of rows into its own Gram (upper half, whole groups). Products take longer than memory does: they ask for the
// block after theirs.
void gram_of_rows(Augmented z, const double* w, index_t begin, index_t end, double* scratch, double* gram) {
  const auto& kernels = simd::gram();
  const index_t groups = z.groups(), width = z.padded();
  double* block = scratch;
  double* weighted = w == nullptr ? block : scratch + groups * kStream;
  for_blocks(begin, end, [&](index_t r, index_t rows) {
    const index_t next = r + rows;
    const Ahead ahead = z.x.ahead(next, std::min(kBlockRows, end - next));
    z.affine.reads_ahead = ahead.runs == 0;
    z.pack(r, rows, block);
    if (w != nullptr) kernels.weigh(block, w + r, rows, groups, weighted);
    kernels.rank_update(block, weighted, rows, 0, groups, 0, groups, gram, width, ahead);
  });
}

std::vector<double> gram_by_rows(const Augmented& z, const double* w, runtime::CancelToken& token) {
  const index_t n = z.rows(), size = checked_mul(z.padded(), z.padded(), "Gram matrix");
  Scratch scratch(2 * z.groups() * kStream);
  return sum_over_rows(n, row_grain(n, size / 2), size, token, [&](double* gram, index_t begin, index_t end) {
    gram_of_rows(z, w, begin, end, scratch.mine(), gram);
  });
}

// Rows packed once into panels that all threads read; threads take pairs of column tiles.
std::vector<double> gram_by_tiles(const Augmented& z, const double* w, runtime::CancelToken& token) {
  const auto& kernels = simd::gram();
  const index_t n = z.rows(), groups = z.groups(), width = z.padded(), block_size = groups * kStream;
  const index_t tiles = n_chunks(groups, kTileGroups);
  std::vector<double> gram(static_cast<std::size_t>(checked_mul(width, width, "Gram matrix")), 0.0);
  Buffer panel = zeros(kPanelBlocks * block_size);
  Buffer weighted = w == nullptr ? nullptr : zeros(kPanelBlocks * block_size);
  std::vector<std::pair<index_t, index_t>> pairs;  // (j, i), i >= j
  for (index_t j = 0; j < tiles; ++j)
    for (index_t i = j; i < tiles; ++i) pairs.emplace_back(j, i);

  for (index_t start = 0; start < n; start += kPanelBlocks * kBlockRows) {
    const index_t stop = std::min(n, start + kPanelBlocks * kBlockRows);
    bool idle[kPanelBlocks] = {};  // blocks of weight zero are not read
    parallel_for(stop - start, kBlockRows, token, [&](index_t k, index_t begin, index_t end) {
      idle[k] = w != nullptr && std::all_of(w + start + begin, w + start + end, [](double v) { return v == 0.0; });
      if (idle[k]) return;
      double* block = panel.get() + k * block_size;
      z.pack(start + begin, end - begin, block);
      if (w != nullptr) kernels.weigh(block, w + start + begin, end - begin, groups, weighted.get() + k * block_size);
    });
    const double* b = w == nullptr ? panel.get() : weighted.get();
    parallel_for(static_cast<index_t>(pairs.size()), 1, token, [&](index_t at, index_t, index_t) {
      const auto [j, i] = pairs[static_cast<std::size_t>(at)];
      for_blocks(0, stop - start, [&](index_t r, index_t rows) {
        if (idle[r / kBlockRows]) return;
        const index_t offset = r / kBlockRows * block_size;
        kernels.rank_update(panel.get() + offset, b + offset, rows, i * kTileGroups,
                            std::min(groups, (i + 1) * kTileGroups), j * kTileGroups,
                            std::min(groups, (j + 1) * kTileGroups), gram.data(), width, {});
      });
    });
  }
  return gram;
}

}  // namespace

index_t Augmented::groups() const noexcept { return n_chunks(cols(), kGroup); }
index_t Augmented::padded() const noexcept { return groups() * kGroup; }

void Augmented::pack(index_t begin, index_t rows, double* block) const {
  x.pack(begin, rows, affine, block);
  const index_t p = x.cols();
  if (y.cols > 0) {
    const double* row_shift = affine.row_shift == nullptr ? nullptr : affine.row_shift + begin;
    simd::gram().pack_f64(y.data + begin * y.row_stride, y.row_stride, y.col_stride, rows, y.cols, p,
                          affine.reads_ahead ? rows : 0, affine.shift + p, row_shift, affine.scale + p, block);
  }
  if (ones) {
    const index_t column = p + y.cols;
    double* out = block + column / kGroup * kStream + column % kGroup;
    for (index_t r = 0; r < rows; ++r) out[r * kGroup] = 1.0;
  }
}

std::vector<double> weighted_gram(const Augmented& z, const double* w, runtime::CancelToken& token) {
  std::vector<double> gram = z.groups() <= kFewGroups ? gram_by_rows(z, w, token) : gram_by_tiles(z, w, token);
  mirror(gram, z.padded());
  return gram;
}

std::vector<double> residual_gradient(const Augmented& z, const double* w, const double* b, runtime::CancelToken& token) {
  const auto& kernels = simd::gram();
  const index_t n = z.rows(), p = z.x.cols(), targets = z.y.cols, groups = z.groups(), width = z.padded();
  Buffer direction = zeros(targets * width);  // picks y_k - x b out of an augmented row
  for (index_t k = 0; k < targets; ++k) {
    double* d = direction.get() + k * width;
    for (index_t j = 0; j < p; ++j) d[j] = -b[j * targets + k];
    d[p + k] = 1.0;
  }
  Scratch scratch(groups * kStream + kBlockRows);
  const index_t size = targets * width;
  return sum_over_rows(n, row_grain(n, 2 * size), size, token, [&](double* sum, index_t begin, index_t end) {
    double* block = scratch.mine();
    double* residual = block + groups * kStream;
    for_blocks(begin, end, [&](index_t r, index_t rows) {
      z.pack(r, rows, block);
      for (index_t k = 0; k < targets; ++k) {
        kernels.project(block, direction.get() + k * width, rows, groups, 0.0, residual, 1);
        if (w != nullptr)
          for (index_t i = 0; i < rows; ++i) residual[i] *= w[r + i];
        kernels.accumulate(block, residual, rows, groups, sum + k * width);
      }
    });
  });
}

std::vector<double> largest_magnitude(const Augmented& z, runtime::CancelToken& token) {
  const index_t n = z.rows(), width = z.padded(), grain = row_grain(n, width);
  Scratch scratch(z.groups() * kStream);
  std::vector<std::vector<double>> partial(static_cast<std::size_t>(n_chunks(n, grain)));
  const auto keep_larger = [](double& most, double value) {
    if (!(most >= value)) most = std::isnan(most) ? most : value;  // a NaN, once seen, stays
  };
  parallel_for(n, grain, token, [&](index_t chunk, index_t begin, index_t end) {
    std::vector<double> most(static_cast<std::size_t>(width), 0.0);
    double* block = scratch.mine();
    for_blocks(begin, end, [&](index_t r, index_t rows) {
      z.pack(r, rows, block);
      for (index_t j = 0; j < width; ++j)
        for (index_t i = 0; i < rows; ++i)
          keep_larger(most[static_cast<std::size_t>(j)], std::fabs(block[j / kGroup * kStream + i * kGroup + j % kGroup]));
    });
    partial[static_cast<std::size_t>(chunk)] = std::move(most);
  });
  std::vector<double> most(static_cast<std::size_t>(width), 0.0);
  for (const auto& part : partial)
    for (std::size_t j = 0; j < part.size(); ++j) keep_larger(most[j], part[j]);
  return most;
}

namespace {

constexpr index_t kManyMaps = 16;  // from here on a tile of outputs pays for its copy

constexpr index_t kFewRows = 16;

// Rows of a chunk that take `work` multiplications each; a row's sums are the same in any chunk.
index_t map_grain(index_t work) {
  const index_t most = kMostChunkWork / 4 / std::max<index_t>(1, work);
  return std::clamp(most < kBlockRows ? most : most / kBlockRows * kBlockRows, kFewRows, kLeastChunkRows);
}

// Many outputs: each number of a block is multiplied into a tile of them while it is in a register.
void map_to_many(const Design& x, MatrixView<const double> coef, const double* start, MatrixView<double> out,
                 const Affine& plain, runtime::CancelToken& token) {
  const index_t groups = n_chunks(x.cols(), kGroup), vectors = n_chunks(coef.rows, kGroup), width = vectors * kGroup;
  Buffer columns = zeros(checked_mul(groups * kGroup, width, "linear map"));
  parallel_for(coef.cols, kBlockRows, token, [&](index_t, index_t begin, index_t end) {
    for (index_t k = 0; k < coef.rows; ++k)
      for (index_t j = begin; j < end; ++j) columns[static_cast<std::size_t>(j * width + k)] = coef(k, j);
  });
  Scratch scratch(groups * kStream + kBlockRows * width);
  parallel_for(x.rows(), map_grain(groups * kGroup * width), token, [&](index_t, index_t begin, index_t end) {
    double* block = scratch.mine();
    double* mapped = block + groups * kStream;
    for_blocks(begin, end, [&](index_t r, index_t rows) {
      x.pack(r, rows, plain, block);
      simd::glm().project_many(block, columns.get(), rows, groups, vectors, mapped);
      for (index_t i = 0; i < rows; ++i)
        for (index_t k = 0; k < coef.rows; ++k) out(r + i, k) = start[k] + mapped[i * width + k];
    });
  });
}

}  // namespace

void affine_map(const Design& x, MatrixView<const double> coef, const double* start, MatrixView<double> out,
                runtime::CancelToken& token) {
  const auto& kernels = simd::gram();
  const index_t groups = n_chunks(x.cols(), kGroup), width = groups * kGroup;
  const std::vector<double> shift(static_cast<std::size_t>(width), 0.0), scale(static_cast<std::size_t>(width), 1.0);
  const Affine plain{shift.data(), scale.data(), nullptr};
  if (coef.rows >= kManyMaps) return map_to_many(x, coef, start, out, plain, token);
  Buffer padded = zeros(coef.rows * width);
  for (index_t k = 0; k < coef.rows; ++k)
    for (index_t j = 0; j < coef.cols; ++j) padded[static_cast<std::size_t>(k * width + j)] = coef(k, j);
  Scratch scratch(groups * kStream);
  parallel_for(x.rows(), map_grain(coef.rows * width), token, [&](index_t, index_t begin, index_t end) {
    double* block = scratch.mine();
    for_blocks(begin, end, [&](index_t r, index_t rows) {
      x.pack(r, rows, plain, block);
      for (index_t k = 0; k < coef.rows; ++k)
        kernels.project(block, padded.get() + k * width, rows, groups, start[k], &out(r, k), out.row_stride);
    });
  });
}

}  // namespace mlwright::linalg
