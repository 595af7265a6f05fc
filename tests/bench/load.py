"""A load generator that spends little itself: prepared bytes over kept-alive connections, one thread."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field


@dataclass
class Load:
    """What came back: acknowledgements, other statuses, and how long each took."""

    seconds: float = 0.0
    acknowledged: int = 0
    refused: int = 0
    millis: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Acknowledged requests per second."""
        return self.acknowledged / self.seconds

    def percentile(self, percent: float) -> float:
        """The time below which this share of the answers came, in milliseconds."""
        ordered = sorted(self.millis)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


class _Connection(asyncio.Protocol):
    def __init__(self, work: _Work, done: asyncio.Future[None]) -> None:
        self._work = work
        self._done = done
        self._sent_at = 0.0
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if b"\r\n\r\n" not in self._buffer:
            return
        load = self._work.load
        load.millis.append((time.perf_counter() - self._sent_at) * 1000)
        if self._buffer.startswith(b"HTTP/1.1 200"):
            load.acknowledged += 1
        else:
            load.refused += 1
        self._buffer = b""
        self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _next(self) -> None:
        request = self._work.take()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


class _Work:
    def __init__(self, requests: list[bytes], until: float) -> None:
        self.load = Load()
        self._requests = iter(requests)
        self._until = until

    def take(self) -> bytes | None:
        return None if time.perf_counter() > self._until else next(self._requests, None)


def run_load(port: int, requests: list[bytes], connections: int, seconds: float) -> Load:
    """Send the requests from so many connections, each waiting for its answer, until time or requests run out."""

    async def run() -> Load:
        loop = asyncio.get_running_loop()
        begun = time.perf_counter()
        work = _Work(requests, begun + seconds)
        waits = [loop.create_future() for _ in range(connections)]
        for wait in waits:
            await loop.create_connection(lambda wait=wait: _Connection(work, wait), "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.gather(*waits)
        work.load.seconds = time.perf_counter() - begun
        return work.load

    return asyncio.run(run())
