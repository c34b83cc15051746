"""The benchmark suite: problems x libraries x metrics, measured in interleaved rounds by ``python -m benchmarks``.

No ratio is printed before the answers of both sides have been compared; see ``README.md`` beside this file.
"""
