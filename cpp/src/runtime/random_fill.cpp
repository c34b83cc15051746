#include "mlwright/runtime/random_fill.hpp"

#include <sstream>

#include "mlwright/base/error.hpp"

namespace mlwright::runtime {
namespace {

[[noreturn]] void refuse(const char* subject, double got, const char* expected) {
  std::ostringstream message;
  message << subject << ": got " << got << ", expected " << expected;
  throw InvalidArgument(message.str());
}

// NaN fails every comparison, so it is refused too; a rejection loop would never accept it.
void require_positive(const char* subject, double got) {
  if (!(got > 0 && got <= 1e300)) refuse(subject, got, "a number above 0 and at most 1e300");
}

}  // namespace

void fill_uniform(Source source, std::span<double> out, CancelToken& token) {
  random_fill(source, out, token, [](Rng& rng) { return rng.uniform(); });
}

void fill_integers(Source source, std::span<index_t> out, CancelToken& token, index_t bound) {
  if (bound < 1) refuse("random integers: bound", static_cast<double>(bound), "at least 1");
  const auto n = static_cast<std::uint64_t>(bound);
  random_fill(source, out, token, [n](Rng& rng) { return static_cast<index_t>(rng.below(n)); });
}

void fill_normal(Source source, std::span<double> out, CancelToken& token) {
  random_fill(source, out, token, [](Rng& rng) { return rng.normal(); });
}

void fill_exponential(Source source, std::span<double> out, CancelToken& token) {
  random_fill(source, out, token, [](Rng& rng) { return rng.exponential(); });
}

void fill_gamma(Source source, std::span<double> out, CancelToken& token, double shape) {
  require_positive("gamma variates: shape", shape);
  random_fill(source, out, token, [shape](Rng& rng) { return rng.gamma(shape); });
}

void fill_beta(Source source, std::span<double> out, CancelToken& token, double a, double b) {
  require_positive("beta variates: a", a);
  require_positive("beta variates: b", b);
  random_fill(source, out, token, [a, b](Rng& rng) { return rng.beta(a, b); });
}

void fill_chi_square(Source source, std::span<double> out, CancelToken& token, double df) {
  require_positive("chi-square variates: df", df);
  random_fill(source, out, token, [df](Rng& rng) { return rng.chi_square(df); });
}

void fill_student_t(Source source, std::span<double> out, CancelToken& token, double df) {
  require_positive("Student t variates: df", df);
  random_fill(source, out, token, [df](Rng& rng) { return rng.student_t(df); });
}

void fill_poisson(Source source, std::span<index_t> out, CancelToken& token, double mean) {
  if (!(mean >= 0 && mean <= Rng::kMaxPoissonMean)) refuse("Poisson variates: mean", mean, "a number from 0 to 1e15");
  random_fill(source, out, token, [mean](Rng& rng) { return rng.poisson(mean); });
}

}  // namespace mlwright::runtime
