"""What users write: the shape of `services.yaml`, key by key."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from dashgen.model.fields import (
    Date,
    Duration,
    KubernetesLabel,
    KubernetesName,
    KubernetesValue,
    LabelName,
    Labels,
    Line,
    MetricName,
    Model,
    Name,
    Percent,
    Shorthand,
    Text,
    Url,
    Written,
    fault,
)


class Silence(Model):
    """Silences one check for the entry in which it stands, until a date."""

    check: str = Field(description="The id of the check, such as `slo/feasible`.")
    reason: Line = Field(description="Why the finding is accepted; shown with the silenced finding.")
    until: Date = Field(description="The last day on which the silence holds, such as 2027-01-31.")


class Datasources(Model):
    """The uids of the Grafana datasources that dashboards select at first."""

    metrics: Line = Field("prometheus", description="The Prometheus datasource.")
    traces: Line = Field("tempo", description="The Tempo datasource.")
    logs: Line = Field("loki", description="The Loki datasource.")


class Kubernetes(Model):
    """What the manifests of `dashgen generate --target kubernetes` bear."""

    namespace: KubernetesName | None = Field(None, description="Their namespace; without one, whoever applies decides.")
    labels: dict[KubernetesLabel, KubernetesValue] = Field(
        default_factory=dict,
        description="Labels by which operators choose, such as `{release: kube-prometheus-stack}`.",
    )
    grafana: dict[KubernetesLabel, KubernetesValue] = Field(
        {"dashboards": "grafana"},
        min_length=1,
        description="Labels of the `Grafana` that dashboards are loaded into; by default `{dashboards: grafana}`.",
    )


class Defaults(Model):
    """What holds for the whole graph unless an entry says otherwise."""

    env: Name = Field("prod", description="The environment; a label of every series and alert.")
    scrape_interval: Duration = Field("15s", description="How often Prometheus scrapes the services; 1s to 1m.")  # type: ignore[assignment]
    window: Duration = Field("30d", description="The SLO window, 7d to 90d.")  # type: ignore[assignment]
    datasources: Datasources = Field(default_factory=Datasources, description="Grafana datasources by kind of signal.")
    runbooks: Url | None = Field(
        None, description="Where `out/runbooks/` is published; the base of every `runbook_url`."
    )
    grafana: Url | None = Field(None, description="The address of Grafana; the base of every `dashboard_url`.")
    selector: Labels = Field(default_factory=dict, description="Labels that select every service, such as a namespace.")
    dimensions: tuple[LabelName, ...] = Field(
        (), description="Native labels that the service series keep, such as `region`; each becomes a variable."
    )
    kubernetes: Kubernetes = Field(default_factory=Kubernetes, description="What Kubernetes manifests bear.")


class Team(Model):
    """A team: where its pages and tickets go, and who may edit its dashboards."""

    title: Line | None = Field(None, description="The name for people.")
    page: Line = Field(description="The Alertmanager receiver for pages, by name.")
    ticket: Line = Field(description="The Alertmanager receiver for tickets, by name.")
    editors: tuple[Line, ...] = Field((), description="Grafana teams that may edit the team's folder.")


class Instrumentation(Model):
    """The library that makes a service's metrics: a profile and, where its metrics changed, a version."""

    profile: Name = Field(description="The name of a profile in `contract/profiles/`.")
    version: Written | None = Field(None, description="The version of the library, where the profile asks for it.")
    native: bool = Field(False, description="Durations are native histograms, which vmalert cannot read.")
    parameters: dict[LabelName, Name] = Field(
        default_factory=dict, description="Values for the profile's parameters, such as a metric prefix."
    )


InstrumentationField = Annotated[Instrumentation, Shorthand("profile")]


class Release(Model):
    """Where a service's version can be read, for release annotations."""

    metric: MetricName = Field(description="A metric with one series per running version, such as `build_info`.")
    label: LabelName = Field(description="The label that holds the version.")


class Implementation(Model):
    """One of several implementations of a service, as in a migration from Go to Rust."""

    language: Name = Field(description="The language: `go`, `rust`, or any other.")
    instrumentation: InstrumentationField = Field(description="A profile, or a profile with a version.")
    selector: Labels = Field(default_factory=dict, description="Labels that select this implementation's series.")
    operations: dict[Name, Labels] = Field(
        default_factory=dict, description="Operations whose native labels differ here."
    )
    runtime: Name | None = Field(None, description="The runtime profile, where it is not the instrumentation's own.")
    release: Release | None = Field(None, description="Where the running version can be read.")


class Call(Model):
    """A call from one service to another."""

    protocol: Literal["http", "grpc", "messaging", "sql", "redis", "other"] = Field(
        "http", description="How the caller reaches the callee."
    )
    criticality: Literal["hard", "soft"] = Field(
        "hard", description="`hard`: without the callee the caller fails; `soft`: it does without."
    )
    timeout: Duration | None = Field(None, description="How long the caller waits.")
    instrumentation: InstrumentationField | None = Field(
        None,
        description="The profile of the client metric, where it is not the caller's own; `servicegraph` for traces.",
    )
    selector: Labels = Field(default_factory=dict, description="Labels that name the callee in the client metric.")
    silence: tuple[Silence, ...] = Field((), description="Checks that are silenced for this call.")


class Tier(Model):
    """One burn-rate alert: it fires when the budget burns too fast over a long and a short window."""

    name: Name = Field(description="What the tier is called, such as `page-fast`.")
    severity: Literal["page", "ticket"] = Field(description="Whether a person is woken or a ticket is opened.")
    long: Duration = Field(description="The long window; it decides whether enough budget is gone.")
    short: Duration = Field(description="The short window; it ends the alert soon after the burning ends.")
    budget: Percent = Field(description="The share of the error budget that may burn in the long window.")
    minimum_bad_events: int = Field(
        1, ge=0, le=1_000_000, description="Bad events in the long window below which the tier stays silent."
    )


def _told_apart(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    for name, count in Counter(tier.name for tier in tiers).items():
        if count > 1:
            raise fault("tiers", f"{count} tiers are called “{name}”, so their alerts would be one; rename all but one")
    return tiers


Tiers = Annotated[tuple[Tier, ...], AfterValidator(_told_apart)]


class BurnRates(Model):
    """Which burn-rate tiers watch an objective."""

    table: Name | None = Field(
        None, description="A table in `alerts/windows/`; by default the one for the SLO's window."
    )
    tiers: Tiers = Field((), description="Tiers that replace the table's.")
    off: tuple[Name, ...] = Field((), description="Tiers of the table that are switched off.")
    minimum_bad_events: int | None = Field(
        None, ge=0, le=1_000_000, description="Replaces the number of bad events that every tier waits for."
    )


class Slo(Model):
    """A promise: the share of good events over a window."""

    title: Line | None = Field(None, description="The name for people.")
    description: Text | None = Field(None, description="What the promise means to a user.")
    type: Literal["availability", "latency"] | None = Field(
        None, description="What counts as bad: failed requests, or slow ones. A threshold makes it `latency`."
    )
    objective: Percent = Field(description="Good events in percent, above 0 and below 100, such as 99.9.")
    window: Duration | None = Field(None, description="The window of the promise, 7d to 90d.")
    threshold: Duration | None = Field(None, description="The duration up to which a request is fast enough.")
    operation: Name | None = Field(None, description="An operation of the service; all requests without one.")
    burn_rates: Annotated[BurnRates, Shorthand("table")] = Field(
        default_factory=BurnRates,
        description="The burn-rate tiers: a table's name, or what differs from it.",
    )
    silence: tuple[Silence, ...] = Field((), description="Checks that are silenced for this SLO.")


class Service(Model):
    """A service: who owns it, how it is instrumented, whom it calls, what it promises."""

    title: Line | None = Field(None, description="The name for people.")
    description: Text | None = Field(None, description="What the service does.")
    language: Name | None = Field(None, description="The language: `go`, `rust`, or any other.")
    team: Name = Field(description="The team that owns the service.")
    tier: int = Field(
        2, ge=1, le=4, description="How much depends on it: 1 most, 4 least. 1 and 2 page when they vanish."
    )
    scales_to_zero: bool = Field(
        False,
        description="None runs while nobody calls it, as of a function: it has vanished when it is called in vain.",
    )
    instrumentation: InstrumentationField | None = Field(None, description="A profile, or a profile with a version.")
    selector: Labels = Field(default_factory=dict, description="Labels that select the service's series.")
    operations: dict[Name, Labels] = Field(
        default_factory=dict, description="Parts of the service's traffic that are watched on their own."
    )
    implementations: dict[Name, Implementation] = Field(
        default_factory=dict, description="Two or more implementations at once, instead of one language and profile."
    )
    runtime: Name | None = Field(None, description="The runtime profile, where it is not the instrumentation's own.")
    release: Release | None = Field(None, description="Where the running version can be read.")
    logs: dict[LabelName, Written] = Field(
        default_factory=dict, description="Loki labels that select the service's logs."
    )
    traces: dict[Line, Written] = Field(default_factory=dict, description="Resource attributes that select its traces.")
    calls: dict[Name, Call] = Field(default_factory=dict, description="The services that it calls.")
    slos: dict[Name, Slo] = Field(default_factory=dict, description="What it promises.")
    silence: tuple[Silence, ...] = Field((), description="Checks that are silenced for this service.")


class Chain(Model):
    """A path of calls that users feel as one; promised and measured at its entry."""

    title: Line | None = Field(None, description="The name for people.")
    description: Text | None = Field(None, description="What a user does along this path.")
    team: Name | None = Field(None, description="The team that is paged; by default the entry's.")
    path: tuple[Annotated[str, Field(pattern=r"^[^/]+(/[^/]+)?$")], ...] = Field(
        min_length=2, max_length=16, description="Services from the entry inward, `service` or `service/operation`."
    )
    slos: dict[Name, Slo] = Field(default_factory=dict, description="What the chain promises from end to end.")
    silence: tuple[Silence, ...] = Field((), description="Checks that are silenced for this chain.")


class Spec(Model):
    """A service graph."""

    version: Literal["dashgen/v1"] = Field(description="The version of this format.")
    graph: Name = Field(description="The name of the graph; part of every uid and rule group.")
    title: Line | None = Field(None, description="The name for people.")
    defaults: Defaults = Field(default_factory=Defaults, description="What holds unless an entry says otherwise.")
    teams: dict[Name, Team] = Field(description="The teams.")
    services: dict[Name, Service] = Field(description="The services.")
    chains: dict[Name, Chain] = Field(default_factory=dict, description="The chains.")
    silence: tuple[Silence, ...] = Field((), description="Checks that are silenced for the whole graph.")

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema for editors. A folder's files share the work, so none needs more than `version`."""
        schema = cls.model_json_schema()
        schema["required"] = ["version"]
        schema["patternProperties"] = {"^x-": {"description": "Free for anchors and notes; dashgen does not read it."}}
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "dashgen services.yaml"}
