#!/usr/bin/env bash
# Everything under AddressSanitizer and UndefinedBehaviorSanitizer: cpp/tests/asan.sh ENVIRONMENT [pytest arguments].
#
# Built into build/asan, which holds a package of its own: the editable install of the environment is left alone. An
# empty environment's interpreter runs the tests with that package and the first environment's site-packages on its path;
# the first one's own would prefer the editable install. Leaks are looked for in the C++ tests only: CPython itself keeps
# memory until it ends.
set -euo pipefail
environment=$(cd "$1" && pwd)
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build/asan
export PATH=$environment/bin:$PATH

version=$(python -c 'import tomllib; print(tomllib.load(open("'"$root"'/pyproject.toml", "rb"))["project"]["version"])')
mkdir -p "$build"
cmake -G Ninja -S "$root" -B "$build" -DMLWRIGHT_SANITIZE=address,undefined -DMLWRIGHT_BUILD_TESTS=ON -DSKBUILD_PROJECT_VERSION="$version" \
  -DPython_EXECUTABLE="$environment/bin/python" -Dpybind11_DIR="$(pybind11-config --cmakedir)" \
  -DCMAKE_MODULE_PATH="$(python -c 'import cython_cmake, os; print(os.path.join(os.path.dirname(cython_cmake.__file__), "cmake"))')" \
  > "$build/configure.log" || { cat "$build/configure.log"; exit 1; }
cmake --build "$build" --target all mlwright_tests
rm -rf "$build/site"
mkdir "$build/site"
cp -r "$root/src/mlwright" "$build/site/mlwright"
cmake --install "$build" --prefix "$build/site/mlwright" > "$build/install.log"

ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 "$build/cpp/tests/mlwright_tests"

# libstdc++ too: the sanitizer must find it before the first extension module brings it.
preload=$(for library in libasan.so libubsan.so libstdc++.so; do g++ -print-file-name="$library"; done | paste -sd ' ')
[ -e "$build/venv" ] || python -m venv --without-pip "$build/venv"
packages=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
module=("$build"/site/mlwright/_core.*.so)
cd "$root"
export LD_PRELOAD=$preload ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=1 UBSAN_OPTIONS=print_stacktrace=1
export PYTHONPATH=$build/site:$packages
"$build/venv/bin/python" cmake/make_stub.py "${module[0]}" "$build/site/mlwright/_core.pyi"
# The sanitizer keeps freed memory for a while, so resident memory says nothing here.
exec "$build/venv/bin/python" -m pytest -p no:cacheprovider -m "not slow" \
  --deselect tests/robustness/test_estimators.py::test_resident_memory_stays_flat "$@"
