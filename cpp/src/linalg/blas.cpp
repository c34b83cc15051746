#include "mlwright/linalg/blas.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "mlwright/base/error.hpp"

namespace mlwright::linalg {
namespace {

constexpr const char* kNames[kRoutines] = {"gemm",  "gemv",  "syrk",  "trsm",  "potrf", "potrs", "potri",
                                           "pocon", "syevd", "gesdd", "gelsd", "geqrf", "orgqr"};
BlasTable table;
bool installed = false;

template <class T>
void* address(Routine routine) {
  if (!installed)
    throw InvalidArgument(
        "BLAS: no library was handed over; expected install_blas() before the first call; from Python call "
        "mlwright._native.require_blas()");
  const int i = static_cast<int>(routine);
  return std::is_same_v<T, double> ? table.double_routines[i] : table.float_routines[i];
}

// Integer arrays that only LAPACK reads and writes, in whatever width it counts.
class IntegerWork {
 public:
  explicit IntegerWork(index_t n) : words_(static_cast<std::size_t>(std::max<index_t>(n, 1))) {}
  void* data() { return words_.data(); }
  index_t first() const {
    return table.wide_integers ? words_[0] : *reinterpret_cast<const std::int32_t*>(words_.data());
  }

 private:
  std::vector<std::int64_t> words_;
};

struct Out {  // an integer result
  index_t value = 0;
};

// How an argument is kept so that its address can be passed to a library whose integers are Int.
template <class Int, class T>
struct Kept {
  T value;
  explicit Kept(const T& v) : value(v) {}
  T* pass() { return &value; }
  void give_back() {}
};
template <class Int, class T>
struct Kept<Int, T*> {
  T* pointer;
  explicit Kept(T* p) : pointer(p) {}
  std::remove_const_t<T>* pass() { return const_cast<std::remove_const_t<T>*>(pointer); }
  void give_back() {}
};
template <class Int>
struct Kept<Int, index_t> {
  Int value;
  explicit Kept(index_t v) : value(static_cast<Int>(v)) {
    if (v > std::numeric_limits<Int>::max())
      throw InvalidArgument("BLAS size: got " + std::to_string(v) + ", but this BLAS counts in 32 bits; expected at most " +
                            std::to_string(std::numeric_limits<Int>::max()) +
                            "; split the problem, or use a SciPy built with 64-bit BLAS integers");
  }
  Int* pass() { return &value; }
  void give_back() {}
};
template <class Int>
struct Kept<Int, Out*> {
  Out* out;
  Int value = 0;
  explicit Kept(Out* o) : out(o) {}
  Int* pass() { return &value; }
  void give_back() { out->value = value; }
};

template <class Int, class... A>
void call_with(void* routine, Kept<Int, A>... kept) {
  reinterpret_cast<void (*)(decltype(kept.pass())...)>(routine)(kept.pass()...);
  (kept.give_back(), ...);
}

template <class T, class... A>
void call(Routine routine, A... arguments) {
  void* f = address<T>(routine);
  if (table.wide_integers)
    call_with<std::int64_t, A...>(f, Kept<std::int64_t, A>(arguments)...);
  else
    call_with<std::int32_t, A...>(f, Kept<std::int32_t, A>(arguments)...);
}

// A LAPACK routine: its last argument is info.
template <class T, class... A>
index_t lapack(Routine routine, A... arguments) {
  Out info;
  call<T>(routine, arguments..., &info);
  if (info.value < 0)
    throw InvalidArgument(std::string("LAPACK ") + kNames[static_cast<int>(routine)] + ": rejects its argument " +
                          std::to_string(-info.value) + "; expected finite sizes and leading dimensions of at least the rows");
  return info.value;
}

// LAPACK reports the size of the workspace it wants as a floating-point number; single precision may round it down.
template <class T>
index_t work_size(T reported) {
  const double slack = std::is_same_v<T, float> ? 1.0 + 1e-6 : 1.0;
  return std::max<index_t>(1, static_cast<index_t>(static_cast<double>(reported) * slack) + 1);
}

template <class T>
std::vector<T> work_array(index_t n) {
  return std::vector<T>(static_cast<std::size_t>(n));
}

}  // namespace

const char* routine_name(Routine routine) noexcept { return kNames[static_cast<int>(routine)]; }

void install_blas(const BlasTable& given) {
  for (int i = 0; i < kRoutines; ++i)
    if (given.double_routines[i] == nullptr || given.float_routines[i] == nullptr)
      throw InvalidArgument(std::string("BLAS table: has no ") + kNames[i] + "; expected every routine of linalg::Routine for double and float");
  table = given;
  installed = true;
}
bool has_blas() noexcept { return installed; }
bool blas_has_wide_integers() noexcept { return table.wide_integers; }

template <class T>
void gemm(char trans_a, char trans_b, index_t m, index_t n, index_t k, T alpha, const T* a, index_t lda, const T* b,
          index_t ldb, T beta, T* c, index_t ldc) {
  call<T>(Routine::gemm, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

template <class T>
void gemv(char trans, index_t m, index_t n, T alpha, const T* a, index_t lda, const T* x, index_t incx, T beta, T* y,
          index_t incy) {
  const bool transposed = trans != 'N';
  if ((transposed ? m : n) == 0) {  // BLAS would return at once, y as it was: not what an empty sum is
    const index_t length = transposed ? n : m;
    for (index_t i = 0; i < length; ++i) y[i * incy] = beta == T(0) ? T(0) : beta * y[i * incy];
    return;
  }
  call<T>(Routine::gemv, trans, m, n, alpha, a, lda, x, incx, beta, y, incy);
}

template <class T>
void syrk(char uplo, char trans, index_t n, index_t k, T alpha, const T* a, index_t lda, T beta, T* c, index_t ldc) {
  call<T>(Routine::syrk, uplo, trans, n, k, alpha, a, lda, beta, c, ldc);
}

template <class T>
void trsm(char side, char uplo, char trans, char diag, index_t m, index_t n, T alpha, const T* a, index_t lda, T* b,
          index_t ldb) {
  call<T>(Routine::trsm, side, uplo, trans, diag, m, n, alpha, a, lda, b, ldb);
}

template <class T>
index_t potrf(char uplo, index_t n, T* a, index_t lda) {
  return lapack<T>(Routine::potrf, uplo, n, a, lda);
}

template <class T>
void potrs(char uplo, index_t n, index_t n_rhs, const T* factor, index_t lda, T* b, index_t ldb) {
  lapack<T>(Routine::potrs, uplo, n, n_rhs, factor, lda, b, ldb);
}

template <class T>
index_t potri(char uplo, index_t n, T* factor, index_t lda) {
  return lapack<T>(Routine::potri, uplo, n, factor, lda);
}

template <class T>
T pocon(char uplo, index_t n, const T* factor, index_t lda, T norm) {
  std::vector<T> work = work_array<T>(3 * std::max<index_t>(n, 1));
  IntegerWork integers(n);
  T rcond = 0;
  lapack<T>(Routine::pocon, uplo, n, factor, lda, norm, &rcond, work.data(), integers.data());
  return rcond;
}

template <class T>
index_t syevd(bool vectors, char uplo, index_t n, T* a, index_t lda, T* eigenvalues) {
  const char job = vectors ? 'V' : 'N';
  T wanted = 0;
  IntegerWork wanted_integers(1);
  const index_t ask = -1;
  lapack<T>(Routine::syevd, job, uplo, n, a, lda, eigenvalues, &wanted, ask, wanted_integers.data(), ask);
  std::vector<T> work = work_array<T>(work_size(wanted));
  const index_t n_integers = std::max<index_t>(wanted_integers.first(), 1);
  IntegerWork integers(n_integers);
  return lapack<T>(Routine::syevd, job, uplo, n, a, lda, eigenvalues, work.data(), static_cast<index_t>(work.size()),
                   integers.data(), n_integers);
}

template <class T>
index_t gesdd(char job, index_t m, index_t n, T* a, index_t lda, T* s, T* u, index_t ldu, T* vt, index_t ldvt) {
  IntegerWork integers(8 * std::min(m, n));
  T wanted = 0;
  const index_t ask = -1;
  lapack<T>(Routine::gesdd, job, m, n, a, lda, s, u, ldu, vt, ldvt, &wanted, ask, integers.data());
  std::vector<T> work = work_array<T>(work_size(wanted));
  return lapack<T>(Routine::gesdd, job, m, n, a, lda, s, u, ldu, vt, ldvt, work.data(), static_cast<index_t>(work.size()),
                   integers.data());
}

template <class T>
index_t gelsd(index_t m, index_t n, index_t n_rhs, T* a, index_t lda, T* b, index_t ldb, T* s, T rcond, index_t& rank) {
  T wanted = 0;
  IntegerWork wanted_integers(1);
  Out found;
  const index_t ask = -1;
  lapack<T>(Routine::gelsd, m, n, n_rhs, a, lda, b, ldb, s, rcond, &found, &wanted, ask, wanted_integers.data());
  std::vector<T> work = work_array<T>(work_size(wanted));
  IntegerWork integers(wanted_integers.first());
  const index_t info = lapack<T>(Routine::gelsd, m, n, n_rhs, a, lda, b, ldb, s, rcond, &found, work.data(),
                                 static_cast<index_t>(work.size()), integers.data());
  rank = found.value;
  return info;
}

template <class T>
void geqrf(index_t m, index_t n, T* a, index_t lda, T* tau) {
  T wanted = 0;
  const index_t ask = -1;
  lapack<T>(Routine::geqrf, m, n, a, lda, tau, &wanted, ask);
  std::vector<T> work = work_array<T>(work_size(wanted));
  lapack<T>(Routine::geqrf, m, n, a, lda, tau, work.data(), static_cast<index_t>(work.size()));
}

template <class T>
void orgqr(index_t m, index_t n, index_t k, T* a, index_t lda, const T* tau) {
  T wanted = 0;
  const index_t ask = -1;
  lapack<T>(Routine::orgqr, m, n, k, a, lda, tau, &wanted, ask);
  std::vector<T> work = work_array<T>(work_size(wanted));
  lapack<T>(Routine::orgqr, m, n, k, a, lda, tau, work.data(), static_cast<index_t>(work.size()));
}

#define MLWRIGHT_INSTANTIATE(T)                                                                                              \
  template void gemm<T>(char, char, index_t, index_t, index_t, T, const T*, index_t, const T*, index_t, T, T*, index_t);      \
  template void gemv<T>(char, index_t, index_t, T, const T*, index_t, const T*, index_t, T, T*, index_t);                     \
  template void syrk<T>(char, char, index_t, index_t, T, const T*, index_t, T, T*, index_t);                                  \
  template void trsm<T>(char, char, char, char, index_t, index_t, T, const T*, index_t, T*, index_t);                         \
  template index_t potrf<T>(char, index_t, T*, index_t);                                                                      \
  template void potrs<T>(char, index_t, index_t, const T*, index_t, T*, index_t);                                             \
  template index_t potri<T>(char, index_t, T*, index_t);                                                                      \
  template T pocon<T>(char, index_t, const T*, index_t, T);                                                                   \
  template index_t syevd<T>(bool, char, index_t, T*, index_t, T*);                                                            \
  template index_t gesdd<T>(char, index_t, index_t, T*, index_t, T*, T*, index_t, T*, index_t);                               \
  template index_t gelsd<T>(index_t, index_t, index_t, T*, index_t, T*, index_t, T*, T, index_t&);                            \
  template void geqrf<T>(index_t, index_t, T*, index_t, T*);                                                                  \
  template void orgqr<T>(index_t, index_t, index_t, T*, index_t, const T*);
MLWRIGHT_INSTANTIATE(double)
MLWRIGHT_INSTANTIATE(float)
#undef MLWRIGHT_INSTANTIATE

}  // namespace mlwright::linalg
