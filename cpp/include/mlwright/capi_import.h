/* mlwright_import_api(): the table of mlwright/capi.h out of the installed Python package, checked, for extension modules in
 * C or C++. Include Python's own header before this one. */
#ifndef MLWRIGHT_CAPI_IMPORT_H
#define MLWRIGHT_CAPI_IMPORT_H

#ifndef Py_PYTHON_H
#error "mlwright/capi_import.h: include Python's header before it"
#endif

#include "mlwright/capi.h"

/* Needs the GIL. NULL, with ImportError set, where mlwright is not installed or older than this header. */
static inline const mlwright_api* mlwright_import_api(void) {
  PyObject* core = PyImport_ImportModule("mlwright._core");
  if (core == NULL) return NULL;
  PyObject* capsule = PyObject_GetAttrString(core, "_C_API");
  Py_DECREF(core);
  if (capsule == NULL) return NULL;
  const mlwright_api* api = (const mlwright_api*)PyCapsule_GetPointer(capsule, MLWRIGHT_CAPI_CAPSULE);
  Py_DECREF(capsule); /* the module keeps it, and the table is static */
  if (api == NULL) return NULL;
  if (api->version != MLWRIGHT_CAPI_VERSION || api->struct_size < sizeof(mlwright_api)) {
    PyErr_Format(PyExc_ImportError,
                 "mlwright C interface: the installed one has version %u and %u bytes, this module was built for version %u "
                 "and at least %u bytes; install an mlwright no older than the one it was built with, or rebuild it",
                 (unsigned)api->version, (unsigned)api->struct_size, (unsigned)MLWRIGHT_CAPI_VERSION,
                 (unsigned)sizeof(mlwright_api));
    return NULL;
  }
  return api;
}

#endif
