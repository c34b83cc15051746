"""One thin module a C++ folder: dtype, shape and contiguity, allocation, ``out=``. Knows no scikit-learn."""
