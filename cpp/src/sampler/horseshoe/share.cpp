#include <algorithm>
#include <array>
#include <cmath>

#include "mlwright/base/elementary.hpp"
#include "mlwright/runtime/random_fill.hpp"
#include "mlwright/sampler/horseshoe.hpp"

namespace mlwright::sampler {
namespace {

using runtime::Rng;

constexpr double kHalf = 0.5;
constexpr double kRatio = 4;     // of the ends of pieces: chords are then met in seven cases of ten
constexpr double kShort = 1e-4;  // exponents below which 1 - exp(-x) is summed as a series

double minus_expm1_of_minus(double x) { return x < kShort ? x * (1 - x * (kHalf - x / 6)) : 1 - exp(-x); }

// The density, times exp(-e): near s = 0 in u = sqrt(s), beyond in s, and above one half in r = 1 - s.
class Density {
 public:
  Density(double q, double e) : q_(q), e_(e) {
    add_near_zero();
    for (double low = near_; low < kHalf; low *= kRatio) add_chord(low, std::fmin(low * kRatio, kHalf), false);
    for (double low = 0; low < kHalf;) {
      const double high = q_ > 1 ? std::fmin((kRatio * (1 + (q_ - 1) * low) - 1) / (q_ - 1), kHalf) : kHalf;
      add_chord(low, high, true);
      low = high;
    }
  }

  Share draw(Rng& rng) const {
    for (;;) {
      double place = rng.uniform() * total_;
      if (place < flat_) {
        const double u = rng.uniform_open() * flat_end_;
        if (rng.uniform() < flat_bottom_ / denominator(u * u) * near_chance(u * u)) return from_kept(u * u);
        continue;
      }
      if ((place -= flat_) < steep_) {
        const double low = 1 / std::sqrt(near_), high = 1 / flat_end_;
        const double u = 1 / (low + rng.uniform_open() * (high - low));
        if (rng.uniform() < (1 - q_) * u * u / denominator(u * u) * near_chance(u * u)) return from_kept(u * u);
        continue;
      }
      place -= steep_;
      std::size_t i = 0;
      while (i + 1 < count_ && place >= pieces_[i].mass) place -= pieces_[i++].mass;
      const Piece& piece = pieces_[i];
      const double part = part_of(piece, rng.uniform_open());
      const double x = piece.low + part * (piece.high - piece.low);
      if (rng.uniform() < exp(bend(x, piece.upper_half) - (piece.bend_low + part * (piece.bend_high - piece.bend_low))))
        return piece.upper_half ? Share{1 - x, x} : from_kept(x);
    }
  }

 private:
  struct Piece {
    double low, high, bend_low, bend_high, slope, mass;  // slope: of the whole chord, over the piece
    bool upper_half;
  };

  static Share from_kept(double s) { return {s, 1 - s}; }
  double denominator(double s) const { return q_ + (1 - q_) * s; }
  double near_chance(double s) const { return e_ == 0 ? 1 : exp(e_ * (s - near_)); }

  // The logarithm but for its linear part e s.
  double bend(double x, bool upper_half) const {
    const double rest = upper_half ? 1 + (q_ - 1) * x : denominator(x);
    return -kHalf * log((upper_half ? 1 - x : x) * rest * rest);
  }

  // ds / sqrt(s) = 2 du; 1 / (q + (1 - q) u^2) is below 1 / q and below 1 / ((1 - q) u^2).
  void add_near_zero() {
    near_ = e_ > 1 ? kHalf / e_ : kHalf;
    const double end = std::sqrt(near_), scale = 2 * exp(e_ * (near_ - 1));
    flat_end_ = q_ < kHalf ? std::fmin(std::sqrt(q_ / (1 - q_)), end) : end;
    flat_bottom_ = std::fmin(q_, denominator(flat_end_ * flat_end_));
    flat_ = scale * flat_end_ / flat_bottom_;
    steep_ = flat_end_ < end ? scale * (1 / flat_end_ - 1 / end) / (1 - q_) : 0;
    total_ = flat_ + steep_;
  }

  void add_chord(double low, double high, bool upper_half) {
    Piece piece{low, high, bend(low, upper_half), bend(high, upper_half), 0, 0, upper_half};
    const double length = high - low;
    piece.slope = piece.bend_high - piece.bend_low + (upper_half ? -e_ : e_) * length;
    const double at_low = piece.bend_low + e_ * (upper_half ? -low : low - 1), steep = std::fabs(piece.slope);
    const double top = exp(std::fmax(at_low, at_low + piece.slope));
    piece.mass = length * top * (steep > 0 ? minus_expm1_of_minus(steep) / steep : 1);
    total_ += piece.mass;
    pieces_[count_++] = piece;
  }

  // Of an exponential on (0, 1), by inversion from its higher end.
  static double part_of(const Piece& piece, double u) {
    const double steep = std::fabs(piece.slope);
    const double t = steep > 0 ? std::fmin(-log1p(-u * minus_expm1_of_minus(steep)) / steep, 1.0) : u;
    return piece.slope > 0 ? 1 - t : t;
  }

  double q_, e_, near_ = kHalf;
  double flat_ = 0, flat_end_ = 0, flat_bottom_ = 0, steep_ = 0, total_ = 0;
  std::size_t count_ = 0;
  std::array<Piece, 256> pieces_;  // log_4 of the ranges of q and e: no more
};

}  // namespace

Share draw_share(Rng& rng, double q, double e) { return Density(q, e).draw(rng); }

void fill_shrunk(std::uint64_t seed, std::uint64_t stream, std::span<const double> q, std::span<const double> e,
                 std::span<double> out, runtime::CancelToken& token) {
  runtime::parallel_for(static_cast<index_t>(out.size()), runtime::kFillChunk, token, [&](index_t chunk, index_t begin, index_t end) {
    Rng rng(seed, stream, static_cast<std::uint64_t>(chunk));
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) out[i] = draw_share(rng, q[i], e[i]).shrunk;
  });
}

}  // namespace mlwright::sampler
