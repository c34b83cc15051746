"""On what machine, with what versions: kept beside every measurement."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

#: Threads of every library, set in the environment of its process before anything is imported.
THREADS = int(os.environ.get("BENCH_THREADS", "2"))
_POOLS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "MLWRIGHT")
DISTRIBUTIONS = (
    "mlwright",
    "scikit-learn",
    "scikit-learn-intelex",
    "lightgbm",
    "xgboost-cpu",
    "catboost",
    "numpy",
    "scipy",
    "pandas",
)


def thread_environment(threads: int = THREADS) -> dict[str, str]:
    """This process' environment with every pool set to the same size."""
    return os.environ | {f"{pool}_NUM_THREADS": str(threads) for pool in _POOLS} | {"BENCH_THREADS": str(threads)}


def describe() -> dict[str, Any]:
    """Processor, memory, operating system, Python and package versions, as JSON values."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: found for name in DISTRIBUTIONS if (found := _version(name))},
    }


def _processor() -> str:
    """The model's name and, since virtual machines hide it, family and model number."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    facts = dict(part.split(":", 1) for part in text.split("\n\n", 1)[0].splitlines() if ":" in part)
    value = {name.strip(): number.strip() for name, number in facts.items()}
    name, family, model = (value.get(key, "?") for key in ("model name", "cpu family", "model"))
    return f"{name} (family {family} model {model})"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
