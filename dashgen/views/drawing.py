"""The service graph as a drawing: Mermaid, DOT or JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashgen.model.graph import Edge, Graph
from dashgen.model.units import duration, number


def mermaid(graph: Graph, languages: Mapping[str, str]) -> str:
    """A Mermaid flowchart: services by team, coloured by language, soft calls dotted."""
    ids = {service.name: f"s{position}" for position, service in enumerate(graph.services)}
    lines = ["flowchart LR"]
    for team in graph.teams:
        mine = [service for service in graph.services if service.team.name == team.name]
        if mine:
            lines.append(f'  subgraph t_{ids[mine[0].name]}["{_mermaid(team.title)}"]')
            lines += [
                f'    {ids[s.name]}["{_mermaid(s.title)}<br/>{_mermaid(s.language)}"]:::{_class(s.language)}'
                for s in mine
            ]
            lines.append("  end")
    for edge in graph.edges:
        arrow = "-->" if edge.criticality == "hard" else "-.->"
        lines.append(f'  {ids[edge.client.name]} {arrow}|"{_mermaid(_label(edge))}"| {ids[edge.server.name]}')
    for language in sorted({service.language for service in graph.services}):
        color = languages.get(language.rpartition("+")[2], languages["other"])
        lines.append(f"  classDef {_class(language)} fill:{color},stroke:#333,color:#fff")
    return "\n".join(lines)


def dot(graph: Graph, languages: Mapping[str, str]) -> str:
    """Graphviz's DOT."""
    lines = ["digraph {", "  rankdir=LR;", '  node [shape=box, style="filled,rounded", fontcolor=white];']
    for service in graph.services:
        color = languages.get(service.language.rpartition("+")[2], languages["other"])
        lines.append(
            f"  {_dot(service.name)} [label={_dot(f'{service.title} ({service.language})')}, fillcolor={_dot(color)}];"
        )
    for edge in graph.edges:
        style = "solid" if edge.criticality == "hard" else "dashed"
        lines.append(
            f"  {_dot(edge.client.name)} -> {_dot(edge.server.name)} [label={_dot(_label(edge))}, style={style}];"
        )
    return "\n".join([*lines, "}"])


def data(graph: Graph) -> dict[str, Any]:
    """The graph as plain data."""
    return {
        "graph": graph.settings.name,
        "services": [
            {
                "name": service.name,
                "title": service.title,
                "language": service.language,
                "team": service.team.name,
                "tier": service.tier,
                "dashboard": service.uid,
                "profiles": [each.profile for each in service.implementations],
                "slos": [
                    {"name": slo.name, "kind": slo.kind, "objective": number(slo.objective), "window": slo.window_name}
                    for slo in service.slos
                ],
            }
            for service in graph.services
        ],
        "calls": [
            {
                "client": edge.client.name,
                "server": edge.server.name,
                "protocol": edge.protocol,
                "criticality": edge.criticality,
                "timeout": duration(edge.timeout) if edge.timeout else None,
                "measured": bool(edge.sources),
            }
            for service in graph.services
            for edge in service.calls
        ],
        "chains": [
            {
                "name": chain.name,
                "title": chain.title,
                "path": [hop.service.name for hop in chain.hops],
                "dashboard": chain.uid,
            }
            for chain in graph.chains
        ],
    }


def _label(edge: Edge) -> str:
    return edge.protocol + (f", {duration(edge.timeout)}" if edge.timeout else "")


def _class(language: str) -> str:
    return "l_" + "".join(char if char.isascii() and char.isalnum() else "_" for char in language)


def _mermaid(text: str) -> str:
    """Text inside quotes: what Mermaid would read is written as an entity."""
    return "".join(char if char.isalnum() or char in " .,:/-_+→" else f"#{ord(char)};" for char in text)


def _dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
