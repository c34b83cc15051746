# The Python face: one pybind11 extension (_core), one Cython bridge to SciPy's BLAS/LAPACK (_blas), and what the
# wheel carries for people who build against us.
set(PYBIND11_FINDPYTHON ON)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
find_package(pybind11 CONFIG REQUIRED)

file(GLOB binding_sources CONFIGURE_DEPENDS cpp/bindings/*.cpp)
pybind11_add_module(_core MODULE ${binding_sources})
target_link_libraries(_core PRIVATE mlwright_core)
mlwright_flags(_core)

find_package(Cython MODULE REQUIRED VERSION 3.1)
include(UseCython)
cython_transpile(src/mlwright/_blas.pyx LANGUAGE C OUTPUT_VARIABLE blas_source)
python_add_library(_blas MODULE "${blas_source}" WITH_SOABI)
target_include_directories(_blas PRIVATE cpp/include)
target_compile_options(_blas PRIVATE -O2 -w)

install(TARGETS _core _blas LIBRARY DESTINATION .)
install(DIRECTORY cpp/include/mlwright DESTINATION include FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
