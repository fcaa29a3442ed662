"""The new API of the Grafana of tests: resources under `/apis`, strictly validated."""

from __future__ import annotations

from typing import Any

from tests.fakes.grafana_state import NOW, OWN, Refused, State, conflicts

Answer = tuple[int, Any]
PAGE = 3  # a server may give less than it was asked for


def group(state: State, who: str, params: dict[str, str], body: Any, name: str) -> Answer:
    """What versions a group has."""
    versions = [{"version": each, "groupVersion": f"{name}/{each}"} for each in state.data["versions"]]
    return 200, {"kind": "APIGroup", "name": name, "versions": versions, "preferredVersion": versions[0]}


def listed(state: State, who: str, params: dict[str, str], body: Any, kind: str) -> Answer:
    """Resources in the order of names, page by page."""
    size = min(int(params.get("limit", "500")), PAGE)
    names = sorted(name for name in state.data[kind] if name > params.get("continue", ""))
    more = names[size - 1] if len(names) > size else ""
    items = [_resource(state, kind, name) for name in names[:size]]
    return 200, {"items": items, "metadata": {"continue": more} if more else {}}


def get(state: State, who: str, params: dict[str, str], body: Any, kind: str, name: str) -> Answer:
    """One resource."""
    return 200, _resource(state, kind, name)


def create(state: State, who: str, params: dict[str, str], body: Any, kind: str) -> Answer:
    """Create a resource."""
    name = body["metadata"]["name"]
    if name in state.data[kind]:
        raise Refused(409, f'{kind} "{name}" already exists', "AlreadyExists")
    return _write(state, who, body, kind, name, 201)


def update(state: State, who: str, params: dict[str, str], body: Any, kind: str, name: str) -> Answer:
    """Replace a resource that still has the version that is given."""
    _fresh(state, kind, name, body["metadata"].get("resourceVersion"))
    return _write(state, who, body, kind, name, 200)


def delete(state: State, who: str, params: dict[str, str], body: Any, kind: str, name: str) -> Answer:
    """Delete a resource, if its version is the one of the precondition."""
    _fresh(state, kind, name, body.get("preconditions", {}).get("resourceVersion"))
    state.remove(kind, name)
    return 200, {"status": "Success"}


def _fresh(state: State, kind: str, name: str, version: str | None) -> None:
    now = _resource(state, kind, name)["metadata"]["resourceVersion"]
    if version is not None and version != now:
        raise Refused(409, "the object has been modified; apply your changes to the latest version", "Conflict")


def _write(state: State, who: str, body: Any, kind: str, name: str, status: int) -> Answer:
    metadata, spec = body["metadata"], body["spec"]
    notes = dict(metadata.get("annotations", {}))
    if kind == "folders":
        state.write_folder(name, spec["title"], notes)
    else:
        if problems := list(conflicts(spec)):
            raise Refused(422, f'Dashboard "{name}" is invalid: {"; ".join(problems)}', "Invalid")
        folder = notes.pop(f"{OWN}folder", "")
        notes.pop(f"{OWN}message", None)
        state.write_dashboard(name, spec, folder, who, notes, metadata.get("labels", {}))
    return status, _resource(state, kind, name)


def _resource(state: State, kind: str, name: str) -> dict[str, Any]:
    held = state.data[kind].get(name)
    if not held:
        raise Refused(404, f'{kind} "{name}" not found', "NotFound")
    notes = {f"{OWN}updatedBy": held["by"], f"{OWN}updatedTimestamp": NOW, **held["notes"]}
    if held.get("folder"):
        notes[f"{OWN}folder"] = held["folder"]
    if held.get("provisioned"):
        notes |= {f"{OWN}managedBy": "classic-file-provisioning", f"{OWN}managerId": held["provisioned"]}
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"internal-{name}",
            "resourceVersion": str(held["rv"]),
            "generation": held["version"],
            "creationTimestamp": NOW,
            "labels": held.get("labels", {}),
            "annotations": notes,
        },
        "spec": held["spec"] if kind == "dashboards" else {"title": held["title"]},
        "status": held.get("status", {}),
    }


_ONE = r"/apis/(?:dashboard|folder)\.grafana\.app/v1(?:beta1)?/namespaces/default/(dashboards|folders)"
ROUTES = (
    ("GET", r"/apis/((?:dashboard|folder)\.grafana\.app)", group),
    ("GET", _ONE, listed),
    ("POST", _ONE, create),
    ("GET", f"{_ONE}/([^/]+)", get),
    ("PUT", f"{_ONE}/([^/]+)", update),
    ("DELETE", f"{_ONE}/([^/]+)", delete),
)
