# /// script
# requires-python = ">=3.11"
# dependencies = ["scikit-learn>=1.5", "skops>=0.11"]
# ///
"""Evaluate a classifier of handwritten digits on rows that no training run saw.

    python evaluate.py pulled/artifacts/model.skops

Prints one line of JSON and exits 0, whatever the result: whether it is good enough
is for whoever reads it. Exits 1 when the file holds a type that is not on the list
below, before anything of it is built.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import skops.io
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, f1_score, log_loss, recall_score
from sklearn.model_selection import train_test_split

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

HOLD_OUT_SEED = 20  # the same in train.py, which leaves these rows alone

# skops itself builds only plain containers, numpy arrays, and the estimators of
# scikit-learn that cannot run code; our pipelines need nothing else. A type goes on
# this list after someone has read what it does, never because a file asks for it.
TRUSTED: frozenset[str] = frozenset()


def load(path: Path) -> Pipeline:
    """Return the model in ``path``, or exit."""
    unexpected = sorted(set(skops.io.get_untrusted_types(file=path)) - TRUSTED)
    if unexpected:
        sys.exit(f"{path} holds types that nobody vouched for: {', '.join(unexpected)}")
    return skops.io.load(path, trusted=sorted(TRUSTED))


def main() -> None:
    """Print the metrics of one model."""
    arguments = argparse.ArgumentParser(description="Evaluate a classifier of digits.")
    arguments.add_argument("model", type=Path)
    model = load(arguments.parse_args().model)

    pixels, labels = load_digits(return_X_y=True)
    _, pixels, _, labels = train_test_split(
        pixels, labels, test_size=0.2, stratify=labels, random_state=HOLD_OUT_SEED
    )
    digits = np.unique(labels)
    said = model.predict(pixels)
    # A digit that the model never met has no column of its own: it gets odds of 0.
    odds = np.zeros((len(labels), len(digits)))
    odds[:, np.searchsorted(digits, model.classes_)] = model.predict_proba(pixels)
    recalls = recall_score(labels, said, average=None, zero_division=0)
    f1_macro = f1_score(labels, said, average="macro", zero_division=0)
    result = {
        "accuracy": round(accuracy_score(labels, said), 4),
        "f1_macro": round(f1_macro, 4),
        "log_loss": round(log_loss(labels, odds), 4),
        "worst_recall": round(float(recalls.min()), 4),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
