"""Wanted × found → what has to change. Pure: nothing here reads or writes anything."""

from dashgen.plan.compare import content, plan_remote
from dashgen.plan.digests import digest
from dashgen.plan.drift import drifted
from dashgen.plan.environments import of_another_environment
from dashgen.plan.files import plan_files
from dashgen.plan.restore import plan_restore

__all__ = ["content", "digest", "drifted", "of_another_environment", "plan_files", "plan_remote", "plan_restore"]
