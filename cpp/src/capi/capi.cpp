#include "mlwright/capi.h"

#include <algorithm>
#include <exception>
#include <new>
#include <span>
#include <vector>

#include "capi/capi.hpp"
#include "mlwright/base/elementary.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/linalg/design.hpp"
#include "mlwright/linalg/gram.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/random_fill.hpp"
#include "simd/level.hpp"
#include "simd/math.hpp"
#include "simd/reduce.hpp"

namespace mlwright::capi {
namespace {

static_assert(sizeof(index_t) == sizeof(std::int64_t));

// Kept in a buffer of its own: reporting that memory ran out must not allocate.
thread_local char message[512];

std::int32_t failed(mlwright_status status, const char* what) noexcept {
  std::size_t i = 0;
  for (; i + 1 < sizeof message && what[i] != '\0'; ++i) message[i] = what[i];
  message[i] = '\0';
  return status;
}

struct BodyFailed {};

// Runs work() and turns what it throws into a status: no C++ exception crosses the interface.
template <class Work>
std::int32_t guarded(Work&& work) noexcept {
  try {
    work();
    return MLWRIGHT_OK;
  } catch (const BodyFailed&) {
    return failed(MLWRIGHT_BODY_FAILED, "parallel_for: a body returned non-zero");
  } catch (const Cancelled& e) {
    return failed(MLWRIGHT_CANCELLED, e.what());
  } catch (const InvalidArgument& e) {
    return failed(MLWRIGHT_INVALID_ARGUMENT, e.what());
  } catch (const NumericalError& e) {
    return failed(MLWRIGHT_NUMERICAL_ERROR, e.what());
  } catch (const std::bad_alloc&) {
    return failed(MLWRIGHT_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return failed(MLWRIGHT_ERROR, e.what());
  } catch (...) {
    return failed(MLWRIGHT_ERROR, "unknown error");
  }
}

class CallbackToken final : public runtime::CancelToken {
 public:
  CallbackToken(mlwright_should_stop ask, void* context) : ask_(ask), context_(context) {}

 private:
  bool wants_to_stop() noexcept override { return ask_ != nullptr && ask_(context_) != 0; }
  mlwright_should_stop ask_;
  void* context_;
};

void require(bool holds, const char* message_if_not) {
  if (!holds) throw InvalidArgument(message_if_not);
}

const char* last_error() { return message; }
const char* simd_level() { return simd::level_name(simd::active_level()); }
std::int32_t max_threads() { return runtime::max_threads(); }
void set_num_threads(std::int32_t n) { runtime::set_num_threads(std::max(n, 0)); }  // it throws below 0; C has no place for that
std::int32_t set_thread_limit(std::int32_t n) { return runtime::set_thread_limit(n); }

std::int32_t parallel_for(std::int64_t n, std::int64_t grain, mlwright_body body, void* context, mlwright_should_stop should_stop,
                          void* stop_context) {
  return guarded([&] {
    require(grain >= 1, "parallel_for: got a grain below 1; expected the number of iterations worth a chunk");
    require(body != nullptr, "parallel_for: got no body; expected a function");
    CallbackToken token(should_stop, stop_context);
    runtime::parallel_for(n, grain, token, [&](index_t chunk, index_t begin, index_t end) {
      if (body(context, chunk, begin, end) != 0) throw BodyFailed{};
    });
  });
}

template <simd::MapFunction simd::MathTable::*Function>
void map(const double* x, double* out, std::int64_t n) {
  (simd::math().*Function)(x, out, n);
}

double sum(const double* x, std::int64_t n) { return simd::reduce().sum(x, n); }
double dot(const double* x, const double* y, std::int64_t n) { return simd::reduce().dot(x, y, n); }

// Calls fill(source, span, token, parameters...) of random_fill.hpp.
template <class T, class Fill, class... Parameters>
std::int32_t random(Fill fill, std::uint64_t seed, std::uint64_t stream, T* out, std::int64_t n, Parameters... parameters) {
  return guarded([&] {
    require(n >= 0, "random variates: got a negative count; expected n >= 0");
    runtime::CancelToken token;
    fill(runtime::Source{seed, stream}, std::span<T>(out, static_cast<std::size_t>(n)), token, parameters...);
  });
}
std::int32_t fill_uniform(std::uint64_t seed, std::uint64_t stream, double* out, std::int64_t n) {
  return random(&runtime::fill_uniform, seed, stream, out, n);
}
std::int32_t fill_normal(std::uint64_t seed, std::uint64_t stream, double* out, std::int64_t n) {
  return random(&runtime::fill_normal, seed, stream, out, n);
}
std::int32_t fill_exponential(std::uint64_t seed, std::uint64_t stream, double* out, std::int64_t n) {
  return random(&runtime::fill_exponential, seed, stream, out, n);
}
std::int32_t fill_gamma(std::uint64_t seed, std::uint64_t stream, double* out, std::int64_t n, double shape) {
  return random(&runtime::fill_gamma, seed, stream, out, n, shape);
}
std::int32_t fill_integers(std::uint64_t seed, std::uint64_t stream, std::int64_t* out, std::int64_t n, std::int64_t bound) {
  return random(&runtime::fill_integers, seed, stream, out, n, bound);
}

std::int32_t weighted_gram(const double* x, std::int64_t rows, std::int64_t cols, std::int64_t row_stride, std::int64_t col_stride,
                           const double* w, double* out) {
  return guarded([&] {
    require(rows >= 0 && cols >= 0, "weighted_gram: got a negative size; expected rows >= 0 and cols >= 0");
    const std::vector<double> shift(static_cast<std::size_t>(cols), 0.0), scale(static_cast<std::size_t>(cols), 1.0);
    const linalg::DenseDesign<double> design(MatrixView<const double>{x, rows, cols, row_stride, col_stride});
    const linalg::Augmented z{design, MatrixView<const double>{nullptr, rows, 0, 0, 0}, false, {shift.data(), scale.data(), nullptr}};
    runtime::CancelToken token;
    const std::vector<double> gram = linalg::weighted_gram(z, w, token);
    for (index_t i = 0; i < cols; ++i) std::copy_n(gram.data() + i * z.padded(), cols, out + i * cols);
  });
}

double exp_scalar(double x) { return exp(x); }
double log_scalar(double x) { return log(x); }
double log1p_scalar(double x) { return log1p(x); }
double expit_scalar(double x) { return expit(x); }
double softplus_scalar(double x) { return softplus(x); }

const mlwright_api kApi = {
    .version = MLWRIGHT_CAPI_VERSION,
    .struct_size = sizeof(mlwright_api),
    .last_error = last_error,
    .simd_level = simd_level,
    .max_threads = max_threads,
    .set_num_threads = set_num_threads,
    .set_thread_limit = set_thread_limit,
    .parallel_for = parallel_for,
    .exp = map<&simd::MathTable::exp>,
    .log = map<&simd::MathTable::log>,
    .log1p = map<&simd::MathTable::log1p>,
    .expit = map<&simd::MathTable::expit>,
    .softplus = map<&simd::MathTable::softplus>,
    .exp_scalar = exp_scalar,
    .log_scalar = log_scalar,
    .log1p_scalar = log1p_scalar,
    .expit_scalar = expit_scalar,
    .softplus_scalar = softplus_scalar,
    .sum = sum,
    .dot = dot,
    .fill_uniform = fill_uniform,
    .fill_normal = fill_normal,
    .fill_exponential = fill_exponential,
    .fill_gamma = fill_gamma,
    .fill_integers = fill_integers,
    .weighted_gram = weighted_gram,
};

}  // namespace

const mlwright_api& table() noexcept { return kApi; }

}  // namespace mlwright::capi
