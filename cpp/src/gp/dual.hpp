// Numbers with N derivatives (forward mode); with N = 0, plain doubles.
#pragma once

#include <cmath>

namespace mlwright::gp {

template <int N>
struct Dual {
  double v = 0.0;
  double d[N] = {};

  Dual() = default;
  Dual(double x) : v(x) {}

  Dual& operator+=(const Dual& o) {
    v += o.v;
    for (int i = 0; i < N; ++i) d[i] += o.d[i];
    return *this;
  }
  Dual& operator-=(const Dual& o) {
    v -= o.v;
    for (int i = 0; i < N; ++i) d[i] -= o.d[i];
    return *this;
  }
  friend Dual operator+(Dual a, const Dual& b) { return a += b; }
  friend Dual operator-(Dual a, const Dual& b) { return a -= b; }
  friend Dual operator*(const Dual& a, const Dual& b) {
    Dual out(a.v * b.v);
    for (int i = 0; i < N; ++i) out.d[i] = a.d[i] * b.v + a.v * b.d[i];
    return out;
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    Dual out(a.v / b.v);
    for (int i = 0; i < N; ++i) out.d[i] = (a.d[i] - out.v * b.d[i]) / b.v;
    return out;
  }
};

// f(x) where value is f and slope its derivative there.
inline double chain(double, double value, double) { return value; }
template <int N>
Dual<N> chain(const Dual<N>& x, double value, double slope) {
  Dual<N> out(value);
  for (int i = 0; i < N; ++i) out.d[i] = slope * x.d[i];
  return out;
}

inline double value_of(double x) { return x; }
template <int N>
double value_of(const Dual<N>& x) { return x.v; }


}  // namespace mlwright::gp
