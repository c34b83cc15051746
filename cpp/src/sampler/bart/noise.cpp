#include "sampler/bart/noise.hpp"

#include <cmath>  // rint, ldexp, ilogb: exact everywhere

#include "mlwright/base/elementary.hpp"
#include "mlwright/base/error.hpp"
#include "sampler/bart/moves.hpp"
#include "sampler/log_gamma.hpp"

namespace mlwright::sampler::bart {
namespace {

constexpr index_t kBlock = 2048;
constexpr int kTreesBetweenChecks = 4;
constexpr int kMostBits = 62, kRowBits = 49;                       // of a sum, and of one row's number: kernels round up to 2^50
constexpr std::int32_t kLargestLog = std::int32_t{1} << 29;        // 512
constexpr std::int64_t kRepeatedExactly = std::int64_t{1} << 24;   // rows: beyond, whole weights are rounded with what they weigh

int ceil_log2(double x) { return std::ilogb(x) + 1; }  // or one more, of a power of two

}  // namespace

Noise::Noise(const Data& data, std::span<const std::int64_t> weight, const Settings& settings, double sigma2, std::function<void()> check)
    : data_(data),
      weight_(weight),
      settings_(settings),
      check_(std::move(check)),
      total_weight_(std::max<std::int64_t>(total_weight(data, weight), 1)),
      space_(data.columns(), settings.tree),
      sparsity_(settings.is_sparse ? space_.usable().size() : 0),
      forest_(data, settings.n_variance_trees, total_weight_, check_),
      log_precision_(static_cast<std::size_t>(data.stride())),
      block_(static_cast<std::size_t>(kBlock)) {
  const double a = 0.5 * settings.variance_nu, b = a * settings.variance_lambda;
  model_ = {settings.variance_nu, settings.variance_lambda, a * log(b) - log_gamma(a).value};
  const auto root = static_cast<std::int32_t>(std::rint(log(sigma2) / settings.n_variance_trees / kLogUnit));
  std::int32_t sum = 0;
  for (int t = 0; t < forest_.size(); ++t) {
    forest_[t].value[0] = root;
    sum += root;
  }
  std::ranges::fill(log_precision_, -sum);
}

double Noise::Model::log_marginal(const Squares& leaf) const noexcept {
  const double shape = 0.5 * (nu + leaf.weight);
  return constant + log_gamma(shape).value - shape * log(0.5 * (nu * lambda + leaf.sum));
}

void Noise::sweep(const std::int32_t* residual, const Streams& streams) {
  residual_ = residual;
  measure();
  for (int t = 0; t < forest_.size(); ++t) {
    if (t % kTreesBetweenChecks == 0) check_();
    step(t, streams(kNoiseTrees, static_cast<std::uint64_t>(t)));
  }
  pass(-1, {});
  if (settings_.is_sparse && streams.iteration >= settings_.sparse_from && !space_.usable().empty())
    forest_.draw_weights(sparsity_, space_, streams(kNoiseWeights));
}

void Noise::step(int t, runtime::Rng random) {
  Forest::State& state = forest_[t];
  const Proposal proposal = space_.propose(state.tree, random);
  const simd::BartSplit split = forest_.split_by(proposal);
  pass(t, split);
  std::int64_t weight = 0;
  const Squares tried = look(t, proposal, weight);
  forest_.stage(t, split);
  if (taken(proposal, leaves_, tried, model_, state.weight, weight, settings_.min_weight, random)) forest_.accept(proposal, weight);
  state.value.resize(leaves_.size());
  for (std::size_t k = 0; k < leaves_.size(); ++k) state.value[k] = draw(leaves_[k], random);
  forest_.finish();
}

// The variance of this tree's leaves is taken out of their sums. Returns those, and sets the weight, of the rows that the
// proposed rule sends left.
Noise::Squares Noise::look(int t, const Proposal& proposal, std::int64_t& weight) {
  const Forest::State& state = forest_[t];
  const auto n_slots = static_cast<std::size_t>(state.tree.n_leaves());
  const auto squares = [&](std::int64_t w, std::int64_t sum, std::size_t slot) {
    const double z = std::ldexp(static_cast<double>(sum), -exponent_) * exp(state.value[slot] * kLogUnit);
    return Squares{static_cast<double>(w) * settings_.weight_unit, z * settings_.weight_unit};
  };
  leaves_.resize(n_slots);
  for (std::size_t k = 0; k < n_slots; ++k) leaves_[k] = squares(state.weight[k], spread_.value[k], k);
  Squares tried{};
  for (int k = 0; k < 2; ++k) {
    const auto slot = static_cast<std::size_t>(k == 0 ? proposal.a : proposal.b);
    if (slot >= n_slots) continue;
    tried = tried + squares(spread_.left_weight[k], spread_.left_value[k], slot);
    weight += spread_.left_weight[k];
  }
  return tried;
}

std::int32_t Noise::draw(const Squares& leaf, runtime::Rng& rng) const {
  const double variance = (model_.nu * model_.lambda + leaf.sum) / rng.chi_square(model_.nu + leaf.weight);
  const double units = std::rint(log(variance) / kLogUnit);
  if (!(std::fabs(units) < static_cast<double>(kLargestLog)))
    throw NumericalError("BART: a leaf's variance is " + std::to_string(variance) + " times that of the other trees; expected a number near 1");
  return static_cast<std::int32_t>(units);
}

// Applies what is pending and sums what tree `next` (-1: none) asks for.
void Noise::pass(int next, const simd::BartSplit& tried) {
  if (forest_.is_pending()) {
    const auto before = std::ranges::max(forest_.before()), after = std::ranges::min(forest_.after());
    largest_ *= exp(std::max(before - after, 0) * kLogUnit);
  }
  exponent_ = std::min(kMostBits - ceil_log2(static_cast<double>(total_weight_)), kRowBits) - ceil_log2(std::max(largest_, 1e-200));
  const double scale = std::ldexp(1.0, exponent_);
  const int n_slots = next >= 0 ? forest_[next].tree.n_leaves() : 0;
  spread_.clear(n_slots);
  std::int32_t largest_log = 0;
  double largest = 0;
  for (index_t begin = 0; begin < data_.stride(); begin += kBlock) {
    const index_t rows = std::min(kBlock, data_.stride() - begin);
    if (forest_.is_pending()) largest_log = std::max(largest_log, forest_.apply(log_precision_.data(), begin, rows));
    if (next < 0) continue;
    simd::BartSplit here = tried;
    if (here.code != nullptr) here.code += begin;
    const simd::BartNoiseTable& kernels = simd::bart_noise();
    largest = std::max(largest, kernels.squares(residual_ + begin, log_precision_.data() + begin, weights(begin), rows, settings_.unit,
                                                kLogUnit, scale, block_.data()));
    kernels.spread(block_.data(), nullptr, weights(begin), forest_.slots(next) + begin, rows, n_slots, here, spread_);
  }
  if (largest_log >= kLargestLog) throw NumericalError("BART: the noise's variance at a row is beyond 1e222 times, or below 1e-222 times, that of y");
  if (next >= 0) largest_ = largest;
  forest_.applied();
}

void Noise::measure() {
  largest_ = 0;
  for (index_t begin = 0; begin < data_.stride(); begin += kBlock)
    largest_ = std::max(largest_, simd::bart_noise().squares(residual_ + begin, log_precision_.data() + begin, nullptr,
                                                             std::min(kBlock, data_.stride() - begin), settings_.unit, kLogUnit, 0,
                                                             block_.data()));
}

// out[row] = w exp(sign log_precision), in a unit, a power of two, in which they add up to less than `most`. The unit.
double Noise::scaled(double sign, double most, std::int64_t* out) const {
  const index_t n = data_.n_rows();
  const simd::BartNoiseTable& kernels = simd::bart_noise();
  double highest = -1e300;
  for (index_t i = 0; i < n; ++i) highest = std::max(highest, sign * log_precision_[static_cast<std::size_t>(i)]);
  const int row_bits = ceil_log2(exp(highest * kLogUnit));
  const auto scale = [&](int bits, bool whole) {
    kernels.precisions(log_precision_.data(), weights(0), data_.stride(), sign * kLogUnit, std::ldexp(1.0, bits), whole, out);
  };
  // First with 20 bits a row, to see what they add up to.
  const int first = 20 - row_bits;
  scale(first, true);
  std::int64_t total = total_weight_;
  for (index_t i = 0; i < n; ++i) total += out[i];
  const double room = most - static_cast<double>(total_weight_);
  const bool whole = total_weight_ <= kRepeatedExactly;
  const int most_bits = kRowBits - row_bits - (whole ? 0 : ceil_log2(static_cast<double>(total_weight_)));
  const int bits = std::min(std::ilogb(room / static_cast<double>(total)) + first, most_bits);
  scale(bits, whole);
  return std::ldexp(1.0, -bits);
}

double Noise::precisions(double most, std::int64_t* out) const { return scaled(1, most, out) * settings_.weight_unit; }

double Noise::mean_variance() const {
  std::vector<std::int64_t> variance(static_cast<std::size_t>(data_.stride()));
  const double unit = scaled(-1, 0x1p62, variance.data());
  std::int64_t total = 0;
  for (index_t i = 0; i < data_.n_rows(); ++i) total += variance[static_cast<std::size_t>(i)];
  return static_cast<double>(total) * unit / static_cast<double>(total_weight_);
}

}  // namespace mlwright::sampler::bart
