"""One module a library: how it is built at its best setting for each task, and how it likes its data.

``MODELS`` maps a task to ``build(settings) -> estimator``. ``PREPARE`` (optional) maps a task to
``prepare(data) -> data``, run outside the clock. ``notes`` (optional) returns remarks about the run, or raises when the
library did not do what it is measured for.
"""
