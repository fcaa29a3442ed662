"""What `templates/theme.yaml` says: the colours of languages and states; it may hold more, for one's own templates."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, field_validator

from dashgen.model.fields import Model, Name, fault, matching

COLOR_PATTERN = r"#[0-9a-fA-F]{3}|#[0-9a-fA-F]{6}|#[0-9a-fA-F]{8}|[a-zA-Z][a-zA-Z-]{0,40}"
Color = Annotated[str, matching(COLOR_PATTERN, "color", 'is not a colour; write one like "#37872D" or green')]


class _Open(Model):
    """A part of the theme that may hold more than dashgen names."""

    model_config = ConfigDict(extra="allow")


class Step(Model):
    """From which value on a colour holds."""

    color: Color = Field(description="The colour.")
    value: float | None = Field(None, description="The value from which it holds; the lowest step has none.")


class Status(_Open):
    """The colours of states."""

    good: Color = Field(description="The colour of what is well.")
    warning: Color = Field(description="The colour of what somebody should look at.")
    bad: Color = Field(description="The colour of what users notice.")
    neutral: Color = Field(description="The colour of what is neither good nor bad.")
    muted: Color = Field(description="The colour of what stays in the background.")


class Thresholds(_Open):
    """At which values numbers change their colour."""

    budget: tuple[Step, ...] = Field(min_length=1, description="Of the budget that is left, as a ratio.")
    errors: tuple[Step, ...] = Field(min_length=1, description="Of failed requests, as a ratio.")


class Theme(_Open):
    """The colours of all dashboards and drawings."""

    languages: dict[Name, Color] = Field(description="A colour per language; `other` is that of all that have none.")
    ink: Color = Field(description="The colour of text on that of a language.")
    status: Status = Field(description="The colours of states.")
    thresholds: Thresholds = Field(description="The values at which numbers change their colour.")

    @field_validator("languages")
    @classmethod
    def _has_other(cls, languages: dict[str, str]) -> dict[str, str]:
        if "other" not in languages:
            raise fault("languages", "`other` is missing, the colour of languages that have none of their own")
        return languages
