#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include "mlwright/base/error.hpp"
#include "mlwright/cluster/points.hpp"

namespace mlwright::cluster {
namespace {

constexpr double kUp = 1.0 + 0x1p-20, kDown = 1.0 - 0x1p-20;

void ensure(Buffer<double>& buffer, index_t size) {
  if (static_cast<index_t>(buffer.size()) < size) buffer = Buffer<double>(static_cast<std::size_t>(size));
}

// By |c|^2 / 2 - x . c over the stored entries, in double; where that leaves a doubt, differences over all coordinates.
template <class T, class Index>
class CsrPoints final : public Points {
 public:
  CsrPoints(std::span<const Index> indptr, std::span<const Index> indices, std::span<const T> data, index_t cols)
      : indptr_(indptr.data()), indices_(indices.data()), data_(data.data()), n_(static_cast<index_t>(indptr.size()) - 1), p_(cols) {
    if (indptr.empty() || indptr.front() != 0 || !std::is_sorted(indptr.begin(), indptr.end()) ||
        static_cast<std::size_t>(indptr.back()) > std::min(indices.size(), data.size()))
      throw InvalidArgument("CSR matrix: indptr does not rise from 0 to the number of stored entries; see its check_format()");
    for (const Index j : indices.first(static_cast<std::size_t>(indptr.back())))
      if (static_cast<index_t>(j) < 0 || static_cast<index_t>(j) >= cols)
        throw InvalidArgument("CSR matrix: got column index " + std::to_string(j) + ", expected 0 <= index < " +
                              std::to_string(cols) + "; see its check_format()");
  }
  index_t rows() const noexcept override { return n_; }
  index_t cols() const noexcept override { return p_; }
  bool sparse() const noexcept override { return true; }
  bool in_single() const noexcept override { return std::is_same_v<T, float>; }

  void nearest(const Centers& centers, RowList rows, Nearest* out, Workspace& work) const override {
    const index_t k = centers.count();
    ensure(work.wide, k + p_);
    double* score = work.wide.data();
    double largest = 0.0;
    for (index_t j = 0; j < k; ++j) largest = std::max(largest, std::sqrt(centers.squared_norms()[j]));
    const double unit = centers.frame().unit, slack = 0x1p-53 * static_cast<double>(p_ + 20);
    for (index_t i = 0; i < rows.count; ++i) {
      const index_t row = rows.begin + rows.offset[i];
      const double norm = score_all(row, centers, score);
      double best = std::numeric_limits<double>::infinity(), second = best;
      std::int32_t label = 0;
      for (index_t j = 0; j < k; ++j) {
        if (score[j] < best) {
          second = best;
          best = score[j];
          label = static_cast<std::int32_t>(j);
        } else {
          second = std::min(second, score[j]);
        }
      }
      const double error = slack * (norm + std::sqrt(norm) * largest + largest * largest);
      if (second - best > 2.0 * error) {
        const double most = norm + 2.0 * (best + error), least = norm + 2.0 * (second - error);
        out[i] = {label, static_cast<float>(std::sqrt(std::max(most, 0.0)) * unit * kUp),
                  static_cast<float>(std::sqrt(std::max(least, 0.0)) * unit * kDown)};
      } else {
        out[i] = decide(row, centers, score, best + 2.0 * error, score + k);
      }
    }
  }

  void to_labelled(const Centers& centers, RowList rows, const std::int32_t* label, double* out) const override {
    for (index_t i = 0; i < rows.count; ++i) out[i] = between(rows.begin + rows.offset[i], centers, label[i]);
  }

  void to_all(const Centers& centers, RowList rows, double* out, Workspace&) const override {
    const index_t k = centers.count();
    for (index_t i = 0; i < rows.count; ++i)
      for (index_t j = 0; j < k; ++j) out[i * k + j] = between(rows.begin + rows.offset[i], centers, j);
  }

  void add(index_t row, double factor, double* sum) const override {
    for_entries(row, [&](index_t j, double v) { sum[j] += factor * v; });
  }

  bool equal(index_t a, index_t b) const noexcept override {
    const Index from_a = indptr_[a], from_b = indptr_[b], count = indptr_[a + 1] - from_a;
    return count == indptr_[b + 1] - from_b && std::equal(indices_ + from_a, indices_ + from_a + count, indices_ + from_b) &&
           std::equal(data_ + from_a, data_ + from_a + count, data_ + from_b);
  }

 private:
  template <class Visit>
  void for_entries(index_t row, Visit&& visit) const {
    for (Index e = indptr_[row]; e < indptr_[row + 1]; ++e) visit(static_cast<index_t>(indices_[e]), static_cast<double>(data_[e]));
  }

  // score[j] = |c_j|^2 / 2 - x . c_j; returns |x|^2.
  double score_all(index_t row, const Centers& centers, double* score) const {
    const index_t k = centers.count();
    double norm = 0.0;
    for (index_t j = 0; j < k; ++j) score[j] = 0.5 * centers.squared_norms()[j];
    for_entries(row, [&](index_t i, double v) {
      const double* c = centers.columns() + i * k;
      for (index_t j = 0; j < k; ++j) score[j] -= v * c[j];
      norm += v * v;
    });
    return norm;
  }

  // |x - c|^2 = |c|^2 + sum over stored entries of (x - c)^2 - c^2: exact where x is c.
  double between(index_t row, const Centers& centers, index_t label) const {
    const double* c = centers.row(label);
    double inside = 0.0, covered = 0.0;
    for_entries(row, [&](index_t i, double v) {
      inside += (v - c[i]) * (v - c[i]);
      covered += c[i] * c[i];
    });
    return inside + std::max(centers.squared_norms()[label] - covered, 0.0);
  }

  Nearest decide(index_t row, const Centers& centers, const double* score, double limit, double* dense) const {
    std::fill_n(dense, p_, 0.0);
    for_entries(row, [&](index_t i, double v) { dense[i] = v; });
    double best = std::numeric_limits<double>::infinity(), second = best;
    std::int32_t label = 0;
    for (index_t j = 0; j < centers.count(); ++j) {
      if (score[j] > limit) continue;
      const double* c = centers.row(j);
      double sum = 0.0;
      for (index_t i = 0; i < p_; ++i) sum += (dense[i] - c[i]) * (dense[i] - c[i]);
      if (sum < best) {
        second = best;
        best = sum;
        label = static_cast<std::int32_t>(j);
      } else {
        second = std::min(second, sum);
      }
    }
    const double unit = centers.frame().unit;
    // Centres beyond the limit may be nearer than the second of those within it: no lower bound but the first's distance.
    return {label, static_cast<float>(std::sqrt(best) * unit * kUp),
            static_cast<float>(std::sqrt(std::min(best, second)) * unit * kDown)};
  }

  const Index *indptr_, *indices_;
  const T* data_;
  index_t n_, p_;
};

}  // namespace

template <class T, class Index>
std::unique_ptr<Points> csr_points(std::span<const Index> indptr, std::span<const Index> indices, std::span<const T> data,
                                   index_t cols) {
  return std::make_unique<CsrPoints<T, Index>>(indptr, indices, data, cols);
}

#define MLWRIGHT_CSR_POINTS(T, Index) \
  template std::unique_ptr<Points> csr_points<T, Index>(std::span<const Index>, std::span<const Index>, std::span<const T>, index_t);
MLWRIGHT_CSR_POINTS(double, std::int32_t)
MLWRIGHT_CSR_POINTS(double, std::int64_t)
MLWRIGHT_CSR_POINTS(float, std::int32_t)
MLWRIGHT_CSR_POINTS(float, std::int64_t)
#undef MLWRIGHT_CSR_POINTS

}  // namespace mlwright::cluster
