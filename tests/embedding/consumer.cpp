// An extension module of somebody else that uses mlwright's C interface, and Python for nothing but its entry points.
#include <Python.h>

#include <mlwright/capi_import.h>

#include <cstdio>
#include <vector>

namespace {

const mlwright_api* api = nullptr;

struct Sums {
  const double* x;
  std::vector<double> partial;
  int64_t fail_at;
};

// The softplus of a chunk, summed; fails on demand.
int sum_softplus(void* context, int64_t chunk, int64_t begin, int64_t end) {
  Sums& sums = *static_cast<Sums*>(context);
  if (chunk == sums.fail_at) return 1;
  std::vector<double> y(static_cast<std::size_t>(end - begin));
  api->softplus(sums.x + begin, y.data(), end - begin);
  sums.partial[static_cast<std::size_t>(chunk)] = api->sum(y.data(), end - begin);
  return 0;
}

int always(void*) { return 1; }

// total(n, grain, threads, fail_at, stop) -> (status, total, message)
PyObject* total(PyObject*, PyObject* args) {
  long long n, grain, fail_at;
  int threads, stop;
  if (!PyArg_ParseTuple(args, "LLiLp", &n, &grain, &threads, &fail_at, &stop)) return nullptr;
  int32_t status;
  double sum = 0;
  Py_BEGIN_ALLOW_THREADS
  std::vector<double> x(static_cast<std::size_t>(n));
  status = api->fill_normal(7, 1, x.data(), n);
  Sums sums{x.data(), std::vector<double>(static_cast<std::size_t>(n / (grain > 0 ? grain : 1) + 1)), fail_at};
  const int32_t before = api->set_thread_limit(threads);
  if (status == MLWRIGHT_OK) status = api->parallel_for(n, grain, sum_softplus, &sums, stop ? always : nullptr, nullptr);
  api->set_thread_limit(before);
  for (double part : sums.partial) sum += part;
  Py_END_ALLOW_THREADS
  return Py_BuildValue("ids", static_cast<int>(status), sum, status == MLWRIGHT_OK ? "" : api->last_error());
}

PyObject* scalars(PyObject*, PyObject* arg) {
  const double x = PyFloat_AsDouble(arg);
  if (x == -1 && PyErr_Occurred()) return nullptr;
  return Py_BuildValue("ddddd", api->exp_scalar(x), api->log_scalar(x), api->log1p_scalar(x), api->expit_scalar(x),
                       api->softplus_scalar(x));
}

PyObject* bad_gamma(PyObject*, PyObject*) {
  double x;
  const int32_t status = api->fill_gamma(0, 0, &x, 1, -1.0);
  return Py_BuildValue("is", static_cast<int>(status), api->last_error());
}

PyMethodDef methods[] = {{"total", total, METH_VARARGS, nullptr},
                         {"scalars", scalars, METH_O, nullptr},
                         {"bad_gamma", bad_gamma, METH_NOARGS, nullptr},
                         {nullptr, nullptr, 0, nullptr}};
PyModuleDef module = {PyModuleDef_HEAD_INIT, "consumer", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit_consumer() {
  api = mlwright_import_api();
  return api == nullptr ? nullptr : PyModule_Create(&module);
}
