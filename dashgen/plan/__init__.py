"""Wanted × found → what has to change. Pure: nothing here reads or writes anything."""

from dashgen.plan.files import plan_files

__all__ = ["plan_files"]
