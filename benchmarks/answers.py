"""The gate before every ratio: have both sides solved the same problem?"""

import math
from collections.abc import Iterable, Mapping

from benchmarks.problem import Metric


def differences(ours: Mapping[str, float], theirs: Mapping[str, float], metrics: Iterable[Metric]) -> list[str]:
    """What is not equal, one line a metric; empty when a ratio may be printed.

    A metric that is missing or not finite on either side counts as a difference: silence never passes.

    Examples
    --------
    >>> from benchmarks.problem import Metric
    >>> r2 = Metric("R2", of=None, atol=1e-6)
    >>> differences({"R2": 0.9}, {"R2": 0.9 + 1e-8}, [r2])
    []
    >>> differences({"R2": 0.9}, {"R2": 0.8}, [r2])
    ['R2: 0.9 against 0.8, allowed distance 1e-06']
    """
    found = []
    for metric in metrics:
        a, b = ours.get(metric.name, math.nan), theirs.get(metric.name, math.nan)
        allowed = metric.atol + metric.rtol * abs(b)
        distance = a - b if metric.may_be_lower else abs(a - b)
        if not (math.isfinite(a) and distance <= allowed):  # a NaN on either side fails here
            found.append(f"{metric.name}: {a:.7g} against {b:.7g}, allowed distance {allowed:.3g}")
    return found
