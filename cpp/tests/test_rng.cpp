#include <algorithm>
#include <limits>
#include <vector>

#include "check.hpp"
#include "mlwright/runtime/random_fill.hpp"

using namespace mlwright;
using namespace mlwright::runtime;

// The known answers published with Random123 (kat_vectors, philox4x32 10).
TEST(rng_philox_known_answers) {
  CHECK((philox4x32({0, 0, 0, 0}, {0, 0}) == PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  CHECK((philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
         PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  CHECK((philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
         PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(rng_the_bits_of_the_variates_stay_as_they_are) {
  // A change of any of these breaks the promise that a seed gives the same model in every release.
  Rng rng(42, stream_id(3, 7), 11);
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](double x) {
    std::uint64_t bits;
    static_assert(sizeof bits == sizeof x);
    __builtin_memcpy(&bits, &x, sizeof x);
    hash = (hash ^ bits) * 0x100000001b3;
  };
  for (int i = 0; i < 1000; ++i) {
    add(rng.uniform());
    add(rng.normal());
    add(rng.exponential());
    add(rng.gamma(0.3));
    add(rng.gamma(4.5));
    add(rng.beta(0.5, 2.0));
    add(rng.student_t(3));
    add(static_cast<double>(rng.poisson(4)));
    add(static_cast<double>(rng.poisson(400)));
    add(static_cast<double>(rng.below(1000)));
  }
  CHECK(hash == 0x6fae40f46bf95896);
}

TEST(rng_extremes_stay_in_their_domain) {
  Rng rng(1);
  for (int i = 0; i < 20000; ++i) {
    const double u = rng.uniform_open();
    CHECK(u > 0 && u < 1);
    CHECK(rng.below(1) == 0);
    const double b = rng.beta(1e-5, 1e-5);
    CHECK(b >= 0 && b <= 1);
    CHECK(rng.gamma(1e-300) >= 0);
    CHECK(rng.gamma(1e300) > 0);
    CHECK(rng.poisson(0) == 0);
    CHECK(rng.poisson(Rng::kMaxPoissonMean) > 0);
  }
}

TEST(rng_fill_refuses_parameters_that_would_never_be_accepted) {
  CancelToken token;
  std::vector<double> out(3);
  std::vector<index_t> counts(3);
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, inf, 0.0, -1.0}) {
    CHECK(CHECK_THROWS(InvalidArgument, fill_gamma({1, 0}, out, token, bad)).find("shape: got ") != std::string::npos);
    CHECK_THROWS(InvalidArgument, fill_beta({1, 0}, out, token, 1, bad));
    CHECK_THROWS(InvalidArgument, fill_student_t({1, 0}, out, token, bad));
  }
  for (const double bad : {nan, inf, -1.0, 1e16}) CHECK_THROWS(InvalidArgument, fill_poisson({1, 0}, counts, token, bad));
  CHECK_THROWS(InvalidArgument, fill_integers({1, 0}, counts, token, 0));
}

TEST(rng_fills_have_the_same_bits_for_any_thread_count) {
  CancelToken token;
  std::vector<double> want(20000), got(20000);
  {
    const ThreadLimit one(1);
    fill_gamma({5, 6}, want, token, 0.7);
  }
  for (const int threads : {2, 3, 8}) {
    const ThreadLimit limit(threads);
    fill_gamma({5, 6}, got, token, 0.7);
    CHECK(got == want);
  }
}

TEST(rng_few_and_many_are_one_shuffle) {
  for (const index_t n : {1, 2, 100, 1000}) {
    std::vector<index_t> whole(static_cast<std::size_t>(n)), few(static_cast<std::size_t>(n / 20));
    Rng a(9, 1), b(9, 1);
    permutation(a, whole);
    sample_without_replacement(b, n, few);
    CHECK(std::equal(few.begin(), few.end(), whole.begin()));
    std::sort(whole.begin(), whole.end());
    for (index_t i = 0; i < n; ++i) CHECK(whole[static_cast<std::size_t>(i)] == i);
  }
  Rng rng(1);
  std::vector<index_t> four(4);
  CHECK_THROWS(InvalidArgument, sample_without_replacement(rng, 3, four));
}
