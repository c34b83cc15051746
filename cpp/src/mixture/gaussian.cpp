#include "mlwright/mixture/gaussian.hpp"

#include <algorithm>

#include "linalg/row_sums.hpp"
#include "simd/mixture.hpp"

namespace mlwright::mixture {
namespace {

using simd::kMixtureTile;

constexpr index_t kBlockBytes = 24 << 10;  // a block of centred rows stays in the first-level cache where it can

// Where things are in a block of rows and in a chunk's sums; by the shape alone, so that bits depend on nothing else.
struct Layout {
  Layout(index_t components, index_t columns, Covariance kind) : k(components), d(columns), covariance(kind) {
    padded = (d + kMixtureTile - 1) / kMixtureTile * kMixtureTile;
    const index_t fit = kBlockBytes / static_cast<index_t>(sizeof(double)) / padded;
    rows = std::clamp<index_t>(fit / simd::kMixtureRows * simd::kMixtureRows, 2 * simd::kMixtureRows, 8 * simd::kMixtureRows);
    squares = kind == Covariance::full ? padded * padded : kind == Covariance::diagonal ? padded : 0;
  }
  index_t component() const { return 1 + padded + squares; }
  index_t sums() const { return 2 + k * component(); }
  // columns of x, centred columns, products, one column a component, and four more
  index_t scratch() const { return (3 * padded + k + 4) * rows; }
  index_t grain(index_t n, index_t work) const { return (linalg::row_grain(n, work) + rows - 1) / rows * rows; }
  index_t work() const { return k * (covariance == Covariance::full ? padded * (padded + 2) : 4 * padded); }

  index_t k, d, padded, rows, squares;
  Covariance covariance;
};

// A worker's block.
struct Block {
  Block(const Layout& layout, double* memory)
      : x(memory), z(x + layout.padded * layout.rows), product(z + layout.padded * layout.rows),
        joint(product + layout.padded * layout.rows), log_sum(joint + layout.k * layout.rows), entropy(log_sum + layout.rows),
        weighed(entropy + layout.rows) {}
  double *x, *z, *product, *joint, *log_sum, *entropy, *weighed;
};

void load_columns(const double* x, index_t n, const Layout& layout, double* columns) {
  for (index_t j = 0; j < layout.d; ++j) {
    double* column = columns + j * layout.rows;
    for (index_t r = 0; r < n; ++r) column[r] = x[r * layout.d + j];
    std::fill(column + n, column + layout.rows, 0.0);
  }
}

// The upper triangle U (d x d) by tiles of columns; see simd/mixture.hpp.
void append_tiles(const double* u, const Layout& layout, std::vector<double>& tiles) {
  for (index_t j = 0; j < layout.padded; j += kMixtureTile)
    for (index_t i = 0; i < j + kMixtureTile; ++i)
      for (index_t c = j; c < j + kMixtureTile; ++c)
        tiles.push_back(i <= c && i < layout.d && c < layout.d ? u[i * layout.d + c] : 0.0);
}

std::vector<double> tiles_of(const Components& components, const Layout& layout) {
  std::vector<double> tiles;
  const index_t triangles = components.covariance == Covariance::full ? components.k : components.covariance == Covariance::tied;
  for (index_t t = 0; t < triangles; ++t) append_tiles(components.factors + t * layout.d * layout.d, layout, tiles);
  return tiles;
}

// Squared Mahalanobis distances of a block to every component.
class Distances {
 public:
  Distances(const Components& components, const Layout& layout)
      : components_(components), layout_(layout), tiles_(tiles_of(components, layout)) {
    if (components.covariance == Covariance::tied) turn_means();
  }

  void of(const Block& block) const {
    const auto& kernels = simd::mixture();
    const index_t rows = layout_.rows, d = layout_.d, padded = layout_.padded;
    const double* x = block.x;
    if (components_.covariance == Covariance::tied) {
      kernels.triangle_product(block.x, tiles_.data(), rows, padded, block.product);
      x = block.product;
    }
    const double* means = components_.covariance == Covariance::tied ? turned_.data() : components_.means;
    for (index_t c = 0; c < layout_.k; ++c) {
      double* out = block.joint + c * rows;
      kernels.centre(x, means + c * d, rows, d, block.z);
      if (components_.covariance == Covariance::full)
        kernels.triangle_distance(block.z, tiles_.data() + c * triangle_size(), rows, padded, out);
      else
        kernels.scaled_distance(block.z, scale(c), rows, d, out);
    }
  }

 private:
  index_t triangle_size() const { return static_cast<index_t>(tiles_.size()) / layout_.k; }
  const double* scale(index_t c) const {
    return components_.covariance == Covariance::tied ? ones_.data() : components_.factors + c * layout_.d;
  }
  void turn_means() {
    const index_t d = layout_.d;
    ones_.assign(static_cast<std::size_t>(d), 1.0);
    for (index_t c = 0; c < layout_.k; ++c)
      for (index_t j = 0; j < d; ++j) {
        double sum = 0.0;
        for (index_t i = 0; i <= j; ++i) sum += components_.means[c * d + i] * components_.factors[i * d + j];
        turned_.push_back(sum);
      }
  }

  const Components& components_;
  const Layout& layout_;
  std::vector<double> tiles_, turned_, ones_;
};

// Adds a block's moments about the centres to a chunk's sums; block.joint holds the responsibilities.
void add_moments(const Rows& rows, index_t begin, index_t n, const Block& block, const double* centres, const Layout& layout,
                 double* sums) {
  const auto& kernels = simd::mixture();
  std::fill(block.z + layout.d * layout.rows, block.z + layout.padded * layout.rows, 0.0);
  for (index_t c = 0; c < layout.k; ++c) {
    const double* r = block.joint + c * layout.rows;
    double* own = sums + 2 + c * layout.component();
    for (index_t i = 0; i < n; ++i) block.weighed[i] = rows.w == nullptr ? r[i] : r[i] * rows.w[begin + i];
    std::fill(block.weighed + n, block.weighed + layout.rows, 0.0);
    if (std::all_of(block.weighed, block.weighed + n, [](double share) { return share == 0.0; })) continue;
    kernels.centre(block.x, centres + c * layout.d, layout.rows, layout.d, block.z);
    if (layout.covariance == Covariance::full)
      kernels.full_moments(block.z, block.weighed, layout.rows, layout.padded, block.product, own, own + 1, own + 1 + layout.padded);
    else
      kernels.diagonal_moments(block.z, block.weighed, layout.rows, layout.d, own, own + 1,
                               layout.squares == 0 ? nullptr : own + 1 + layout.padded);
  }
}

Moments settle(const std::vector<double>& sums, const Layout& layout) {
  Moments out;
  out.log_likelihood = sums[0], out.entropy = sums[1];
  const index_t d = layout.d;
  for (index_t c = 0; c < layout.k; ++c) {
    const double* own = sums.data() + 2 + c * layout.component();
    const double* squares = own + 1 + layout.padded;
    out.mass.push_back(own[0]);
    out.sums.insert(out.sums.end(), own + 1, own + 1 + d);
    if (layout.covariance == Covariance::diagonal) out.squares.insert(out.squares.end(), squares, squares + d);
    if (layout.covariance != Covariance::full) continue;
    for (index_t i = 0; i < d; ++i)
      for (index_t j = 0; j < d; ++j) out.squares.push_back(squares[std::max(i, j) * layout.padded + std::min(i, j)]);
  }
  return out;
}

void answer(const RowAnswers& answers, index_t begin, index_t n, const Block& block, const Layout& layout) {
  if (answers.log_density != nullptr) std::copy_n(block.log_sum, n, answers.log_density + begin);
  if (answers.responsibility == nullptr) return;
  for (index_t i = 0; i < n; ++i)
    for (index_t c = 0; c < layout.k; ++c) answers.responsibility[(begin + i) * layout.k + c] = block.joint[c * layout.rows + i];
}

// Sums over all rows of what visit(begin, n, block, sums) adds for a block of n rows.
template <class Visit>
Moments sum_over_blocks(const Rows& rows, const Layout& layout, runtime::CancelToken& token, Visit&& visit) {
  linalg::Scratch scratch(layout.scratch());
  const index_t grain = layout.grain(rows.n, layout.work());
  return settle(linalg::sum_over_rows(rows.n, grain, layout.sums(), token,
                                      [&](double* sums, index_t first, index_t last) {
                                        const Block block(layout, scratch.mine());
                                        for (index_t r = first; r < last; r += layout.rows) {
                                          const index_t n = std::min(layout.rows, last - r);
                                          load_columns(rows.x + r * layout.d, n, layout, block.x);
                                          visit(r, n, block, sums);
                                        }
                                      }),
                layout);
}

}  // namespace

Moments expect(const Rows& rows, const Components& components, const RowAnswers& answers, bool wants_moments,
               runtime::CancelToken& token) {
  const Layout layout(components.k, components.d, components.covariance);
  const Distances distances(components, layout);
  return sum_over_blocks(rows, layout, token, [&](index_t begin, index_t n, const Block& block, double* sums) {
    const auto& kernels = simd::mixture();
    distances.of(block);
    kernels.log_joint(components.constants, layout.rows, layout.k, block.joint, block.log_sum);
    kernels.normalise(block.log_sum, layout.rows, layout.k, block.joint, block.entropy);
    for (index_t i = 0; i < n; ++i) {
      const double weight = rows.w == nullptr ? 1.0 : rows.w[begin + i];
      if (weight == 0.0) continue;  // counts nothing, wherever it lies
      sums[0] += weight * block.log_sum[i];
      sums[1] += weight * block.entropy[i];
    }
    answer(answers, begin, n, block, layout);
    if (wants_moments) add_moments(rows, begin, n, block, components.means, layout, sums);
  });
}

Moments moments_of(const Rows& rows, const double* responsibility, index_t k, index_t d, Covariance covariance,
                   const double* centres, runtime::CancelToken& token) {
  const Layout layout(k, d, covariance);
  return sum_over_blocks(rows, layout, token, [&](index_t begin, index_t n, const Block& block, double* sums) {
    for (index_t c = 0; c < k; ++c)
      for (index_t i = 0; i < n; ++i) block.joint[c * layout.rows + i] = responsibility[(begin + i) * k + c];
    add_moments(rows, begin, n, block, centres, layout, sums);
  });
}

}  // namespace mlwright::mixture
