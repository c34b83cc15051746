#include "mlwright/tree/binning.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "mlwright/base/buffer.hpp"
#include "mlwright/base/checked.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/polling.hpp"
#include "mlwright/runtime/rng.hpp"
#include "mlwright/tree/streams.hpp"
#include "simd/binning.hpp"
#include "tree/quantile_cuts.hpp"
#include "tree/rows_looked_at.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kRowGrain = 8192;
constexpr index_t kColumnsOfALine = 8;  // or of half of one: enough chunks for several threads
constexpr std::size_t kRowsAhead = 16;  // are fetched of those looked at

struct Sorted {  // the values of one column that are not missing, ascending, with their weights
  std::vector<double> value;
  std::vector<double> weight;
};

template <class T>
struct Keyed {
  KeyOf<T> key;
  std::uint32_t row;
};

// Least-significant-digit radix sort; passes in which all digits agree are skipped. Digits of 8 bits: with 2,048 places
// to write to, each pass would miss the first-level TLB at almost every item. other: room for as many.
template <class Item, class Key>
void radix_sort(std::span<Item> items, std::span<Item> other, Key key_of) {
  constexpr int kBits = 8, kDigits = 1 << kBits, kPasses = sizeof(key_of(items[0]));
  std::vector<std::uint32_t> counts(static_cast<std::size_t>(kPasses) * kDigits, 0);
  for (const Item& item : items)
    for (int pass = 0; pass < kPasses; ++pass)
      ++counts[static_cast<std::size_t>(pass * kDigits) + (key_of(item) >> (pass * kBits) & (kDigits - 1))];
  const std::span<Item> sorted = items;
  other = other.first(items.size());
  for (int pass = 0; pass < kPasses; ++pass) {
    std::uint32_t* count = counts.data() + pass * kDigits;
    if (!items.empty() && count[key_of(items[0]) >> (pass * kBits) & (kDigits - 1)] == items.size()) continue;
    std::uint32_t position = 0;
    for (int digit = 0; digit < kDigits; ++digit) position += std::exchange(count[digit], position);
    for (const Item& item : items) other[count[key_of(item) >> (pass * kBits) & (kDigits - 1)]++] = item;
    std::swap(items, other);
  }
  if (items.data() != sorted.data()) std::ranges::copy(items, sorted.begin());
}

// Some columns' values that are not missing, of rows without weights: side by side, since in memory by rows they share cache
// lines, and each row that is looked at is a miss.
template <class T>
class GatheredKeys {
 public:
  using Key = KeyOf<T>;

  GatheredKeys(MatrixView<const T> x, index_t first, index_t last, const std::vector<std::uint32_t>& rows)
      : n_rows_(rows.size()), size_(static_cast<std::size_t>(last - first), 0), keys_((size_.size() + 1) * n_rows_) {
    for (std::size_t r = 0; r < n_rows_; ++r) {
      __builtin_prefetch(&x(rows[std::min(r + kRowsAhead, n_rows_ - 1)], first));
      for (std::size_t k = 0; k < size_.size(); ++k) {
        const T v = x(rows[r], first + static_cast<index_t>(k));
        keys_[k * n_rows_ + size_[k]] = to_key(v);
        size_[k] += v == v;
      }
    }
  }

  std::span<const Key> sorted(std::size_t k) {
    const std::span<Key> all(keys_.data(), keys_.size()), keys = all.subspan(k * n_rows_, size_[k]);
    radix_sort(keys, all.last(n_rows_), [](Key key) { return key; });
    return keys;
  }

 private:
  std::size_t n_rows_;
  std::vector<std::size_t> size_;  // of each column
  Buffer<Key> keys_;               // and room to sort one
};

template <class T>
Runs runs_of_keys(std::span<const KeyOf<T>> keys) {
  Runs runs;
  runs.value.reserve(keys.size());
  runs.cumulative.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i + 1 < keys.size() && keys[i] == keys[i + 1]) continue;
    runs.value.push_back(from_key<T>(keys[i]));
    runs.cumulative.push_back(static_cast<double>(i + 1));
  }
  return runs;
}

template <class T>
Sorted sorted_column(MatrixView<const T> x, index_t feature, std::span<const double> weight,
                     const std::vector<std::uint32_t>& rows) {
  Sorted column;
  std::vector<Keyed<T>> items;
  items.reserve(rows.size());
  for (const std::uint32_t i : rows)
    if (const T v = x(i, feature); v == v) items.push_back({to_key(v), i});
  std::vector<Keyed<T>> other(items.size());
  radix_sort(std::span(items), std::span(other), [](const Keyed<T>& item) { return item.key; });
  for (const Keyed<T>& item : items) {
    column.value.push_back(from_key<T>(item.key));
    column.weight.push_back(weight[item.row]);
  }
  return column;
}

Runs runs_of(const Sorted& column) {
  Runs runs;
  double sum = 0;
  for (std::size_t i = 0; i < column.value.size(); ++i) {
    sum += column.weight[i];
    if (runs.value.empty() || runs.value.back() != column.value[i]) {
      runs.value.push_back(column.value[i]);
      runs.cumulative.push_back(sum);
    }
    runs.cumulative.back() = sum;
  }
  return runs;
}

}  // namespace

std::vector<std::uint32_t> rows_to_look_at(index_t n_rows, std::span<const double> weight, std::uint64_t seed) {
  std::vector<std::uint32_t> rows;
  if (!weight.empty() || n_rows <= kSampleRows) {
    for (index_t i = 0; i < n_rows; ++i)
      if (weight.empty() || weight[static_cast<std::size_t>(i)] > 0) rows.push_back(static_cast<std::uint32_t>(i));
    return rows;
  }
  rows.reserve(kSampleRows);
  runtime::Rng rng(seed, runtime::stream_id(static_cast<std::uint32_t>(Draws::rows_of_thresholds)));
  for (index_t s = 0; s < kSampleRows; ++s) {
    const index_t begin = s * n_rows / kSampleRows, end = (s + 1) * n_rows / kSampleRows;
    rows.push_back(static_cast<std::uint32_t>(begin + static_cast<index_t>(rng.below(static_cast<std::uint64_t>(end - begin)))));
  }
  return rows;
}

Thresholds join(const std::vector<std::vector<double>>& cuts) {
  Thresholds thresholds;
  thresholds.offsets.push_back(0);
  for (const auto& of_feature : cuts) {
    thresholds.values.insert(thresholds.values.end(), of_feature.begin(), of_feature.end());
    thresholds.offsets.push_back(static_cast<index_t>(thresholds.values.size()));
  }
  return thresholds;
}

template <class T>
Thresholds find_thresholds(MatrixView<const T> x, std::span<const double> weight, int max_bins, std::uint64_t seed,
                           runtime::CancelToken& token) {
  if (max_bins < 2 || max_bins > kMaxBins)
    throw InvalidArgument("max_bins: got " + std::to_string(max_bins) + ", expected 2 to 255");
  const std::vector<std::uint32_t> rows = rows_to_look_at(x.rows, weight, seed);
  std::vector<std::vector<double>> cuts(static_cast<std::size_t>(x.cols));
  const bool by_rows = std::abs(x.row_stride) > std::abs(x.col_stride);
  const auto check = runtime::poller(token);  // columns together can take longer than Ctrl-C may wait
  runtime::parallel_for(x.cols, weight.empty() && by_rows ? kColumnsOfALine : 1, token, [&](index_t, index_t begin, index_t end) {
    if (!weight.empty()) {
      for (index_t j = begin; j < end; ++j)
        cuts[static_cast<std::size_t>(j)] = cuts_of(runs_of(sorted_column(x, j, weight, rows)), max_bins);
      return;
    }
    GatheredKeys<T> keys(x, begin, end, rows);
    for (index_t j = begin; j < end; ++j) {
      check();
      cuts[static_cast<std::size_t>(j)] = cuts_of(runs_of_keys<T>(keys.sorted(static_cast<std::size_t>(j - begin))), max_bins);
    }
  });
  if (static_cast<index_t>(rows.size()) >= kSampleRows) return_free_memory();
  return join(cuts);
}

template <class T>
BinnedMatrix::BinnedMatrix(MatrixView<const T> x, Thresholds thresholds, runtime::CancelToken& token)
    : n_rows_(x.rows), n_features_(x.cols), thresholds_(std::move(thresholds)),
      columns_(static_cast<std::size_t>(checked_mul(x.rows, x.cols, "binned matrix"))),
      has_missing_(static_cast<std::size_t>(x.cols), 0) {
  if (n_rows_ > std::numeric_limits<std::uint32_t>::max())
    throw InvalidArgument("X: got " + std::to_string(n_rows_) + " rows, expected at most 2^32 - 1; fit on a sample");
  fill_columns(x, token);
  fill_rows(token);
}

template <class T, class Index>
BinnedMatrix::BinnedMatrix(const SparseColumns<T, Index>& x, Thresholds thresholds, runtime::CancelToken& token)
    : n_rows_(x.n_rows), n_features_(x.n_cols()), thresholds_(std::move(thresholds)) {
  keep(SparseBins(x, thresholds_, token), token);
}

BinnedMatrix::BinnedMatrix(MatrixView<const std::uint8_t> codes, std::span<const std::uint32_t> rows, Thresholds thresholds,
                           runtime::CancelToken& token)
    : n_rows_(static_cast<index_t>(rows.size())), n_features_(codes.cols), thresholds_(std::move(thresholds)),
      columns_(static_cast<std::size_t>(checked_mul(n_rows_, n_features_, "binned matrix"))),
      has_missing_(static_cast<std::size_t>(n_features_), 0) {
  runtime::parallel_for(n_features_, 1, token, [&](index_t, index_t begin, index_t end) {
    for (index_t j = begin; j < end; ++j) {
      std::uint8_t* to = columns_.data() + j * n_rows_;
      std::uint8_t highest = 0;
      for (const std::uint32_t row : rows) {
        *to = codes(row, j);
        highest = std::max(highest, *to++);
      }
      if (highest > n_bins(j)) throw InvalidArgument("binned matrix: a code beyond its bins; it is damaged");
      has_missing_[static_cast<std::size_t>(j)] = n_rows_ > 0 && highest == n_bins(j);
    }
  });
  fill_rows(token);
}

BinnedMatrix::BinnedMatrix(SparseBins bins, Thresholds thresholds, runtime::CancelToken& token)
    : n_rows_(bins.n_rows()), n_features_(bins.n_features()), thresholds_(std::move(thresholds)) {
  keep(std::move(bins), token);
}

BinnedMatrix BinnedMatrix::take(std::span<const std::uint32_t> rows, runtime::CancelToken& token) const {
  for (const std::uint32_t row : rows)
    if (row >= n_rows_) throw InvalidArgument("binned matrix: a row out of range");
  if (sparse_ != nullptr) return {sparse_->take(rows, thresholds_, token), thresholds_, token};
  return {MatrixView<const std::uint8_t>{columns_.data(), n_rows_, n_features_, 1, n_rows_}, rows, thresholds_, token};
}

void BinnedMatrix::values(std::span<const std::int32_t> features, index_t first_row, MatrixView<double> out,
                          runtime::CancelToken& token) const {
  if (first_row < 0 || out.rows > n_rows_ - first_row || out.cols != static_cast<index_t>(features.size()))
    throw InvalidArgument("binned matrix: rows out of range");
  for (const std::int32_t feature : features)
    if (feature < 0 || feature >= n_features_) throw InvalidArgument("binned matrix: a feature out of range");
  runtime::parallel_for(out.cols, 1, token, [&](index_t, index_t begin, index_t end) {
    std::vector<std::uint8_t> codes(static_cast<std::size_t>(sparse_ == nullptr ? 0 : n_rows_));
    for (index_t k = begin; k < end; ++k) {
      const index_t feature = features[static_cast<std::size_t>(k)];
      const auto cuts = thresholds_.of(feature);
      if (sparse_ != nullptr) sparse_->spread(feature, codes);
      const std::uint8_t* code = (sparse_ == nullptr ? column(feature) : codes.data()) + first_row;
      for (index_t i = 0; i < out.rows; ++i)
        out(i, k) = code[i] < cuts.size()    ? cuts[code[i]]
                    : code[i] == cuts.size() ? std::numeric_limits<double>::infinity()
                                             : std::numeric_limits<double>::quiet_NaN();
    }
  });
}

void BinnedMatrix::copy_column(index_t feature, std::span<std::uint8_t> codes) const {
  if (sparse_ != nullptr) sparse_->spread(feature, codes);
  else std::copy_n(column(feature), n_rows_, codes.begin());
}

// Sparsely, if that takes less memory and time.
void BinnedMatrix::keep(SparseBins bins, runtime::CancelToken& token) {
  has_missing_.resize(static_cast<std::size_t>(n_features_));
  for (index_t j = 0; j < n_features_; ++j) has_missing_[static_cast<std::size_t>(j)] = bins.has_missing(j);
  if (static_cast<double>(bins.n_stored()) < kSparse * static_cast<double>(n_rows_) * static_cast<double>(n_features_)) {
    sparse_ = std::make_unique<const SparseBins>(std::move(bins));
    return;
  }
  columns_ = Buffer<std::uint8_t>(static_cast<std::size_t>(checked_mul(n_rows_, n_features_, "binned matrix")));
  for (index_t j = 0; j < n_features_; ++j)
    bins.spread(j, {columns_.data() + j * n_rows_, static_cast<std::size_t>(n_rows_)});
  fill_rows(token);
}

template <class T>
void BinnedMatrix::fill_columns(MatrixView<const T> x, runtime::CancelToken& token) {
  const index_t chunks = runtime::n_chunks(n_rows_, kRowGrain);
  std::vector<std::uint8_t> missing(static_cast<std::size_t>(chunks * n_features_), 0);
  std::vector<simd::BinSearch> search(static_cast<std::size_t>(n_features_));
  for (index_t j = 0; j < n_features_; ++j)
    simd::binning().prepare(thresholds_.of(j).data(), static_cast<int>(thresholds_.of(j).size()), &search[static_cast<std::size_t>(j)]);
  runtime::parallel_for(n_rows_, kRowGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    constexpr index_t kStrip = 512;  // rows whose lines stay in L1 while all their columns are read
    double values[kStrip];
    for (index_t strip = begin; strip < end; strip += kStrip) {
      const index_t size = std::min(kStrip, end - strip);
      for (index_t j = 0; j < n_features_; ++j) {
        const auto cuts = static_cast<unsigned>(thresholds_.of(j).size());
        for (index_t i = 0; i < size; ++i) values[i] = static_cast<double>(x(strip + i, j));
        missing[static_cast<std::size_t>(chunk * n_features_ + j)] |= simd::binning().codes(
            values, size, &search[static_cast<std::size_t>(j)], static_cast<std::uint8_t>(cuts + 1),
            columns_.data() + j * n_rows_ + strip);
      }
    }
  });
  for (index_t c = 0; c < chunks; ++c)
    for (index_t j = 0; j < n_features_; ++j)
      has_missing_[static_cast<std::size_t>(j)] |= missing[static_cast<std::size_t>(c * n_features_ + j)];
}

void BinnedMatrix::fill_rows(runtime::CancelToken& token) {
  const index_t last = n_blocks() - 1;
  const index_t padded_features = last < 0 ? 0 : last * kBlock + block_stride(last);
  rows_ = Buffer<std::uint8_t>(static_cast<std::size_t>(checked_mul(padded_features, n_rows_, "binned matrix")) + 8);
  runtime::parallel_for(n_rows_, kRowGrain, token, [&](index_t, index_t begin, index_t end) {
    constexpr index_t kStrip = 256;
    for (index_t b = 0; b < n_blocks(); ++b) {
      const index_t stride = block_stride(b);
      std::uint8_t* out = rows_.data() + b * kBlock * n_rows_;
      for (index_t strip = begin; strip < end; strip += kStrip)
        for (index_t j = 0; j < block_features(b); ++j) {
          const std::uint8_t* in = column(block_begin(b) + j);
          for (index_t i = strip; i < std::min(end, strip + kStrip); ++i) out[i * stride + j] = in[i];
        }
    }
  });
}

template Thresholds find_thresholds(MatrixView<const double>, std::span<const double>, int, std::uint64_t,
                                    runtime::CancelToken&);
template Thresholds find_thresholds(MatrixView<const float>, std::span<const double>, int, std::uint64_t,
                                    runtime::CancelToken&);
#define MLWRIGHT_INSTANTIATE(T, Index) \
  template BinnedMatrix::BinnedMatrix(const SparseColumns<T, Index>&, Thresholds, runtime::CancelToken&);
MLWRIGHT_INSTANTIATE(double, std::int32_t)
MLWRIGHT_INSTANTIATE(double, std::int64_t)
MLWRIGHT_INSTANTIATE(float, std::int32_t)
MLWRIGHT_INSTANTIATE(float, std::int64_t)
#undef MLWRIGHT_INSTANTIATE
template BinnedMatrix::BinnedMatrix(MatrixView<const double>, Thresholds, runtime::CancelToken&);
template BinnedMatrix::BinnedMatrix(MatrixView<const float>, Thresholds, runtime::CancelToken&);

}  // namespace mlwright::tree
