"""`dashgen.toml` → Settings: every problem at once, each with its line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dashgen.diagnostics import Diagnostic, Span, did_you_mean
from dashgen.push.places import Places
from dashgen.push.settings import RemoteSettings, Secret, Settings

FILE = "dashgen.toml"
TYPES = (
    "grafana",
    "prometheus",
    "vmalert",
    "thanos",
    "mimir",
    "cortex",
    "loki",
    "alertmanager",
    "mimir-alertmanager",
    "cortex-alertmanager",
)
_FILES = ("prometheus", "vmalert", "thanos")
_COMMON = "type url token username password tenant ca cert key timeout parallel headers".split()
_OWN = {
    "grafana": ["allow_ui_edits", "org", "api", "annotate"],
    "alertmanager": ["config", "reload"],
    **{each: ["max_rules", "max_groups"] for each in ("mimir", "cortex", "loki")},
    **{each: ["rules", "reload"] for each in _FILES},
}
_REQUIRED = {"alertmanager": "config", **dict.fromkeys(_FILES, "rules")}
_SECRETS = ("token", "password")
_CERTIFICATES = ("ca", "cert", "key")
_PATHS = (*_CERTIFICATES, "rules", "config")
_APIS = ("auto", "legacy", "apis")
MAX_PARALLEL = 64


def read_settings(path: Path) -> tuple[Settings | None, list[Diagnostic]]:
    """Read the file; every problem at once, each with its line."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        detail = f"{path} names the remotes to push to. `dashgen init` writes a commented one beside the specification."
        return None, [Diagnostic("settings/not-found", "There are no settings for pushing", detail)]
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        return None, [Diagnostic("settings/unreadable", "The settings cannot be read", f"{path}: {why}.")]
    places = Places(str(path), text)
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        span = places.of_error(str(error))
        return None, [Diagnostic("settings/syntax", "The settings are not valid TOML", f"{error}.", span)]
    reader = _Reader(path.parent, places)
    settings = Settings(path, reader.default(data), reader.contexts(data))
    return (None if reader.found else settings), reader.found


class _Reader:
    """Turns tables into settings and collects what is wrong with them."""

    def __init__(self, folder: Path, places: Places):
        self._folder, self._places = folder, places
        self.found: list[Diagnostic] = []

    def default(self, data: Mapping[str, Any]) -> str:
        self._unknown(data, ("default", "contexts"), ())
        default, contexts = data.get("default", ""), data.get("contexts")
        if not isinstance(default, str):
            self._wrong(("default",), "The default is the name of a context.")
        elif default and isinstance(contexts, dict) and default not in contexts:
            self._wrong(("default",), f"There is no context “{default}”.{did_you_mean(default, contexts)}")
        return default if isinstance(default, str) else ""

    def contexts(self, data: Mapping[str, Any]) -> dict[str, tuple[RemoteSettings, ...]]:
        tables = data.get("contexts")
        if not isinstance(tables, dict) or not tables:
            self._wrong(("contexts",), "There is no context. Begin with [contexts.dev.grafana] and its url.")
            return {}
        made = {}
        for context, remotes in tables.items():
            if not isinstance(remotes, dict) or not remotes:
                self._wrong(("contexts", context), f"A context holds remotes: [contexts.{context}.grafana].")
                continue
            read = [self._remote(("contexts", context, name), table) for name, table in remotes.items()]
            made[context] = tuple(each for each in read if each is not None)
        return made

    def _remote(self, at: tuple[str, ...], table: Any) -> RemoteSettings | None:
        if not isinstance(table, dict):
            self._wrong(at, f"A remote is a table: [{'.'.join(at)}].")
            return None
        type = table.get("type", at[-1])
        if not isinstance(type, str) or type not in TYPES:
            place = (*at, "type") if "type" in table else at
            known = f" Known are {', '.join(TYPES)}."
            self._wrong(place, f"“{type}” is no type of remote.{did_you_mean(str(type), TYPES) or known}")
            return None
        self._unknown(table, [*_COMMON, *_OWN.get(type, [])], at)
        made: dict[str, Any] = {"name": at[-1], "type": type}
        for key, value in table.items():
            if key in _COMMON or key in _OWN.get(type, []):
                read = self._value((*at, key), key, value)
                if read is not None:
                    made[key] = read
        self._complete(at, type, table)
        return RemoteSettings(**made)

    def _value(self, at: tuple[str, ...], key: str, value: Any) -> Any:
        if key in _SECRETS:
            return self._secret(at, value)
        if key == "headers":
            return self._headers(at, value)
        if key in ("timeout", "parallel", "org"):
            top = {"timeout": 3600, "parallel": MAX_PARALLEL, "org": 2**31}[key]
            whole = key != "timeout"
            fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool) and 0 < value <= top
            return value if fits else self._wrong(at, f"{key} is a {'whole ' * whole}number from 1 to {top:,}.")
        if key in ("max_rules", "max_groups"):
            limit = type(value) is int and value >= 0
            return value if limit else self._wrong(at, f"{key} is a whole number; 0 means that there is no limit.")
        if key in ("reload", "allow_ui_edits", "annotate"):
            return value if isinstance(value, bool) else self._wrong(at, f"{key} is true or false, without quotes.")
        if not isinstance(value, str) or not value or any(ord(c) < 32 for c in value):
            return self._wrong(at, f"{key} is a text in quotes.")
        if key == "url":
            return self._url(at, value)
        if key == "api" and value not in _APIS:
            return self._wrong(at, f"api is one of {', '.join(_APIS)}.{did_you_mean(value, _APIS)}")
        return self._path(at, value) if key in _PATHS else value

    def _url(self, at: tuple[str, ...], value: str) -> str | None:
        if "@" in value.partition("://")[2].partition("/")[0]:
            self._wrong(at, 'url holds a name or a password. Use username, and password = {env = "…"}.', hide=True)
            return None
        try:
            parts = urlsplit(value)
            names_host = bool(parts.hostname and parts.hostname.encode("idna")) and parts.port != 0
        except ValueError as error:  # a port that is none, half an IPv6 address, a part of a name that is too long
            self._wrong(at, f"url is none: {error}.")
            return None
        if parts.scheme not in ("http", "https") or not names_host or any(char.isspace() for char in value):
            self._wrong(at, "url begins with http:// or https:// and names a host.")
            return None
        return value.rstrip("/")

    def _path(self, at: tuple[str, ...], value: str) -> Path | None:
        """A path, from the folder of the settings; of certificates the file must be there."""
        try:
            path = self._folder / Path(value).expanduser()
        except RuntimeError:  # `~name` of nobody
            self._wrong(at, f"{value} begins with the home of a user whom nobody knows.")
            return None
        if at[-1] in _CERTIFICATES and not path.is_file():
            self._wrong(at, f"There is no file {path}.")
        return path

    def _secret(self, at: tuple[str, ...], value: Any) -> Secret | None:
        if isinstance(value, dict) and len(value) == 1:
            kind, where = next(iter(value.items()))
            if kind in ("env", "file") and isinstance(where, str) and where and where.isprintable():
                return Secret(env=where) if kind == "env" else Secret(file=self._path(at, where))
        ways = f'{at[-1]} = {{env = "VARIABLE"}} or {{file = "PATH"}}'
        why = "A secret must not stand in this file, which is meant for git" if isinstance(value, str) else "Wrong form"
        self._wrong(at, f"{why}. Write {ways}.", hide=True)
        return None

    def _headers(self, at: tuple[str, ...], value: Any) -> dict[str, str | Secret] | None:
        if not isinstance(value, dict):
            self._wrong(at, 'headers is a table: {X-Name = "value"}.', hide=True)
            return None
        made: dict[str, str | Secret] = {}
        for name, each in value.items():
            plain = isinstance(each, str) and each.isprintable()
            if plain and not any(word in name.lower() for word in ("auth", "token", "key", "cookie", "secret")):
                made[name] = each
            elif secret := self._secret((*at, name), each):
                made[name] = secret
        return made

    def _complete(self, at: tuple[str, ...], type: str, table: Mapping[str, Any]) -> None:
        needed = _REQUIRED.get(type)
        if needed and needed not in table:
            self._wrong(at, f'A remote of the type {type} needs {needed} = "…".')
        if "url" not in table and (not needed or table.get("reload", True)):
            self._wrong(at, f"A remote of the type {type} needs a url{', or reload = false' if needed else ''}.")
        for one, other in (("username", "password"), ("password", "username"), ("cert", "key"), ("key", "cert")):
            if one in table and other not in table:
                self._wrong((*at, one), f"{one} needs {other} beside it.")
        if "token" in table and "password" in table:
            self._wrong((*at, "token"), "Give a token or a password, not both.", hide=True)

    def _unknown(self, table: Mapping[str, Any], known: Any, at: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                near = did_you_mean(key, known) or f" Known are {', '.join(known)}."
                self._wrong((*at, key), f"“{key}” is not known here.{near}", hide=True)

    def _wrong(self, at: tuple[str, ...], detail: str, *, hide: bool = False) -> None:
        span = self._places.of(at)
        if span and hide:  # the line may hold a secret
            span = Span(span.file, span.line, span.column, span.end)
        self.found.append(Diagnostic("settings/invalid", "A setting is not valid", f"{'.'.join(at)}: {detail}", span))
