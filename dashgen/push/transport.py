"""HTTP for every remote: verified, bounded, patient with servers that are busy, silent about secrets."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests

from dashgen.exits import Exit
from dashgen.push.remotes import RemoteError
from dashgen.push.settings import RemoteSettings, Secret

LARGEST = 64 * 1024 * 1024  # bytes of an answer, unpacked
TRIES = 5
LONGEST_WAIT = 30.0  # seconds between two tries, whatever the server asks for
SHOWN = 300  # characters of a server's own words


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: the status, the whole body, and the headers by lower-case name."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    asked: str
    strange: str = ""  # what to say where this cannot come from the product that was asked

    def json(self) -> Any:
        """The body as JSON; `RemoteError` where it is something else, such as the page of a login."""
        try:
            return orjson.loads(self.body)
        except ValueError:
            kind = self.headers.get("content-type", "nothing in particular")
            raise RemoteError(
                f"{self.asked} answered {self.status} with {kind} instead of JSON. {self.strange}",
                status=self.status,
            ) from None

    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


class Transport:
    """Calls one remote. Certificates are always verified, and no secret goes to another host.

    A call is repeated when the server is busy or ill (429, 5xx) or the connection breaks, with growing pauses or
    those that `Retry-After` asks for; calls that must not happen twice say `again=False` and are repeated for 429 only.
    """

    def __init__(self, settings: RemoteSettings):
        self.settings = settings
        self._secrets = [each for each in (settings.token, settings.password) if each]
        self._secrets += [value for value in settings.headers.values() if isinstance(value, Secret)]
        self._session = _Session()
        self._session.trust_env = False  # no .netrc and no proxy that nobody asked for
        self._session.verify = str(settings.ca) if settings.ca else True
        self._session.mount("https://", _adapter(settings))
        self._session.mount("http://", _adapter(settings))
        if settings.cert:
            self._session.cert = (str(settings.cert), str(settings.key)) if settings.key else str(settings.cert)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        content_type: str = "",
        headers: Mapping[str, str] | None = None,
        again: bool | None = None,
        expected: Collection[int] = (),
    ) -> Answer:
        """Ask, and give the answer when its status is 2xx or `expected`; everything else is a `RemoteError`.

        `again` says whether a call that may have arrived can be repeated; by default all but POST.
        """
        data = orjson.dumps(json) if json is not None else body
        kind = {"Content-Type": content_type or "application/json"} if data is not None else {}
        sent = {**self._headers(), **kind, **(headers or {})}
        asked = f"{self.settings.name}: {method} {urlsplit(path).path}"
        repeatable = method != "POST" if again is None else again
        problem: RemoteError | None = None
        for pause in _pauses():
            try:
                answer = self._once(method, path, params, data, sent, asked)
            except requests.exceptions.SSLError as error:
                raise RemoteError(
                    self._text(f"{asked}: {_cause(error)}. Give `ca` or mend the certificate."), Exit.UNREACHABLE
                ) from None
            except (UnicodeError, requests.exceptions.InvalidHeader):
                raise RemoteError(
                    f"{asked}: the token or a header has characters that HTTP cannot carry. Check how it was copied.",
                    Exit.USAGE,
                ) from None
            except (requests.RequestException, OSError) as error:
                problem = RemoteError(self._text(f"{asked}: {_cause(error)}."), Exit.UNREACHABLE)
                refused = isinstance(
                    error, requests.exceptions.ConnectTimeout | requests.exceptions.ConnectionError
                ) and ("refused" in str(error))
                if not repeatable and not refused:
                    raise problem from None
                wait = pause
            else:
                if 200 <= answer.status < 300 or answer.status in expected:
                    return answer
                problem = self._error(method, answer)
                if answer.status != 429 and not (repeatable and answer.status >= 500):
                    raise problem
                wait = _asked_for(answer, pause)
            if pause:
                time.sleep(wait)
        assert problem is not None
        raise problem

    def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        data: bytes | None,
        headers: Mapping[str, str],
        asked: str,
    ) -> Answer:
        """One request and its whole answer, read in pieces so that none grows past the bound."""
        wait = self.settings.timeout
        deadline = time.monotonic() + 4 * wait
        with self._session.request(
            method,
            self.settings.url + path,
            params=params,
            data=data,
            headers=headers,
            timeout=(min(10.0, wait), wait),
            stream=True,
            allow_redirects=False,
        ) as response:
            if 300 <= response.status_code < 400:
                place = _place(response.headers.get("Location", ""))
                raise RemoteError(
                    self._text(
                        f"{asked} was sent on to {place}; dashgen does not follow. Give the final address as `url`."
                    ),
                    status=response.status_code,
                )
            size, pieces = 0, []
            for piece in response.iter_content(65536):
                size += len(piece)
                if size > LARGEST or time.monotonic() > deadline:
                    raise RemoteError(f"{asked}: the answer is too large or too slow (read {size:,} bytes).")
                pieces.append(piece)
            return Answer(
                response.status_code,
                b"".join(pieces),
                {name.lower(): value for name, value in response.headers.items()},
                asked,
                self._strange,
            )

    @property
    def _strange(self) -> str:
        settings = self.settings
        return f"What answers at {settings.url} does not look like {settings.type}. Is `url` right?"

    def _headers(self) -> dict[str, str]:
        settings = self.settings
        headers = {"User-Agent": "dashgen", "Accept": "application/json, application/yaml, */*;q=0.1"}
        headers |= {k: v.reveal() if isinstance(v, Secret) else v for k, v in settings.headers.items()}
        if settings.tenant:
            headers["X-Scope-OrgID"] = settings.tenant
        if settings.org:
            headers["X-Grafana-Org-Id"] = str(settings.org)
        if settings.token:
            headers["Authorization"] = f"Bearer {settings.token.reveal()}"
        elif settings.username:
            word = settings.password.reveal() if settings.password else ""
            headers["Authorization"] = requests.auth._basic_auth_str(settings.username.encode(), word.encode())
        return headers

    def _error(self, method: str, answer: Answer) -> RemoteError:
        """What a refusal means and what to do about it."""
        status = answer.status
        said = self._text(_words(answer))[:SHOWN].rstrip(".")  # shortened last: half a secret would not be masked
        text = f"{answer.asked} answered {status}" + (f": {said}" if said else "")
        if status == 401:
            return RemoteError(f"{text}. Check the token or the password.", Exit.REFUSED, status)
        if status == 403:
            return RemoteError(f"{text}. The token lacks a permission; see docs/security.md.", Exit.REFUSED, status)
        if status in (409, 412):
            return RemoteError(f"{text}. Somebody changed it meanwhile; plan again.", status=status, stale=True)
        if status == 404 and method == "GET":
            return RemoteError(f"{text}. {answer.strange}", status=status)
        return RemoteError(f"{text}.", status=status)

    def _text(self, text: str) -> str:
        """A text without secrets; whoever prints it takes care of what a terminal would obey."""
        sent = self._headers().get("Authorization", "").rpartition(" ")[2]  # of a password, in base64
        for secret in (*(each.reveal() for each in self._secrets), sent):
            text = text.replace(secret, "…") if secret else text
        return text


class _Session(requests.Session):
    """Sees no redirections: requests would read the body of one, however large, before anybody can refuse it."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, whatever the answer says."""


def _adapter(settings: RemoteSettings) -> requests.adapters.HTTPAdapter:
    return requests.adapters.HTTPAdapter(pool_connections=2, pool_maxsize=max(4, settings.parallel))


def _pauses() -> Iterator[float]:
    """Seconds to wait after each try: half a second, doubled each time, with some chance; 0 after the last."""
    for position in range(TRIES - 1):
        yield 0.5 * 2**position * random.uniform(0.75, 1.25)  # noqa: S311 - no secret hangs on it
    yield 0.0


def _place(location: str) -> str:
    """The host that a redirection leads to, without what else stands in its address."""
    try:
        where = urlsplit(location)
    except ValueError:
        return "no valid address"
    return f"{where.scheme}://{where.netloc}" if where.netloc else "another path"


def _asked_for(answer: Answer, pause: float) -> float:
    """The pause that the server asks for, within reason."""
    try:
        return min(max(0.0, float(answer.headers.get("retry-after", ""))), LONGEST_WAIT)  # in this order nan is 0
    except ValueError:
        return pause


def _words(answer: Answer) -> str:
    """The server's own words about a refusal: the `message` of its JSON or its text."""
    if "html" in answer.headers.get("content-type", ""):
        return "a page of HTML"
    try:
        said = orjson.loads(answer.body)
    except ValueError:
        said = answer.text()
    if isinstance(said, dict):
        said = said.get("message") or said.get("error") or ""
    return " ".join(str(said).split())


def _cause(error: BaseException) -> str:
    """What lies at the bottom of a chain of exceptions, in a few words."""
    text = str(error)
    for sign, words in (
        ("refused", "nobody listens there (connection refused)"),
        ("Name or service not known", "the host's name is unknown"),
        ("name resolution", "the host's name is unknown"),
        ("certificate", "the certificate is not trusted"),
        ("timed out", "no answer in time"),
    ):
        if sign in text:
            return words
    return f"the connection broke ({type(error).__name__})"
