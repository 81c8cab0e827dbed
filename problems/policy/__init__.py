"""Policy search: the parameters of a controller, scored by the returns of whole episodes."""

from problems.policy.gym import Gym
from problems.policy.network import Network
from problems.policy.search import PolicySearch
from problems.policy.twins import CartPole, Pendulum

__all__ = ["CartPole", "Gym", "Network", "Pendulum", "PolicySearch", "problem"]

problem = PolicySearch
