"""Prints the polynomial coefficients of elementary_body.hpp: weighted minimax fits by Lawson's iteration, in 60 digits.

    python cpp/src/base/minimax.py        # needs mpmath

The printed error is taken after the coefficients were rounded to double: it is what the functions get.

References: C. L. Lawson, Contributions to the theory of linear least maximum approximation, 1961.
"""

import mpmath as mp

mp.mp.dps = 60


def least_squares(grid, values, squared_weights, n_coefficients):
    moments = [sum(w * x**k for w, x in zip(squared_weights, grid, strict=True)) for k in range(2 * n_coefficients - 1)]
    right = [
        sum(w * v * x**k for w, v, x in zip(squared_weights, values, grid, strict=True)) for k in range(n_coefficients)
    ]
    gram = mp.matrix([[moments[i + j] for j in range(n_coefficients)] for i in range(n_coefficients)])
    return list(mp.lu_solve(gram, mp.matrix(right)))


def errors(grid, values, weights, coefficients):
    descending = [mp.mpf(c) for c in reversed(coefficients)]
    return [abs(w * (mp.polyval(descending, x) - v)) for w, v, x in zip(weights, values, grid, strict=True)]


def minimax(f, weight, low, high, degree, n_points=120, n_iterations=40):
    """Coefficients, lowest power first, that make max |weight(x) (p(x) - f(x))| small on [low, high]."""
    grid = [
        (low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (i + mp.mpf(1) / 3) / n_points) for i in range(n_points)
    ]
    values, weights = [f(x) for x in grid], [weight(x) for x in grid]
    lawson = [mp.mpf(1) / n_points] * n_points
    for _ in range(n_iterations):
        squared = [share * w**2 for share, w in zip(lawson, weights, strict=True)]
        coefficients = least_squares(grid, values, squared, degree + 1)
        scaled = [share * e for share, e in zip(lawson, errors(grid, values, weights, coefficients), strict=True)]
        lawson = [s / sum(scaled) for s in scaled]
    rounded = [float(c) for c in coefficients]
    return rounded, max(errors(grid, values, weights, rounded))


def show(name, *problem):
    coefficients, error = minimax(*problem)
    print(f"{name}: error 2^{mp.nstr(mp.log(error, 2), 4)}")
    print(", ".join(c.hex() for c in coefficients))


def main():
    ln2, slack = mp.log(2), mp.mpf("1.0001")
    # 1 + r + r^2/2 is kept exact: rounding the 1/2 would cost more than the whole polynomial.
    exp_tail = lambda r: sum(r**k / mp.factorial(k + 3) for k in range(40))  # noqa: E731
    show(
        "exp, (e^r - 1 - r - r^2/2) / r^3", exp_tail, lambda r: r**3 * mp.exp(-r), -slack * ln2 / 2, slack * ln2 / 2, 8
    )
    log_tail = lambda z: sum(2 * z**k / (2 * k + 3) for k in range(60))  # noqa: E731
    largest = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2
    show("log, (2 atanh(s)/s - 2) / z with z = s^2", log_tail, lambda z: z / 2, mp.mpf(0), slack * largest, 6)
    high = mp.floor(ln2 * 2**42) / 2**42
    print("ln2 in two parts:", float(high).hex(), float(ln2 - high).hex())
    print("log2(e):", float(1 / ln2).hex(), "sqrt(1/2):", float(mp.sqrt(mp.mpf(1) / 2)).hex())


if __name__ == "__main__":
    main()
