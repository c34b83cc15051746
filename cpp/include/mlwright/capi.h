/* The embedding interface: one versioned table of C functions, for C, C++, Cython, Numba and ctypes.
 *
 * The table is the capsule `mlwright._core._C_API`. From C or C++ get it through mlwright/capi_import.h, from Cython by
 * `from mlwright cimport import_api`, from Numba and ctypes through the Python module mlwright.capi.
 *
 * Versions       `version` changes when something that existed changes. New functions are appended, and `struct_size` grows:
 *                a consumer works with every core of the same version that is at least as large as the header it was built with.
 * Thread-safety  every function may be called from any thread, with or without the GIL; none needs Python.
 * Status         functions that can fail return mlwright_status; last_error() then says why, on the same thread.
 * Bits           results do not depend on the number of threads or on the instruction set.
 */
#ifndef MLWRIGHT_CAPI_H
#define MLWRIGHT_CAPI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MLWRIGHT_CAPI_VERSION 1
#define MLWRIGHT_CAPI_CAPSULE "mlwright._core._C_API"

typedef enum mlwright_status {
  MLWRIGHT_OK = 0,
  MLWRIGHT_INVALID_ARGUMENT = 1,
  MLWRIGHT_NUMERICAL_ERROR = 2,
  MLWRIGHT_CANCELLED = 3,     /* should_stop() said yes */
  MLWRIGHT_OUT_OF_MEMORY = 4,
  MLWRIGHT_BODY_FAILED = 5,   /* a body of parallel_for returned non-zero */
  MLWRIGHT_ERROR = 6
} mlwright_status;

/* One chunk [begin, end) of a loop, the chunk-th; non-zero ends the loop. Called from several threads at once. */
typedef int (*mlwright_body)(void* context, int64_t chunk, int64_t begin, int64_t end);
/* Asked on the calling thread every 50 ms at most; non-zero ends the loop. */
typedef int (*mlwright_should_stop)(void* context);

typedef struct mlwright_api {
  uint32_t version;     /* MLWRIGHT_CAPI_VERSION of the core */
  uint32_t struct_size; /* sizeof(mlwright_api) in the core */

  const char* (*last_error)(void); /* message of this thread's last failure, valid until its next one; "" before any */
  const char* (*simd_level)(void); /* "v2", "v3", "v4" or "generic" */

  /* Threads. The limit is the calling thread's own; 0 is none. set_thread_limit returns the one before. A process-wide
   * number of 0 or below is what the environment says. */
  int32_t (*max_threads)(void);
  void (*set_num_threads)(int32_t n);
  int32_t (*set_thread_limit)(int32_t n);
  /* body(context, chunk, begin, end) over [0, n) in chunks of `grain`, whose edges do not depend on the number of threads:
   * write partial results to storage indexed by the chunk and combine them in that order. should_stop may be NULL. */
  int32_t (*parallel_for)(int64_t n, int64_t grain, mlwright_body body, void* context, mlwright_should_stop should_stop,
                          void* stop_context);

  /* Elementary functions of arrays, out[i] = f(x[i]); out may be x. Error bounds in ulp: exp 0.8, log 0.9, log1p 0.9,
   * expit 2.5, softplus 2; every double is in the domain. The *_scalar functions have the same bits. */
  void (*exp)(const double* x, double* out, int64_t n);
  void (*log)(const double* x, double* out, int64_t n);
  void (*log1p)(const double* x, double* out, int64_t n);
  void (*expit)(const double* x, double* out, int64_t n);    /* 1 / (1 + exp(-x)) */
  void (*softplus)(const double* x, double* out, int64_t n); /* log(1 + exp(x)) */
  double (*exp_scalar)(double x);
  double (*log_scalar)(double x);
  double (*log1p_scalar)(double x);
  double (*expit_scalar)(double x);
  double (*softplus_scalar)(double x);

  /* Sums whose order depends on n alone. */
  double (*sum)(const double* x, int64_t n);
  double (*dot)(const double* x, const double* y, int64_t n);

  /* Random variates, counter based: the numbers depend on seed, stream and n alone. Give each purpose a stream. */
  int32_t (*fill_uniform)(uint64_t seed, uint64_t stream, double* out, int64_t n); /* [0, 1) */
  int32_t (*fill_normal)(uint64_t seed, uint64_t stream, double* out, int64_t n);
  int32_t (*fill_exponential)(uint64_t seed, uint64_t stream, double* out, int64_t n);
  int32_t (*fill_gamma)(uint64_t seed, uint64_t stream, double* out, int64_t n, double shape); /* scale 1 */
  int32_t (*fill_integers)(uint64_t seed, uint64_t stream, int64_t* out, int64_t n, int64_t bound); /* 0 ... bound - 1 */

  /* out (cols x cols, row-major, both halves) = sum over rows r of w[r] x_r x_r'. The strides of x count elements; w may be
   * NULL, all ones. In parallel; one pass over x. */
  int32_t (*weighted_gram)(const double* x, int64_t rows, int64_t cols, int64_t row_stride, int64_t col_stride, const double* w,
                           double* out);
} mlwright_api;

#ifdef __cplusplus
}
#endif

#endif
