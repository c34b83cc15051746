// The door to BLAS, and thin dense linear algebra over it: every routine of the table is reached from here, for both precisions.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/linalg/blas.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
template <class T>
using Fortran = py::array_t<T, py::array::f_style>;

void install(const std::vector<std::uintptr_t>& double_routines, const std::vector<std::uintptr_t>& float_routines, bool wide) {
  if (double_routines.size() != linalg::kRoutines || float_routines.size() != linalg::kRoutines)
    throw InvalidArgument("BLAS table: expected " + std::to_string(linalg::kRoutines) + " addresses for each precision");
  linalg::BlasTable table;
  table.wide_integers = wide;
  for (std::size_t i = 0; i < linalg::kRoutines; ++i) {
    table.double_routines[i] = reinterpret_cast<void*>(double_routines[i]);
    table.float_routines[i] = reinterpret_cast<void*>(float_routines[i]);
  }
  linalg::install_blas(table);
}

std::vector<std::string> routine_names() {
  std::vector<std::string> names;
  for (int i = 0; i < linalg::kRoutines; ++i) names.emplace_back(linalg::routine_name(static_cast<linalg::Routine>(i)));
  return names;
}

// A column-major matrix with LAPACK's leading dimension, which must be at least 1.
template <class T>
struct Columns {
  T* data;
  index_t rows, cols, stride;
  explicit Columns(Fortran<T>& a) : data(a.mutable_data()), rows(a.shape(0)), cols(a.shape(1)), stride(std::max<index_t>(rows, 1)) {}
};

void require_shape(bool fits, const char* function, const char* expected) {
  if (!fits) throw InvalidArgument(std::string(function) + ": got arrays whose shapes do not fit; expected " + expected);
}
template <class... Arrays>
bool all_matrices(const Arrays&... arrays) {
  return ((arrays.ndim() == 2) && ...);
}
void require_convergence(index_t info, const char* function) {
  if (info != 0) throw NumericalError(std::string(function) + ": LAPACK did not converge; look for NaN or infinity in the matrix");
}

template <class T>
void factor(const Columns<T>& a, const char* function) {
  if (const index_t minor = linalg::potrf('L', a.rows, a.data, a.stride); minor != 0)
    throw NumericalError(std::string(function) + ": the leading " + std::to_string(minor) + " x " + std::to_string(minor) +
                         " block of a is not positive definite; add a ridge to its diagonal");
}

template <class T>
void solve_spd(Fortran<T> a_array, Fortran<T> b_array) {
  require_shape(all_matrices(a_array, b_array) && a_array.shape(0) == a_array.shape(1) && a_array.shape(0) == b_array.shape(0),
                "solve_spd", "a (n, n) and b (n, k)");
  const Columns<T> a(a_array), b(b_array);
  without_gil([&](auto&) {
    factor(a, "solve_spd");
    linalg::potrs('L', a.rows, b.cols, a.data, a.stride, b.data, b.stride);
  });
}

// The lower triangle of a becomes that of its inverse; returns the reciprocal condition number.
template <class T>
T invert_spd(Fortran<T> a_array, T norm) {
  require_shape(all_matrices(a_array) && a_array.shape(0) == a_array.shape(1), "invert_spd", "a (n, n)");
  const Columns<T> a(a_array);
  return without_gil([&](auto&) {
    factor(a, "invert_spd");
    const T rcond = linalg::pocon('L', a.rows, a.data, a.stride, norm);
    if (linalg::potri('L', a.rows, a.data, a.stride) != 0) throw NumericalError("invert_spd: a is singular; add a ridge to its diagonal");
    return rcond;
  });
}

template <class T>
void eigh(Fortran<T> a_array, Vector<T> values) {
  require_shape(all_matrices(a_array) && a_array.shape(0) == a_array.shape(1) && values.size() == a_array.shape(0), "eigh",
                "a (n, n) and values (n,)");
  const Columns<T> a(a_array);
  T* to = values.mutable_data();
  without_gil([&](auto&) { require_convergence(linalg::syevd(true, 'L', a.rows, a.data, a.stride, to), "eigh"); });
}

template <class T>
void svd(Fortran<T> a_array, Fortran<T> u_array, Vector<T> s, Fortran<T> vt_array) {
  require_shape(all_matrices(a_array, u_array, vt_array), "svd", "matrices a, u and vt");
  const Columns<T> a(a_array), u(u_array), vt(vt_array);
  const index_t rank = std::min(a.rows, a.cols);
  require_shape(u.rows == a.rows && u.cols == rank && s.size() == rank && vt.rows == rank && vt.cols == a.cols, "svd",
                "a (m, n), u (m, r), s (r,) and vt (r, n), r = min(m, n)");
  T* to = s.mutable_data();
  without_gil([&](auto&) {
    require_convergence(linalg::gesdd('S', a.rows, a.cols, a.data, a.stride, to, u.data, u.stride, vt.data, vt.stride), "svd");
  });
}

template <class T>
index_t lstsq(Fortran<T> a_array, Fortran<T> b_array, Vector<T> s, T rcond) {
  require_shape(all_matrices(a_array, b_array), "lstsq", "matrices a and b");
  const Columns<T> a(a_array), b(b_array);
  require_shape(b.rows == std::max(a.rows, a.cols) && s.size() == std::min(a.rows, a.cols), "lstsq",
                "a (m, n), b (max(m, n), k) and s (min(m, n),)");
  T* to = s.mutable_data();
  return without_gil([&](auto&) {
    index_t rank = 0;
    require_convergence(linalg::gelsd(a.rows, a.cols, b.cols, a.data, a.stride, b.data, b.stride, to, rcond, rank), "lstsq");
    return rank;
  });
}

// a (m, n), m >= n, becomes Q; r its triangle, zero below.
template <class T>
void qr(Fortran<T> a_array, Fortran<T> r_array) {
  require_shape(all_matrices(a_array, r_array), "qr", "matrices a and r");
  const Columns<T> a(a_array), r(r_array);
  require_shape(a.rows >= a.cols && r.rows == a.cols && r.cols == a.cols, "qr", "a (m, n) with m >= n and r (n, n)");
  without_gil([&](auto&) {
    std::vector<T> tau(static_cast<std::size_t>(std::max<index_t>(a.cols, 1)));
    linalg::geqrf(a.rows, a.cols, a.data, a.stride, tau.data());
    for (index_t j = 0; j < a.cols; ++j)
      for (index_t i = 0; i < a.cols; ++i) r.data[j * r.stride + i] = i <= j ? a.data[j * a.stride + i] : T(0);
    linalg::orgqr(a.rows, a.cols, a.cols, a.data, a.stride, tau.data());
  });
}

template <class T>
void matmul(Fortran<T> a_array, Fortran<T> b_array, Fortran<T> out_array) {
  require_shape(all_matrices(a_array, b_array, out_array), "matmul", "matrices a, b and out");
  const Columns<T> a(a_array), b(b_array), out(out_array);
  require_shape(a.cols == b.rows && out.rows == a.rows && out.cols == b.cols, "matmul", "a (m, k), b (k, n) and out (m, n)");
  without_gil([&](auto&) {
    linalg::gemm('N', 'N', a.rows, b.cols, a.cols, T(1), a.data, a.stride, b.data, b.stride, T(0), out.data, out.stride);
  });
}

template <class T>
void matvec(Fortran<T> a_array, Vector<T> x, Vector<T> out) {
  require_shape(all_matrices(a_array) && a_array.shape(1) == x.size() && a_array.shape(0) == out.size(), "matvec",
                "a (m, n), x (n,) and out (m,)");
  const Columns<T> a(a_array);
  const T* from = x.data();
  T* to = out.mutable_data();
  without_gil([&](auto&) { linalg::gemv('N', a.rows, a.cols, T(1), a.data, a.stride, from, 1, T(0), to, 1); });
}

// The lower triangle of a^T a.
template <class T>
void gram(Fortran<T> a_array, Fortran<T> out_array) {
  require_shape(all_matrices(a_array, out_array) && out_array.shape(0) == a_array.shape(1) && out_array.shape(1) == a_array.shape(1),
                "gram", "a (m, n) and out (n, n)");
  const Columns<T> a(a_array), out(out_array);
  without_gil([&](auto&) { linalg::syrk('L', 'T', a.cols, a.rows, T(1), a.data, a.stride, T(0), out.data, out.stride); });
}

template <class T>
void solve_lower(Fortran<T> lower_array, Fortran<T> b_array) {
  require_shape(all_matrices(lower_array, b_array) && lower_array.shape(0) == lower_array.shape(1) && lower_array.shape(0) == b_array.shape(0),
                "solve_lower", "lower (n, n) and b (n, k)");
  const Columns<T> lower(lower_array), b(b_array);
  without_gil([&](auto&) {
    linalg::trsm('L', 'L', 'N', 'N', b.rows, b.cols, T(1), lower.data, lower.stride, b.data, b.stride);
  });
}

template <class T>
void register_precision(py::module_& m) {
  const auto a = py::arg("a").noconvert(), b = py::arg("b").noconvert(), s = py::arg("s").noconvert(), x = py::arg("x").noconvert(),
             out = py::arg("out").noconvert();
  m.def("solve_spd", &solve_spd<T>, a, b);
  m.def("invert_spd", &invert_spd<T>, a, py::arg("norm"));
  m.def("eigh", &eigh<T>, a, py::arg("values").noconvert());
  m.def("svd", &svd<T>, a, py::arg("u").noconvert(), s, py::arg("vt").noconvert());
  m.def("lstsq", &lstsq<T>, a, b, s, py::arg("rcond"));
  m.def("qr", &qr<T>, a, py::arg("r").noconvert());
  m.def("matmul", &matmul<T>, a, b, out);
  m.def("matvec", &matvec<T>, a, x, out);
  m.def("gram", &gram<T>, a, out);
  m.def("solve_lower", &solve_lower<T>, py::arg("lower").noconvert(), b);
}

}  // namespace

void register_blas(py::module_& m) {
  py::module_ blas = m.def_submodule("blas");
  blas.def("installed", &linalg::has_blas);
  blas.def("has_wide_integers", &linalg::blas_has_wide_integers);
  blas.def("routine_names", &routine_names);
  blas.def("install", &install, py::arg("double_routines"), py::arg("float_routines"), py::arg("wide_integers"));
  register_precision<double>(blas);
  register_precision<float>(blas);
}

}  // namespace mlwright::bindings
