"""Text → Spec and Library: everything that is read from disk before the work starts."""

from dashgen.load.library import catalogue, load_library
from dashgen.load.spec import Sources, load_spec, project_root
from dashgen.load.starter import write_starter

__all__ = ["Sources", "catalogue", "load_library", "load_spec", "project_root", "write_starter"]
