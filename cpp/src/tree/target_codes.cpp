#include "mlwright/tree/target_codes.hpp"

#include <algorithm>
#include <limits>

#include "mlwright/runtime/parallel.hpp"

namespace mlwright::tree {
namespace {

constexpr int kIterations = 4;
constexpr double kFirstRows = 10;

struct Sums {
  double g = 0, h = 0;
  std::int64_t n = 0;
};

// Sums of every level in every fold: what the estimates are made from.
class Cells {
 public:
  Cells(std::span<const std::int32_t> level, std::int64_t n_levels, const FirstStep& step,
        std::span<const std::uint8_t> fold, int n_folds)
      : n_levels_(n_levels), n_folds_(n_folds), cells_(static_cast<std::size_t>(n_levels * n_folds)) {
    for (std::size_t i = 0; i < level.size(); ++i) {
      if (level[i] < 0) continue;
      Sums& cell = cells_[place(level[i], fold[i])];
      cell.g += step.g[i];
      cell.h += step.h[i];
      ++cell.n;
    }
    for (const Sums& cell : cells_) add(all_, cell);
    mean_ = all_.h > 0 ? all_.g / all_.h : 0;
  }

  std::size_t place(std::int64_t level, int fold) const { return static_cast<std::size_t>(level * n_folds_ + fold); }
  std::int64_t n_levels() const { return n_levels_; }
  int n_folds() const { return n_folds_; }
  const Sums& operator[](std::size_t i) const { return cells_[i]; }
  std::size_t size() const { return cells_.size(); }
  const Sums& all() const { return all_; }
  double residual(double g, double h) const { return g - mean_ * h; }  // of equal sums, equal bits

  Sums of_level(std::int64_t level) const {
    Sums sum;
    for (int f = 0; f < n_folds_; ++f) add(sum, cells_[place(level, f)]);
    return sum;
  }

  double lambda() const {
    if (all_.n == 0) return std::numeric_limits<double>::infinity();
    double squares = 0, sizes = 0;  // over cells
    for (const Sums& cell : cells_) {
      const double r = residual(cell.g, cell.h);
      squares += r * r;
      sizes += cell.h * cell.h;
    }
    double lambda = kFirstRows * all_.h / static_cast<double>(all_.n);
    for (int i = 0; i < kIterations; ++i) {
      const double between = variance_between(lambda);
      if (!(between > 0)) return std::numeric_limits<double>::infinity();
      const double noise = (squares - between * sizes) / all_.h;
      lambda = std::max(noise / between, 0.0);
    }
    return lambda;
  }

 private:
  static void add(Sums& to, const Sums& more) {
    to.g += more.g;
    to.h += more.h;
    to.n += more.n;
  }

  double variance_between(double lambda) const {
    double products = 0, sizes = 0;
    for (std::int64_t level = 0; level < n_levels_; ++level) {
      const Sums sum = of_level(level);
      if (!(sum.h > 0)) continue;
      double own_g = 0, own_h = 0;
      for (int f = 0; f < n_folds_; ++f) {
        const Sums& cell = cells_[place(level, f)];
        const double r = residual(cell.g, cell.h);
        own_g += r * r;
        own_h += cell.h * cell.h;
      }
      const double weight = 1 / ((sum.h + lambda) * (sum.h + lambda));
      const double r = residual(sum.g, sum.h);
      products += weight * (r * r - own_g);
      sizes += weight * (sum.h * sum.h - own_h);
    }
    return sizes > 0 ? products / sizes : 0;
  }

  std::int64_t n_levels_;
  int n_folds_;
  std::vector<Sums> cells_;
  Sums all_;
  double mean_ = 0;
};

double effect(const Cells& cells, double g, double h, double lambda) {
  return h + lambda > 0 ? -cells.residual(g, h) / (h + lambda) : 0;
}

struct Value {
  double value;
  std::int64_t n;
};

// Values after which a code ends, ascending: k / kTargetCodes of the rows lie up to the k-th.
std::vector<double> ends_of_codes(std::vector<Value> values, std::int64_t n_rows) {
  std::ranges::sort(values, {}, &Value::value);
  std::vector<double> ends;
  std::int64_t below = 0;
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    below += values[i].n;
    const auto due = static_cast<std::int64_t>(ends.size() + 1) * n_rows;
    if (values[i].value == values[i + 1].value || below * kTargetCodes < due) continue;
    ends.push_back(values[i].value);
    if (static_cast<int>(ends.size()) == kTargetCodes - 1) break;
  }
  return ends;
}

std::uint8_t code_of(double value, const std::vector<double>& ends) {
  return static_cast<std::uint8_t>(std::ranges::lower_bound(ends, value) - ends.begin());
}

TargetCodes codes_of_column(std::span<const std::int32_t> level, std::int64_t n_levels, const FirstStep& step,
                            std::span<const std::uint8_t> fold, int n_folds) {
  const Cells cells(level, n_levels, step, fold, n_folds);
  const double lambda = cells.lambda();
  std::vector<double> seen(cells.size());  // what the rows of each cell see
  std::vector<double> whole(static_cast<std::size_t>(n_levels));
  std::vector<Value> values;
  for (std::int64_t c = 0; c < n_levels; ++c) {
    const Sums sum = cells.of_level(c);
    whole[static_cast<std::size_t>(c)] = effect(cells, sum.g, sum.h, lambda);
    for (int f = 0; f < n_folds; ++f) {
      const std::size_t i = cells.place(c, f);
      seen[i] = effect(cells, sum.g - cells[i].g, sum.h - cells[i].h, lambda);
      if (cells[i].n > 0) values.push_back({seen[i], cells[i].n});
    }
  }
  const std::vector<double> ends = ends_of_codes(std::move(values), cells.all().n);
  std::vector<std::uint8_t> code_of_cell(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) code_of_cell[i] = code_of(seen[i], ends);
  TargetCodes codes{std::vector<std::uint8_t>(level.size(), kMissingTargetCode), {}};
  for (std::size_t i = 0; i < level.size(); ++i)
    if (level[i] >= 0) codes.rows[i] = code_of_cell[cells.place(level[i], fold[i])];
  for (const double value : whole) codes.levels.push_back(code_of(value, ends));
  return codes;
}

}  // namespace

std::vector<TargetCodes> target_codes(std::span<const std::span<const std::int32_t>> level,
                                      std::span<const std::int64_t> n_levels, std::span<const FirstStep> outputs,
                                      std::span<const std::uint8_t> fold, int n_folds, runtime::CancelToken& token) {
  std::vector<TargetCodes> codes(level.size() * outputs.size());
  runtime::parallel_for(static_cast<index_t>(codes.size()), 1, token, [&](index_t, index_t begin, index_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const std::size_t q = i / outputs.size();
      codes[i] = codes_of_column(level[q], n_levels[q], outputs[i % outputs.size()], fold, n_folds);
    }
  });
  return codes;
}

}  // namespace mlwright::tree
