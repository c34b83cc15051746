# The Python face: one pybind11 extension (_core) and one Cython bridge to SciPy's BLAS/LAPACK (_blas).
set(PYBIND11_FINDPYTHON ON)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
find_package(pybind11 CONFIG REQUIRED)

set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF) # pybind11's default would optimise thin lambdas at link time, at every build
file(GLOB binding_sources CONFIGURE_DEPENDS cpp/bindings/*.cpp)
pybind11_add_module(_core MODULE ${binding_sources})
target_link_libraries(_core PRIVATE mlwright_core)
mlwright_flags(_core)
# Thin lambdas around pybind11's templates, which are most of a build from nothing: a third of it went into optimising them,
# another into reading them. What a call of microseconds consists of, and what reads all of a sparse matrix, is optimised.
target_compile_options(_core PRIVATE -O1 -finline-small-functions)
set_source_files_properties(cpp/bindings/brief_predict.cpp cpp/bindings/register_sgd.cpp PROPERTIES
  COMPILE_OPTIONS -O3 SKIP_PRECOMPILE_HEADERS ON)
if(NOT CMAKE_CXX_COMPILER_LAUNCHER) # ccache keeps no objects made with a precompiled header, unless it is set up for that
  target_precompile_headers(_core PRIVATE <pybind11/pybind11.h> <pybind11/numpy.h> <pybind11/stl.h>)
endif()
if(UNIX AND NOT APPLE)
  target_link_options(_core PRIVATE "LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/exports.map")
  set_property(TARGET _core APPEND PROPERTY LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/exports.map")
endif()

find_package(Cython MODULE REQUIRED VERSION 3.1)
include(UseCython)
cython_transpile(src/mlwright/_blas.pyx LANGUAGE C OUTPUT_VARIABLE blas_source)
python_add_library(_blas MODULE "${blas_source}" WITH_SOABI)
target_include_directories(_blas PRIVATE cpp/include)
target_compile_options(_blas PRIVATE -O2 -w)

install(TARGETS _core _blas LIBRARY DESTINATION .)

# A sanitized module cannot be loaded by a plain interpreter, a foreign one not at all.
if(NOT MLWRIGHT_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
  add_custom_command(TARGET _core POST_BUILD VERBATIM
    COMMAND Python::Interpreter "${PROJECT_SOURCE_DIR}/cmake/make_stub.py" "$<TARGET_FILE:_core>" "${CMAKE_CURRENT_BINARY_DIR}/_core.pyi")
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/_core.pyi" DESTINATION .)
endif()

include(package_config)
