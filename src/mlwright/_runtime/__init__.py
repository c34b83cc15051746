"""What every part stands on: errors, threads, SIMD level, random numbers, progress, the registry of kernels."""
