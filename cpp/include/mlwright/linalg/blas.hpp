// The one door to BLAS and LAPACK: a table of routines that somebody hands over (the Python package: SciPy's, so that no
// second BLAS lives in the process), and typed calls through it for double and float.
//
// Storage is Fortran's: column-major, leading dimension = elements from one column to the next. A C-ordered symmetric matrix
// is its own transpose: ask for the other triangle. Sizes are index_t; where the library counts in 32 bits a larger size is an
// InvalidArgument. LAPACK's `info` is returned where the caller must look at it: 0 is success, i > 0 is the routine's own
// failure; an argument LAPACK rejects (i < 0) is a bug here and throws.
//
// Thread-safety: calls are as safe as the library's; install_blas() once, before the first call. Call outside parallel
// regions: the library has threads of its own, and its bits may depend on their number.
#pragma once

#include "mlwright/base/view.hpp"

namespace mlwright::linalg {

enum class Routine : int { gemm, gemv, syrk, trsm, potrf, potrs, potri, pocon, syevd, gesdd, gelsd, geqrf, orgqr };
inline constexpr int kRoutines = 13;
const char* routine_name(Routine routine) noexcept;  // "gemm", without the precision's letter

struct BlasTable {
  bool wide_integers = false;          // the library counts in 64 bits (ILP64)
  void* double_routines[kRoutines]{};  // dgemm ..., Fortran calling convention, no hidden string lengths
  void* float_routines[kRoutines]{};   // sgemm ...
};
void install_blas(const BlasTable& table);  // throws InvalidArgument where a routine is missing
bool has_blas() noexcept;
bool blas_has_wide_integers() noexcept;

// In what follows T is double or float; `trans` is 'N' or 'T', `uplo` 'L' or 'U', `side` 'L' or 'R', `diag` 'N' or 'U'.

// C = alpha op(A) op(B) + beta C, C m x n, inner dimension k.
template <class T>
void gemm(char trans_a, char trans_b, index_t m, index_t n, index_t k, T alpha, const T* a, index_t lda, const T* b,
          index_t ldb, T beta, T* c, index_t ldc);
// y = alpha op(A) x + beta y, A m x n.
template <class T>
void gemv(char trans, index_t m, index_t n, T alpha, const T* a, index_t lda, const T* x, index_t incx, T beta, T* y,
          index_t incy);
// The triangle `uplo` of C = alpha A A^T + beta C ('N', A n x k) or alpha A^T A + beta C ('T', A k x n).
template <class T>
void syrk(char uplo, char trans, index_t n, index_t k, T alpha, const T* a, index_t lda, T beta, T* c, index_t ldc);
// B = alpha op(A)^-1 B ('L') or alpha B op(A)^-1 ('R'), A triangular, B m x n.
template <class T>
void trsm(char side, char uplo, char trans, char diag, index_t m, index_t n, T alpha, const T* a, index_t lda, T* b,
          index_t ldb);

// Cholesky factor of the triangle `uplo`, in place. i > 0: the leading minor of order i is not positive definite.
template <class T>
index_t potrf(char uplo, index_t n, T* a, index_t lda);
// B = A^-1 B from the factor.
template <class T>
void potrs(char uplo, index_t n, index_t n_rhs, const T* factor, index_t lda, T* b, index_t ldb);
// The triangle `uplo` of A^-1 from the factor, in place. i > 0: a zero on its diagonal.
template <class T>
index_t potri(char uplo, index_t n, T* factor, index_t lda);
// Reciprocal condition number in the 1-norm, estimated from the factor; `norm` is the 1-norm of A.
template <class T>
T pocon(char uplo, index_t n, const T* factor, index_t lda, T norm);

// Eigenvalues, ascending, of the triangle `uplo`; with vectors they replace A, one a column. i > 0: no convergence.
template <class T>
index_t syevd(bool vectors, char uplo, index_t n, T* a, index_t lda, T* eigenvalues);
// Singular value decomposition A = U diag(s) V^T, A m x n destroyed. job 'S': thin U (m x r) and V^T (r x n), r = min(m, n);
// 'N': values only, u and vt unused. i > 0: no convergence.
template <class T>
index_t gesdd(char job, index_t m, index_t n, T* a, index_t lda, T* s, T* u, index_t ldu, T* vt, index_t ldvt);
// Minimum-norm least squares through the singular values, those below rcond * s[0] taken as zero (rcond < 0: the precision).
// A m x n is destroyed; B max(m, n) x n_rhs holds the right-hand sides, then the solutions. i > 0: no convergence.
template <class T>
index_t gelsd(index_t m, index_t n, index_t n_rhs, T* a, index_t lda, T* b, index_t ldb, T* s, T rcond, index_t& rank);
// Householder QR of A m x n in place: R above, reflectors below the diagonal, tau[min(m, n)].
template <class T>
void geqrf(index_t m, index_t n, T* a, index_t lda, T* tau);
// The first n columns of Q (m x n, k reflectors) from geqrf's result, in place.
template <class T>
void orgqr(index_t m, index_t n, index_t k, T* a, index_t lda, const T* tau);

}  // namespace mlwright::linalg
