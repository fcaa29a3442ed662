"""Graph + Intents → Costs: what the rules will read and write, and what to do about the dearest."""

from dashgen.cost.advice import advice
from dashgen.cost.prediction import predict

__all__ = ["advice", "predict"]
