"""Helper of the passes: profile × version × selector → the native series of one side of one implementation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from dashgen.diagnostics import Diagnostic, did_you_mean
from dashgen.model.fields import Regex
from dashgen.model.profile import Match, Profile, Side, Variant
from dashgen.model.spec import Instrumentation
from dashgen.model.telemetry import Histogram, Matcher, Matchers, Source
from dashgen.resolve.draft import Draft

_COMPARISON = re.compile(r"(<=|>=|<|>)(\d+(?:\.\d+)*)")


def choose(
    draft: Draft, profile: Profile, used: Instrumentation, path: tuple[str, ...]
) -> tuple[Variant | None, list[Diagnostic]]:
    """The variant of a profile for a version; an error when the version is missing, unknown or refused."""
    ranges = ", ".join(v.range for v in profile.versions if v.range and not v.refused)
    for parameter in used.parameters:
        if parameter not in profile.parameters:
            detail = f"{profile.profile} has no parameter “{parameter}”.{did_you_mean(parameter, profile.parameters)}"
            problem = draft.error(
                "spec/parameter", "Unknown parameter", detail, *path, "parameters", parameter, key=True
            )
            return None, [problem]
    if len(profile.versions) == 1 and profile.versions[0].range is None:
        return profile.versions[0], []
    if used.version is None:
        detail = (
            f"{profile.title} changed its metrics between versions. Say which one runs: "
            f"`instrumentation: {{profile: {profile.profile}, version: …}}`, one of {ranges}."
        )
        return None, [draft.error("spec/version", "The profile needs a version", detail, *path)]
    if not re.fullmatch(r"v?\d+(\.\d+){0,3}", used.version):
        detail = f"“{used.version}” is not a version. Write one like 0.69 or 1.2.3."
        return None, [draft.error("spec/version", "Not a version", detail, *path, "version")]
    variant = next((v for v in profile.versions if in_range(used.version, v.range or "")), None)
    if variant is None:
        detail = f"{profile.profile} {used.version} is not covered; the profile knows {ranges}."
        return None, [draft.error("spec/version", "The profile does not know this version", detail, *path, "version")]
    if variant.refused:
        detail = f"{profile.profile} {used.version} cannot be used. {variant.refused} Use one of {ranges}."
        return None, [draft.error("spec/version-refused", "This version's metrics are wrong", detail, *path, "version")]
    return variant, []


def in_range(version: str, ranges: str) -> bool:
    """Whether a version lies in a range; parts that the range does not name are not compared.

    >>> in_range("0.64.1", "<=0.64"), in_range("0.66", ">=0.65 <0.67"), in_range("v0.70", "<0.67")
    (True, True, False)
    """
    have = [int(part) for part in version.lstrip("v").split(".")]
    for comparison, bound in _COMPARISON.findall(ranges):
        want = [int(part) for part in bound.split(".")]
        cut = (have + [0] * len(want))[: len(want)]
        if not {"<": cut < want, "<=": cut <= want, ">": cut > want, ">=": cut >= want}[comparison]:
            return False
    return True


def matchers(selector: Mapping[str, str | Regex]) -> Matchers:
    """A selector as matchers, sorted by label.

    >>> [str(m.value) for m in matchers({"job": "gateway", "az": Regex(regex="eu-.*")})]
    ['eu-.*', 'gateway']
    """
    return tuple(
        Matcher(label, "=~", value.regex, value.sample)
        if isinstance(value, Regex)
        else Matcher(label, "=", value, value)
        for label, value in sorted(selector.items())
    )


def make_source(
    name: str, language: str, profile: Profile, side: Side, used: Instrumentation, selected: Matchers
) -> Source:
    """The native series of one side of one implementation."""
    parameters = {**profile.parameters, **used.parameters}

    def metric(name: str | None) -> str:
        return re.sub(r"\$\{(\w+)\}", lambda m: parameters[m[1]], name or "")

    histogram = None
    if side.duration:
        scale = Decimal("0.001") if side.duration.unit == "milliseconds" else Decimal(1)
        base = metric(side.duration.histogram)
        histogram = Histogram(base, scale, side.duration.buckets, used.native, side.duration.exemplars)
    first = side.errors[0] if side.errors else {}
    every = (*selected, *matchers(side.only))
    failing = (label for each in side.errors for label in each)
    told = {*side.only, *side.ok, *failing, *side.operations.values(), side.peer, side.caller}
    return Source(
        implementation=name,
        language=language,
        profile=profile.profile,
        requests=metric(side.requests),
        failed=metric(side.failed),
        errors=tuple(_alternative(alternative) for alternative in side.errors),
        duration=histogram,
        matchers=every,
        process=every,
        target=tuple(each for each in selected if each.label not in told) or every,  # never all that there is
        ok=tuple(side.ok.items()),
        bad=tuple({**side.ok, **{label: match.example for label, match in first.items()}}.items()),
        sampled=side.sampled,
    )


def _alternative(alternative: Mapping[str, Match]) -> Matchers:
    made: list[Matcher] = []
    for label, match in alternative.items():
        if match.equals is not None:
            made.append(Matcher(label, "=", match.equals, match.example))
        elif match.regex is not None:
            made.append(Matcher(label, "=~", match.regex, match.example))
        else:
            made += [Matcher(label, "!=", match.but or "", match.example), Matcher(label, "!=", "", match.example)]
    return tuple(made)
