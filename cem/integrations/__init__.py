"""A run in the tools people already keep: TensorBoard, MLflow, Weights & Biases; and Optuna's.

Each is optional and is imported when it is used: ``pip install "cemkit[tracking]"``. The sampler
for Optuna is `cem.integrations.optuna.CemSampler`, of ``pip install "cemkit[optuna]"``.
"""

from cem.integrations.mlflow import MLflow
from cem.integrations.tensorboard import TensorBoard
from cem.integrations.tracker import Tracker
from cem.integrations.wandb import WandB

__all__ = ["MLflow", "TensorBoard", "Tracker", "WandB"]
