"""The labels of every alert that was generated, for those who have to know which route takes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dashgen.model.artifact import Artifact
from dashgen.push.reading import yaml_data

# The rules are as dashgen writes and indents them; to parse all of each file would take ten times as long.
_ALERT = re.compile(r"^  - (alert: .+\n)(?:    .*\n|\n)*?    labels:\n((?:      .*\n|\n(?=\n*      ))+)", re.MULTILINE)
_WRITTEN = "{{"  # a value that Prometheus fills in


def alert_labels(artifacts: Iterable[Artifact]) -> list[Mapping[str, str]]:
    """The labels of all alerts, with the name. What only others of them bear is empty; what nobody knows is left out.

    >>> text = b'''
    ...   - alert: A
    ...     expr: b
    ...     labels:
    ...       slo: "1"
    ...   - alert: B
    ...     labels:
    ...       slo: "{{ $labels.c }}"
    ...       team: d
    ... '''
    >>> alert_labels([Artifact("", "", "rules", text)])
    [{'alertname': 'A', 'slo': '1', 'team': ''}, {'alertname': 'B', 'team': 'd'}]
    """
    made = [each for artifact in artifacts if artifact.kind == "rules" for each in _labels(artifact)]
    nowhere = dict.fromkeys(label for each in made for label in each)
    return [{label: text for label in nowhere if _WRITTEN not in (text := str(each.get(label, "")))} for each in made]


def _labels(artifact: Artifact) -> list[dict[str, object]]:
    text = "".join(
        f"- {name.replace('alert:', 'alertname:', 1)}{re.sub('(?m)^    ', '', labels)}"
        for name, labels in _ALERT.findall(artifact.content.decode())
    )
    return yaml_data(text, artifact.path) or []
