// Points as k-means sees them, dense or sparse: their nearest centres, distances, and sums of those that moved.
//
// Labels are exact: nearest() first asks single precision, whose rounding is bounded; where the bound leaves a doubt, double
// precision decides by sums of squared differences in the order of the coordinates, the first of equally near centres. So a
// label depends on the numbers alone, not on layout, sparsity, threads or instruction set.
// Single precision sees points as (x - shift) * unit, which keeps its digits for data far from the origin and of any scale.
// Thread-safe: const; scratch memory is the caller's.
// Reference for the bound: Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mlwright/base/buffer.hpp"
#include "mlwright/base/view.hpp"

namespace mlwright::cluster {

struct Frame {
  std::span<const double> shift;  // one a coordinate
  double unit;                    // a power of two near 1 / spread
};

class Centers {
 public:
  Centers(index_t k, index_t p, Frame frame, bool transposed);
  void set(std::span<const double> values);  // k rows of p numbers

  index_t count() const noexcept { return k_; }
  index_t cols() const noexcept { return p_; }
  const Frame& frame() const noexcept { return frame_; }
  const double* values() const noexcept { return values_.data(); }
  const double* row(index_t j) const noexcept { return values_.data() + j * p_; }
  const float* single() const noexcept { return single_.data(); }
  const float* half_norms() const noexcept { return half_norms_.data(); }
  float largest() const noexcept { return largest_; }                         // at least every norm in the frame
  const double* columns() const noexcept { return columns_.data(); }          // p rows of k numbers, where transposed
  const double* squared_norms() const noexcept { return squared_norms_.data(); }  // of the values as they are

 private:
  index_t k_, p_;
  Frame frame_;
  bool transposed_;
  std::vector<double> values_, columns_, squared_norms_;
  std::vector<float> single_, half_norms_;
  float largest_ = 0.0f;
};

// Rows begin + offset[0], begin + offset[1], ...
struct RowList {
  index_t begin;
  const std::int32_t* offset;
  index_t count;
};

struct Nearest {
  std::int32_t label;
  float upper, lower;  // bounds of the distances to that centre and to the others, in units of the frame
};

// What the functions below write to, of one thread.
struct Workspace {
  Buffer<float> single;
  Buffer<double> wide;
};

class Points {
 public:
  virtual ~Points() = default;
  virtual index_t rows() const noexcept = 0;
  virtual index_t cols() const noexcept = 0;
  virtual bool sparse() const noexcept = 0;
  virtual bool in_single() const noexcept = 0;  // whether centres are to be rounded to float32

  virtual void nearest(const Centers& centers, RowList rows, Nearest* out, Workspace& work) const = 0;
  // out[i * stride] = |x - c|^2, i over the list: to centre label[i] each, or (label null) to all, out being count x k.
  virtual void to_labelled(const Centers& centers, RowList rows, const std::int32_t* label, double* out) const = 0;
  virtual void to_all(const Centers& centers, RowList rows, double* out, Workspace& work) const = 0;
  // sum += factor * x of one row.
  virtual void add(index_t row, double factor, double* sum) const = 0;
  virtual bool equal(index_t a, index_t b) const noexcept = 0;
};

template <class T>
std::unique_ptr<Points> dense_points(const T* data, index_t rows, index_t cols);  // row-major

// Throws InvalidArgument where the parts make no matrix. An entry that is stored twice is not allowed.
template <class T, class Index>
std::unique_ptr<Points> csr_points(std::span<const Index> indptr, std::span<const Index> indices, std::span<const T> data,
                                   index_t cols);

}  // namespace mlwright::cluster
