"""Many threads at one model."""

import threading

import numpy as np

from mlwright.ensemble import HistGradientBoostingClassifier


def test_many_threads_predict_with_one_model():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 5))
    model = HistGradientBoostingClassifier(max_iter=20).fit(X[:2000], X[:2000, 0] > 0)
    expected = model.predict_proba(X).tobytes()
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(model.predict_proba(X).tobytes())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [expected] * 8
