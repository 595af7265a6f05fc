"""The one outgoing HTTP client: bounded in time and size, honest about what was sent, recorded without secrets."""

from __future__ import annotations

import functools
import ipaddress
import json
import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from adapters.errors import ChannelError, OutcomeUnknown, TemporarilyRefused

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
CALL_SECONDS = 20.0
MEDIA_SECONDS = 30.0
MAX_ANSWER_BYTES = 1 << 20
RECORDED_CHARACTERS = 500

# Nothing of the request can have reached the other side when one of these is raised.
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_NOT_SENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
_AZURE_HOST_AGENT = ipaddress.ip_address("168.63.129.16")
# They write down whole addresses, and a channel's token may be part of one.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class MediaUnavailable(ChannelError):
    """The bytes of an attachment cannot be had; `code` is not_allowed, too_large, empty or unreachable."""


@dataclass(frozen=True)
class Answer:
    """What the other side said; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is one of the 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, or None when it is anything else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class Exchange:
    """One request and what came back, safe to keep: no query, no header values, no request body, no tokens."""

    method: str
    url: str
    request_headers: tuple[str, ...]
    status: int | None
    elapsed_ms: int
    response: str = ""
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """The exchange as plain JSON values."""
        return asdict(self) | {"request_headers": list(self.request_headers)}


_recorded: ContextVar[list[Exchange] | None] = ContextVar("recorded_exchanges", default=None)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Whose word is taken for who a channel is; read once, for it takes a while."""
    return httpx.create_ssl_context(trust_env=False)


class Http:
    """Speak HTTP on behalf of every channel; one per process, safe to share between threads.

    Neither proxies nor certificates are taken from the environment, no redirect is followed and no
    cookie is kept, so that what one commune's account is told never reaches another's.
    """

    def __init__(
        self,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        call_seconds: float = CALL_SECONDS,
        media_seconds: float = MEDIA_SECONDS,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self._call_seconds = call_seconds
        self._media_seconds = media_seconds
        self._max_answer_bytes = max_answer_bytes
        trust = _certificates()
        timeout = httpx.Timeout(read_seconds, connect=connect_seconds, pool=connect_seconds)
        self._client = _client(trust, timeout, httpx.Limits(max_connections=64, max_keepalive_connections=32))
        # A media connection is checked for one host name only, so it must never serve another at that address.
        self._media_client = _client(trust, timeout, httpx.Limits(max_connections=16, max_keepalive_connections=0))

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
        self._media_client.close()

    @contextmanager
    def recording(self) -> Iterator[list[Exchange]]:
        """Collect the exchanges that this thread makes meanwhile."""
        exchanges: list[Exchange] = []
        token = _recorded.set(exchanges)
        try:
            yield exchanges
        finally:
            _recorded.reset(token)

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        file: tuple[str, bytes, str] | None = None,
        file_field: str = "file",
        hide: Iterable[str] = (),
        told: Callable[[bytes], str] | None = None,
    ) -> Answer:
        """Ask once. TemporarilyRefused: surely nothing was sent; OutcomeUnknown: it may have been.

        `file` is (name, bytes, MIME type), sent as the multipart field `file_field`. Values of headers and form
        fields, and whatever is in `hide`, are taken out of the recorded response; what is in `hide` also out of the
        recorded address. `told`: what of the answer may be recorded at all, where it tells more than is ours to keep.
        """
        headers, form, hide = dict(headers or {}), dict(form or {}), list(hide)
        recorder = _Recorder(method, _masked(url, hide), tuple(headers), [*headers.values(), *form.values(), *hide])
        recorder.told = told
        with recorder.noting():
            files = {file_field: file} if file else None
            return self._ask(recorder, method, url, headers=headers, json=json, data=form or None, files=files)

    def get_media(
        self,
        url: str,
        *,
        max_bytes: int,
        allowed: Callable[[str], bool],
        allow_local: bool = False,
        shown_url: str = "",
    ) -> bytes:
        """Download an attachment from a public host that `allowed` accepts; MediaUnavailable says why not.

        `allow_local` (the sandbox) also accepts plain http and private addresses. `shown_url` is recorded instead of an
        address that holds a secret.
        """
        target = _media_target(url, allowed, allow_local=allow_local)
        addresses = _addresses(target, allow_local=allow_local)
        recorder = _Recorder("GET", shown_url or str(target), (), [])
        with recorder.noting():
            return self._download(recorder, target, addresses, max_bytes)

    def _ask(self, recorder: _Recorder, method: str, url: str, **content: Any) -> Answer:
        try:
            request = self._client.build_request(method, url, **content)
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            recorder.error = type(error).__name__
            raise TemporarilyRefused("not_sendable", _NOT_SENDABLE_SHOWN, tries=3) from None
        try:
            response = self._client.send(request, stream=True)
        except _BEFORE_SENDING as error:
            recorder.error = type(error).__name__
            raise TemporarilyRefused("unreachable", _UNREACHABLE) from None
        except _NOT_SENDABLE as error:
            recorder.error = type(error).__name__
            raise TemporarilyRefused("not_sendable", _NOT_SENDABLE_SHOWN, tries=3) from None
        except httpx.HTTPError as error:
            recorder.error = type(error).__name__
            raise OutcomeUnknown("no_answer", _NO_ANSWER) from None
        try:
            recorder.status = response.status_code
            body = self._read(response, recorder)
        except httpx.HTTPError as error:
            recorder.error = type(error).__name__
            raise OutcomeUnknown("answer_broken", _NO_ANSWER) from None
        finally:
            response.close()
        return Answer(response.status_code, dict(response.headers), body)

    def _read(self, response: httpx.Response, recorder: _Recorder) -> bytes:
        end = recorder.begun + self._call_seconds
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            recorder.body = bytes(body[:_SEEN_BYTES])
            if len(body) > self._max_answer_bytes:
                recorder.error = "AnswerTooLarge"
                raise OutcomeUnknown("answer_too_large", _NO_ANSWER)
            if time.monotonic() > end:
                recorder.error = "AnswerTooSlow"
                raise OutcomeUnknown("answer_too_slow", _NO_ANSWER)
        return bytes(body)

    def _download(self, recorder: _Recorder, target: httpx.URL, addresses: list[_Address], max_bytes: int) -> bytes:
        end = recorder.begun + self._media_seconds
        response = self._reach(recorder, target, addresses)
        try:
            recorder.status = response.status_code
            if response.is_redirect:
                raise media_missing("not_allowed")
            if response.status_code != httpx.codes.OK:
                raise media_missing("unreachable")
            declared = response.headers.get("content-length", "")
            if declared.isdecimal() and len(declared) < 20 and int(declared) > max_bytes:
                raise media_missing("too_large")
            data = bytearray()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > max_bytes:
                    raise media_missing("too_large")
                if time.monotonic() > end:
                    raise media_missing("unreachable")
        except httpx.HTTPError as error:
            recorder.error = type(error).__name__
            raise media_missing("unreachable") from None
        finally:
            response.close()
        # A CDN may answer 200 with nothing for some seconds after the message.
        if not data:
            raise media_missing("empty")
        return bytes(data)

    def _reach(self, recorder: _Recorder, target: httpx.URL, addresses: list[_Address]) -> httpx.Response:
        host = target.raw_host.decode("ascii")
        for address in addresses:
            # The address that was checked is the one connected to: a second look-up could give another.
            request = self._media_client.build_request(
                "GET",
                target.copy_with(host=str(address)),
                headers={"Host": target.netloc.decode("ascii")},
                extensions={"sni_hostname": host},
            )
            try:
                response = self._media_client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                recorder.error = type(error).__name__
            except httpx.HTTPError as error:
                recorder.error = type(error).__name__
                break
            else:
                recorder.error = ""
                return response
        raise media_missing("unreachable")


def _client(trust: Any, timeout: httpx.Timeout, limits: httpx.Limits) -> httpx.Client:
    return httpx.Client(
        verify=trust,
        timeout=timeout,
        limits=limits,
        follow_redirects=False,
        trust_env=False,
        cookies=_no_cookies(),  # the jar itself: httpx copies a Cookies without its policy
        # A few compressed bytes can unfold into gigabytes; what is not compressed can be counted.
        headers={"Accept-Encoding": "identity", "User-Agent": "haichieu"},
    )


def _no_cookies() -> CookieJar:
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _media_target(url: str, allowed: Callable[[str], bool], *, allow_local: bool) -> httpx.URL:
    try:
        target = httpx.URL(url)
        if target.scheme == "http" and not allow_local:
            target = target.copy_with(scheme="https", port=None if target.port == 80 else target.port)
        is_fine = target.scheme in {"http", "https"} and bool(target.raw_host) and not target.userinfo
    except (httpx.InvalidURL, ValueError, TypeError):
        is_fine = False
    if not is_fine or not allowed(str(target)):
        raise media_missing("not_allowed")
    return target


def _addresses(target: httpx.URL, *, allow_local: bool) -> list[_Address]:
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(target.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise media_missing("unreachable") from None
    addresses = list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
    # One private address among public ones is what a rebinding attack looks like: refuse the name.
    if not allow_local and not all(is_public(address) for address in addresses):
        raise media_missing("not_allowed")
    return addresses[:3]


def is_public(address: _Address) -> bool:
    """Whether an address is on the open Internet; IPv4 dressed up as IPv6 is not, but for a network's own NAT64."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address.sixtofour or address.teredo:
            return False
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and address != _AZURE_HOST_AGENT


_SEEN_BYTES = 8 * RECORDED_CHARACTERS
_TELLING_FIELD = re.compile(
    r'"[^"\\]{0,60}(?:token|secret|proof|password|verifier|signature)[^"\\]{0,60}"\s*:\s*'
    r'"?(?P<value>(?<=")(?:[^"\\]|\\.)*|[^\s,}\]]+)',
    re.IGNORECASE,
)


class _Recorder:
    """Notes one exchange while it happens and hands it to whoever is recording."""

    def __init__(self, method: str, url: str, header_names: tuple[str, ...], hidden: list[str]) -> None:
        self.begun = time.monotonic()
        self.status: int | None = None
        self.body = b""
        self.error = ""
        self.told: Callable[[bytes], str] | None = None
        self._method = method
        self._url = url
        self._header_names = header_names
        self._hidden = hidden

    @contextmanager
    def noting(self) -> Iterator[None]:
        try:
            yield
        except ChannelError as error:
            self.error = self.error or error.code
            raise
        finally:
            exchanges = _recorded.get()
            if exchanges is not None:
                exchanges.append(self._exchange())

    def _exchange(self) -> Exchange:
        return Exchange(
            method=self._method,
            url=_without_query(self._url),
            request_headers=self._header_names,
            status=self.status,
            elapsed_ms=round((time.monotonic() - self.begun) * 1000),
            response=redacted(self._tellable(), self._hidden)[:RECORDED_CHARACTERS],
            error=self.error,
        )

    def _tellable(self) -> bytes:
        return self.told(self.body).encode() if self.told and self.body else self.body


def redacted(body: bytes, hidden: Iterable[str] = ()) -> str:
    """A response as text without tokens, secrets and the `hidden` strings."""
    text = body[:_SEEN_BYTES].decode("utf-8", "replace").replace("\0", "")
    # Looked for in the text as it came: taking one kind out first would spoil the marks of the other.
    spans = [match.span("value") for match in _TELLING_FIELD.finditer(text)]
    for value in hidden:
        if len(value) >= 8:
            forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
            spans += [match.span() for form in forms for match in re.finditer(re.escape(form), text)]
    return _without(text, spans)


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    kept, at = [], 0
    for start, end in sorted(spans):
        if start >= at:
            kept += [text[at:start], "***"]
        at = max(at, end)
    return "".join([*kept, text[at:]])


def _without_query(url: str) -> str:
    try:
        return str(httpx.URL(url).copy_with(query=None, fragment=None, userinfo=b""))
    except (httpx.InvalidURL, ValueError):
        return "(not an address)"


def _masked(url: str, hidden: Iterable[str]) -> str:
    for value in hidden:
        if len(value) >= 8:
            url = url.replace(value, "***")
    return url


def media_missing(code: str) -> MediaUnavailable:
    """Why an attachment cannot be had: not_allowed, too_large, empty or unreachable."""
    return MediaUnavailable(code, _MISSING[code])


_UNREACHABLE = "Chưa kết nối được tới kênh. Tin chưa được gửi; hệ thống sẽ tự gửi lại, không cần thao tác."
_NOT_SENDABLE_SHOWN = "Yêu cầu gửi tới kênh không hợp lệ nên chưa gửi. Vui lòng báo người quản trị kiểm tra kênh."
_NO_ANSWER = "Kênh không trả lời rõ ràng nên không biết người dân đã nhận chưa. Có thể gọi điện hoặc bấm Gửi lại."
_MISSING = {
    "not_allowed": "Tệp nằm ở địa chỉ không được phép tải nên không lưu được. Vui lòng xin người dân gửi lại qua kênh.",
    "too_large": "Tệp lớn hơn mức cho phép nên không lưu được. Vui lòng xin người dân gửi tệp nhỏ hơn.",
    "empty": "Kênh chưa đưa nội dung tệp. Hệ thống sẽ tự thử tải lại.",
    "unreachable": "Chưa tải được tệp từ kênh. Hệ thống sẽ tự thử tải lại.",
}
