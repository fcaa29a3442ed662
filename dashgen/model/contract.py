"""The telemetry contract: the canonical series that dashgen records, with their meaning, unit and labels."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from dashgen.model.fields import LabelName, Line, Model, Name, Text, Written


class CanonicalSeries(Model):
    """One recorded series."""

    name: Annotated[str, Field(pattern=r"^[a-z_]+:[a-z0-9_:{}]+$")] = Field(
        description="The name; `{tile}` and `{window}` vary."
    )
    meaning: Text = Field(description="What a value says.")
    unit: Line = Field(description="What one means.")
    labels: tuple[LabelName, ...] = Field(description="The labels that it can carry.")


class Contract(Model):
    """All canonical series, versioned as a whole."""

    contract: Name = Field(description="The name of the contract.")
    version: Written = Field(description="Major for a removed or changed series, minor for a new one, patch for words.")
    series: tuple[CanonicalSeries, ...] = Field(description="The series.")

    @property
    def labels(self) -> frozenset[str]:
        """The labels that tell canonical series apart; those of `…:info` only describe."""
        return frozenset(label for each in self.series if not each.name.endswith(":info") for label in each.labels)

    def pattern(self, tile: str) -> re.Pattern[str]:
        """A pattern that matches the names of all series, for a tile of this name."""
        names = (
            re.escape(each.name).replace(r"\{tile\}", tile).replace(r"\{window\}", "[0-9smhdw]+")
            for each in self.series
        )
        return re.compile("(?:" + "|".join(names) + r")\Z")
