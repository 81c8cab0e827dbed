"""Classification: logistic regression and a neural network, trained without gradients."""

from __future__ import annotations

from os import PathLike

from problems import nearest
from problems.classification.classifier import Classifier
from problems.classification.data import read_csv, table_of_iris
from problems.classification.iris import iris
from problems.classification.logistic import LogisticRegression
from problems.classification.losses import LOSSES, Loss
from problems.classification.network import NeuralNetwork

__all__ = ["LOSSES", "LogisticRegression", "Loss", "NeuralNetwork", "iris", "problem", "read_csv"]

MODELS = ("logistic", "network")


def problem(
    data: str | PathLike[str] | None = None,
    *,
    model: str = "logistic",
    hidden: int = 5,
    activation: str = "tanh",
    C: float | None = None,  # noqa: N803 - the name it has everywhere
    loss: str = "cross-entropy",
    standardise: bool = True,
    features: str | None = None,
    classes: str | None = None,
    std: float = 1.0,
) -> Classifier:
    """A classifier of a CSV file (class in the last column), by default of Fisher's Iris.

    ``features`` and ``classes`` choose columns and classes by name, separated by commas. ``C`` is 1
    by default; for the zero-one loss, which does not change with the size of the weights, there is
    no penalty then. ``hidden`` and ``activation`` are those of the network.

    >>> flowers = problem(features="petal width, sepal width", classes="versicolor, virginica")
    >>> flowers.X.shape, flowers.n_parameters
    ((100, 2), 3)
    """
    table = table_of_iris() if data is None else read_csv(data)
    if features is not None:
        table = table.columns(_names(features))
    if classes is not None:
        table = table.rows_of(_names(classes))
    if loss not in LOSSES:
        raise ValueError(f"there is no loss {loss!r}" + nearest(loss, list(LOSSES)))
    if C is None:
        C = float("inf") if loss == "zero-one" else 1.0  # noqa: N806
    common = {"C": C, "loss": LOSSES[loss], "standardise": standardise, "std": std}
    if model == "logistic":
        return LogisticRegression(table.X, table.y, **common)
    if model == "network":
        return NeuralNetwork(table.X, table.y, hidden=hidden, activation=activation, **common)
    raise ValueError(f"there is no model {model!r}" + nearest(model, list(MODELS)))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]
