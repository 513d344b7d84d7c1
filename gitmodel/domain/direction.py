"""Which way a metric improves, told from its name.

- What is stated wins over what the name implies.
- A name counts by its words: ``p99_latency_ms``, ``logLoss`` and ``RMSE`` are
  better when lower. What follows ``at`` or ``@`` is a condition and does not count:
  ``recall_at_fpr`` is a recall.
- ``neg_…`` turns a name around, as scikit-learn's scorers are named.
- A name without a known word is better when higher.
"""

from __future__ import annotations

import re
from typing import Literal

from gitmodel.errors import InputError

Direction = Literal["higher", "lower"]

_LOWER = frozenset(
    {
        "bpb",
        "bpc",
        "brier",
        "cer",
        "cost",
        "crossentropy",
        "deviance",
        "distance",
        "divergence",
        "duration",
        "ece",
        "eer",
        "err",
        "error",
        "errors",
        "false",
        "fdr",
        "fid",
        "fnr",
        "fpr",
        "frr",
        "kl",
        "kld",
        "latency",
        "loss",
        "losses",
        "mae",
        "mape",
        "mce",
        "medae",
        "memory",
        "mse",
        "msle",
        "nll",
        "perplexity",
        "ppl",
        "regret",
        "rmsd",
        "rmse",
        "rmsle",
        "smape",
        "ter",
        "time",
        "toxicity",
        "wer",
    }
)
_PHRASES = ("cross_entropy", "negative_log_likelihood", "neg_log_likelihood")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def direction_of(name: str, given: str | None = None) -> Direction:
    """Return whether a metric is better when it is higher or when it is lower.

    Args:
        name: The metric's name, without its set.
        given: What its author stated; None where nothing was.

    Raises:
        InputError: ``given`` is neither ``higher`` nor ``lower``.
    """
    if given == "higher":
        return "higher"
    if given == "lower":
        return "lower"
    if given is not None:
        raise InputError(f"{name} has the direction {given!r}, not higher or lower.")
    words = [word.lower() for word in _WORD.findall(name.partition("@")[0])]
    if "at" in words[1:]:
        words = words[: words.index("at", 1)]
    if any(phrase in "_".join(words) for phrase in _PHRASES):
        return "lower"
    lower = not _LOWER.isdisjoint(words)
    if words[:1] == ["neg"]:
        lower = not lower
    return "lower" if lower else "higher"
