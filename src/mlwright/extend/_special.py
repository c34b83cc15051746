"""Special functions of one number that Numba lacks, compiled."""

import math

from numba import njit

_ASYMPTOTIC = 10.0  # from here on digamma's series is good to the last digits


@njit(error_model="numpy")
def digamma(x):
    """The derivative of the logarithm of the gamma function.

    Abramowitz and Stegun 6.3.5 (recurrence) and 6.3.18 (series); 6.3.7 (reflection) below zero.
    """
    reflected = 0.0
    if x <= 0.0:
        if x == math.floor(x):
            return math.nan
        reflected = -math.pi / math.tan(math.pi * x)
        x = 1.0 - x
    shifted = 0.0
    while x < _ASYMPTOTIC:
        shifted -= 1.0 / x
        x += 1.0
    r = 1.0 / (x * x)
    series = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * (691 / 32760 - r / 12))))))
    return reflected + shifted + math.log(x) - 0.5 / x - series
