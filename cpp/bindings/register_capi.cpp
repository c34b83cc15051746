// The embedding interface as Python sees it: the capsule for C, C++ and Cython; address and signature of each function for
// Numba and ctypes, the signature read off the function's type so that it cannot drift.
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>

#include "capi/capi.hpp"
#include "simd/level.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;

template <class T>
struct Code;  // the letters of mlwright.capi
template <>
struct Code<void> { static constexpr char kLetter = 'v'; };
template <>
struct Code<double> { static constexpr char kLetter = 'd'; };
template <>
struct Code<std::int32_t> { static constexpr char kLetter = 'i'; };
template <>
struct Code<std::int64_t> { static constexpr char kLetter = 'l'; };
template <>
struct Code<std::uint64_t> { static constexpr char kLetter = 'L'; };
template <>
struct Code<const char*> { static constexpr char kLetter = 's'; };
template <class T>
struct Code<T*> { static constexpr char kLetter = 'p'; };

template <class Result, class... Arguments>
py::tuple entry(Result (*function)(Arguments...)) {
  return py::make_tuple(reinterpret_cast<std::uintptr_t>(function),
                        std::string{Code<Result>::kLetter, Code<Arguments>::kLetter...});
}

py::dict functions() {
  const mlwright_api& api = capi::table();
  py::dict entries;
#define MLWRIGHT_ENTRY(name) entries[#name] = entry(api.name)
  MLWRIGHT_ENTRY(last_error);
  MLWRIGHT_ENTRY(simd_level);
  MLWRIGHT_ENTRY(max_threads);
  MLWRIGHT_ENTRY(set_num_threads);
  MLWRIGHT_ENTRY(set_thread_limit);
  MLWRIGHT_ENTRY(parallel_for);
  MLWRIGHT_ENTRY(exp);
  MLWRIGHT_ENTRY(log);
  MLWRIGHT_ENTRY(log1p);
  MLWRIGHT_ENTRY(expit);
  MLWRIGHT_ENTRY(softplus);
  MLWRIGHT_ENTRY(exp_scalar);
  MLWRIGHT_ENTRY(log_scalar);
  MLWRIGHT_ENTRY(log1p_scalar);
  MLWRIGHT_ENTRY(expit_scalar);
  MLWRIGHT_ENTRY(softplus_scalar);
  MLWRIGHT_ENTRY(sum);
  MLWRIGHT_ENTRY(dot);
  MLWRIGHT_ENTRY(fill_uniform);
  MLWRIGHT_ENTRY(fill_normal);
  MLWRIGHT_ENTRY(fill_exponential);
  MLWRIGHT_ENTRY(fill_gamma);
  MLWRIGHT_ENTRY(fill_integers);
  MLWRIGHT_ENTRY(weighted_gram);
#undef MLWRIGHT_ENTRY
  return entries;
}

}  // namespace

void register_capi(py::module_& m) {
  simd::active_level();  // a wrong MLWRIGHT_SIMD fails the import: most functions of the table could not report it
  m.attr("_C_API") = py::capsule(static_cast<const void*>(&capi::table()), MLWRIGHT_CAPI_CAPSULE);
  py::module_ capi = m.def_submodule("capi");
  capi.attr("version") = MLWRIGHT_CAPI_VERSION;
  capi.def("functions", &functions);
}

}  // namespace mlwright::bindings
