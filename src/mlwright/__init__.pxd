# The embedding interface for Cython: `from mlwright cimport import_api, mlwright_api`. An extern struct and an inline import,
# nothing else: extension types would tie consumers to this very build.
#
#     cdef const mlwright_api* api = import_api()      # once, with the GIL
#     api.exp(&x[0], &out[0], n)                       # then from anywhere, with or without it
#
# Compile with mlwright.get_include() among the include directories.
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef extern from "mlwright/capi.h" nogil:
    int MLWRIGHT_CAPI_VERSION
    const char* MLWRIGHT_CAPI_CAPSULE
    int MLWRIGHT_OK, MLWRIGHT_INVALID_ARGUMENT, MLWRIGHT_NUMERICAL_ERROR, MLWRIGHT_CANCELLED
    int MLWRIGHT_OUT_OF_MEMORY, MLWRIGHT_BODY_FAILED, MLWRIGHT_ERROR

    ctypedef int (*mlwright_body)(void* context, int64_t chunk, int64_t begin, int64_t end) noexcept nogil
    ctypedef int (*mlwright_should_stop)(void* context) noexcept nogil

    ctypedef struct mlwright_api:
        uint32_t version
        uint32_t struct_size
        const char* (*last_error)() noexcept nogil
        const char* (*simd_level)() noexcept nogil
        int32_t (*max_threads)() noexcept nogil
        void (*set_num_threads)(int32_t n) noexcept nogil
        int32_t (*set_thread_limit)(int32_t n) noexcept nogil
        int32_t (*parallel_for)(int64_t n, int64_t grain, mlwright_body body, void* context,
                                mlwright_should_stop should_stop, void* stop_context) noexcept nogil
        void (*exp)(const double* x, double* out, int64_t n) noexcept nogil
        void (*log)(const double* x, double* out, int64_t n) noexcept nogil
        void (*log1p)(const double* x, double* out, int64_t n) noexcept nogil
        void (*expit)(const double* x, double* out, int64_t n) noexcept nogil
        void (*softplus)(const double* x, double* out, int64_t n) noexcept nogil
        double (*exp_scalar)(double x) noexcept nogil
        double (*log_scalar)(double x) noexcept nogil
        double (*log1p_scalar)(double x) noexcept nogil
        double (*expit_scalar)(double x) noexcept nogil
        double (*softplus_scalar)(double x) noexcept nogil
        double (*sum)(const double* x, int64_t n) noexcept nogil
        double (*dot)(const double* x, const double* y, int64_t n) noexcept nogil
        int32_t (*fill_uniform)(uint64_t seed, uint64_t stream, double* out, int64_t n) noexcept nogil
        int32_t (*fill_normal)(uint64_t seed, uint64_t stream, double* out, int64_t n) noexcept nogil
        int32_t (*fill_exponential)(uint64_t seed, uint64_t stream, double* out, int64_t n) noexcept nogil
        int32_t (*fill_gamma)(uint64_t seed, uint64_t stream, double* out, int64_t n, double shape) noexcept nogil
        int32_t (*fill_integers)(uint64_t seed, uint64_t stream, int64_t* out, int64_t n, int64_t bound) noexcept nogil
        int32_t (*weighted_gram)(const double* x, int64_t rows, int64_t cols, int64_t row_stride, int64_t col_stride,
                                 const double* w, double* out) noexcept nogil


cdef inline const mlwright_api* import_api() except NULL:
    """The table of the installed mlwright; ImportError where it is older than what this was compiled with."""
    from mlwright._core import _C_API
    cdef const mlwright_api* api = <const mlwright_api*>PyCapsule_GetPointer(_C_API, MLWRIGHT_CAPI_CAPSULE)
    if api.version != <uint32_t>MLWRIGHT_CAPI_VERSION or api.struct_size < sizeof(mlwright_api):
        raise ImportError(
            f"mlwright C interface: the installed one has version {api.version} and {api.struct_size} bytes, this module "
            f"was built for version {MLWRIGHT_CAPI_VERSION} and at least {sizeof(mlwright_api)} bytes; install an mlwright "
            "no older than the one it was built with, or rebuild it")
    return api
