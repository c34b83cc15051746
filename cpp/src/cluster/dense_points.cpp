#include <algorithm>
#include <cmath>
#include <type_traits>

#include "mlwright/cluster/points.hpp"
#include "simd/nearest.hpp"

namespace mlwright::cluster {
namespace {

using simd::kTilePoints;

constexpr double kUp = 1.0 + 0x1p-20, kDown = 1.0 - 0x1p-20;

template <class T>
void ensure(Buffer<T>& buffer, index_t size) {
  if (static_cast<index_t>(buffer.size()) < size) buffer = Buffer<T>(static_cast<std::size_t>(size));
}

template <class T>
class DensePoints final : public Points {
 public:
  DensePoints(const T* data, index_t rows, index_t cols) : data_(data), n_(rows), p_(cols) {}
  index_t rows() const noexcept override { return n_; }
  index_t cols() const noexcept override { return p_; }
  bool sparse() const noexcept override { return false; }
  bool in_single() const noexcept override { return std::is_same_v<T, float>; }

  void nearest(const Centers& centers, RowList rows, Nearest* out, Workspace& work) const override {
    const auto& kernels = simd::nearest();
    ensure(work.single, p_ * kTilePoints);
    // Rounding of inputs, products, sums and norms; and what falls below the smallest normal number.
    const index_t roundings = std::min(p_, simd::kNearestBlock) + p_ / simd::kNearestBlock + 1;
    const float slack = 0x1p-24f * static_cast<float>(roundings + 20), tiny = 0x1p-120f * static_cast<float>(p_ + 1);
    simd::NearestFound found;
    const T* row[kTilePoints];
    std::int32_t doubtful[kTilePoints];
    for (index_t at = 0; at < rows.count; at += kTilePoints) {
      const index_t count = std::min(kTilePoints, rows.count - at);
      for (index_t r = 0; r < count; ++r) row[r] = at_offset(rows, at + r);
      pack(row, count, centers.frame(), work.single.data());
      kernels.filter(work.single.data(), count, p_, centers.single(), centers.half_norms(), centers.count(),
                     centers.largest(), slack, tiny, &found);
      index_t n_doubtful = 0;
      for (index_t r = 0; r < count; ++r) {
        out[at + r] = {found.label[r], found.upper[r], found.lower[r]};
        if (!found.certain[r]) doubtful[n_doubtful++] = static_cast<std::int32_t>(r);
      }
      if (n_doubtful > 0) decide(centers, row, doubtful, n_doubtful, out + at, work);
    }
  }

  void to_labelled(const Centers& centers, RowList rows, const std::int32_t* label, double* out) const override {
    for (index_t i = 0; i < rows.count; ++i) out[i] = between(at_offset(rows, i), centers.row(label[i]));
  }

  void to_all(const Centers& centers, RowList rows, double* out, Workspace& work) const override {
    const index_t k = centers.count();
    ensure(work.wide, (p_ + k) * kTilePoints);
    double* tile = work.wide.data();
    double* distances = tile + p_ * kTilePoints;
    const T* row[kTilePoints];
    for (index_t at = 0; at < rows.count; at += kTilePoints) {
      const index_t count = std::min(kTilePoints, rows.count - at);
      for (index_t r = 0; r < count; ++r) row[r] = at_offset(rows, at + r);
      widen(row, count, tile);
      simd::nearest().all(tile, count, p_, centers.values(), k, distances);
      for (index_t r = 0; r < count; ++r)
        for (index_t j = 0; j < k; ++j) out[(at + r) * k + j] = distances[j * kTilePoints + r];
    }
  }

  void add(index_t row, double factor, double* sum) const override {
    const T* x = data_ + row * p_;
    for (index_t i = 0; i < p_; ++i) sum[i] += factor * static_cast<double>(x[i]);
  }

  bool equal(index_t a, index_t b) const noexcept override { return std::equal(data_ + a * p_, data_ + (a + 1) * p_, data_ + b * p_); }

 private:
  const T* at_offset(const RowList& rows, index_t i) const { return data_ + (rows.begin + rows.offset[i]) * p_; }

  void pack(const T* const* row, index_t count, const Frame& frame, float* tile) const {
    if constexpr (std::is_same_v<T, double>)
      simd::nearest().pack_f64(row, count, p_, frame.shift.data(), frame.unit, tile);
    else
      simd::nearest().pack_f32(row, count, p_, frame.shift.data(), frame.unit, tile);
  }

  double between(const T* x, const double* c) const {
    if constexpr (std::is_same_v<T, double>)
      return simd::nearest().between_f64(x, c, p_);
    else
      return simd::nearest().between_f32(x, c, p_);
  }

  void widen(const T* const* row, index_t count, double* tile) const {
    for (index_t i = 0; i < p_; ++i)
      for (index_t r = 0; r < kTilePoints; ++r) tile[i * kTilePoints + r] = r < count ? static_cast<double>(row[r][i]) : 0.0;
  }

  // Double precision for the points of a tile that the filter leaves in doubt.
  void decide(const Centers& centers, const T* const* row, const std::int32_t* doubtful, index_t count, Nearest* out,
              Workspace& work) const {
    ensure(work.wide, p_ * kTilePoints);
    const T* chosen[kTilePoints];
    for (index_t i = 0; i < count; ++i) chosen[i] = row[doubtful[i]];
    widen(chosen, count, work.wide.data());
    simd::NearestExact found;
    simd::nearest().search(work.wide.data(), count, p_, centers.values(), centers.count(), &found);
    const double unit = centers.frame().unit;
    for (index_t i = 0; i < count; ++i)
      out[doubtful[i]] = {found.label[i], static_cast<float>(std::sqrt(found.best[i]) * unit * kUp),
                          static_cast<float>(std::sqrt(found.second[i]) * unit * kDown)};
  }

  const T* data_;
  index_t n_, p_;
};

}  // namespace

template <class T>
std::unique_ptr<Points> dense_points(const T* data, index_t rows, index_t cols) {
  return std::make_unique<DensePoints<T>>(data, rows, cols);
}

template std::unique_ptr<Points> dense_points<double>(const double*, index_t, index_t);
template std::unique_ptr<Points> dense_points<float>(const float*, index_t, index_t);

}  // namespace mlwright::cluster
