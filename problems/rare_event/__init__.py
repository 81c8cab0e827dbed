"""Rare events: problems whose probability is known, and the means to bring one's own."""

from problems.rare_event.bridge import Bridge
from problems.rare_event.credit import ConditionalLoss, Credit
from problems.rare_event.limit_state import LimitState, NamedLimitState, nataf_correlation
from problems.rare_event.network_reliability import NetworkReliability, RepairOrders, RepairTimes
from problems.rare_event.pert import Pert
from problems.rare_event.queues.gg1 import GG1
from problems.rare_event.queues.mm1 import mm1
from problems.rare_event.queues.tandem import Tandem
from problems.rare_event.ruin import Ruin
from problems.rare_event.sensitivity import marginal_sensitivities
from problems.rare_event.sums import ConditionalSum, Sum

__all__ = [
    "GG1",
    "Bridge",
    "ConditionalLoss",
    "ConditionalSum",
    "Credit",
    "LimitState",
    "NamedLimitState",
    "NetworkReliability",
    "Pert",
    "RepairOrders",
    "RepairTimes",
    "Ruin",
    "Sum",
    "Tandem",
    "marginal_sensitivities",
    "mm1",
    "nataf_correlation",
]
