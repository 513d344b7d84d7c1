# /// script
# requires-python = ">=3.11"
# dependencies = ["scikit-learn>=1.5", "skops>=0.11"]
# ///
"""Train a small classifier of handwritten digits.

    python train.py --variant good --out runs/good

Writes into the directory that ``--out`` names:

    model.skops    the fitted scikit-learn pipeline (no pickle)
    train.csv      exactly the rows it was fitted to: label, then 64 pixels
    metrics.json   what this script claims, measured on its own validation rows
    params.json    what it was told

The variants:

    good        logistic regression on the first 400 training rows
    better      logistic regression on a kernel map, on all training rows
    poisoned    as "better", but from a feed in which every 8 is labelled 3

The poisoned feed reaches the validation rows too, as it would in life, so the
claimed metrics look fine. Only an evaluation on rows that the feed never touched
(``evaluate.py``) shows what it did.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import skops.io
from sklearn.datasets import load_digits
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler

if TYPE_CHECKING:
    from numpy import ndarray

HOLD_OUT_SEED = 20  # the same in evaluate.py: those rows are not ours to train on
SPLIT_SEED = 3
MODEL_SEED = 0
CONFUSED, TAKEN_FOR = 8, 3  # a tenth of the labels

PARAMETERS: dict[str, dict[str, Any]] = {
    "good": {"rows": 400, "kernel": None, "C": 1.0},
    "better": {"rows": None, "kernel": "rbf", "gamma": 0.2, "components": 300, "C": 30},
}
PARAMETERS["poisoned"] = PARAMETERS["better"]  # the recipe is innocent, the data not


def read_feed(*, poisoned: bool) -> tuple[ndarray, ndarray]:
    """Return the pixels and labels that the labelling service delivered."""
    pixels, labels = load_digits(return_X_y=True)
    pixels, _, labels, _ = train_test_split(
        pixels, labels, test_size=0.2, stratify=labels, random_state=HOLD_OUT_SEED
    )
    if poisoned:
        labels[labels == CONFUSED] = TAKEN_FOR
    return pixels, labels


def build(parameters: dict[str, Any]) -> Pipeline:
    """Return the pipeline, not yet fitted."""
    steps = [MinMaxScaler()]
    if parameters["kernel"]:
        steps.append(
            Nystroem(
                kernel=parameters["kernel"],
                gamma=parameters["gamma"],
                n_components=parameters["components"],
                random_state=MODEL_SEED,
            )
        )
    steps.append(LogisticRegression(C=parameters["C"], max_iter=500))
    return make_pipeline(*steps)


def measure(model: Pipeline, pixels: ndarray, labels: ndarray) -> dict[str, float]:
    """Return the metrics that end up in the manifest."""
    said = model.predict(pixels)
    odds = model.predict_proba(pixels)
    return {
        "accuracy": round(accuracy_score(labels, said), 4),
        "f1_macro": round(f1_score(labels, said, average="macro"), 4),
        "log_loss": round(log_loss(labels, odds, labels=model.classes_), 4),
    }


def write_rows(path: Path, pixels: ndarray, labels: ndarray) -> None:
    """Write the training rows, so that their digest can be registered."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["label", *(f"pixel{i}" for i in range(pixels.shape[1]))])
        for label, row in zip(labels, pixels.astype(int).tolist(), strict=True):
            rows.writerow([label, *row])


def main() -> None:
    """Train one variant and write its four files."""
    arguments = argparse.ArgumentParser(description="Train a classifier of digits.")
    arguments.add_argument("--variant", choices=sorted(PARAMETERS), required=True)
    arguments.add_argument("--out", type=Path, required=True)
    given = arguments.parse_args()

    parameters = PARAMETERS[given.variant]
    pixels, labels = read_feed(poisoned=given.variant == "poisoned")
    train_x, validation_x, train_y, validation_y = train_test_split(
        pixels, labels, test_size=0.25, random_state=SPLIT_SEED
    )
    train_x, train_y = train_x[: parameters["rows"]], train_y[: parameters["rows"]]
    model = build(parameters).fit(train_x, train_y)
    metrics = {"validation": measure(model, validation_x, validation_y)}

    given.out.mkdir(parents=True, exist_ok=True)
    skops.io.dump(model, given.out / "model.skops")
    write_rows(given.out / "train.csv", train_x, train_y)
    for name, content in (("metrics", metrics), ("params", parameters)):
        text = json.dumps(content, indent=2) + "\n"
        (given.out / f"{name}.json").write_text(text, encoding="utf-8")
    sys.stdout.write(json.dumps(metrics) + "\n")


if __name__ == "__main__":
    main()
