"""A TCP relay on 127.0.0.1 that stands on a way, to delay it or to break it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Mode = Literal["refused", "silent", "reset", "wrong", "slow", "half", "cut"]

_WRONG = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 8\r\n\r\n<html/>\n"
_CHUNK = 65536
_DRIP_S = 0.05


class Relay:
    """Passes connections on to another port, each direction late by half a round trip.

    Args:
        target: the port that it leads to; may be set later.
        round_trip_s: what a round trip over it takes, also the one in which TCP connects.

    Attributes:
        port: where it listens.
        mode: how it breaks the connections that begin from now on; None passes all on.
        after: octets from the target that ``half`` and ``cut`` still let through.
        turns: how often one side spoke after the other had, over all connections: twice the round trips.
    """

    def __init__(self, target: int = 0, round_trip_s: float = 0.0) -> None:
        self.target, self.round_trip_s = target, round_trip_s
        self.port = 0
        self.mode: Mode | None = None
        self.after = 20
        self.turns = 0
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._thread.start()
        self._run(self._listen())

    def close(self) -> None:
        """Stop, with all connections."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @contextmanager
    def broken(self, mode: Mode, after: int = 20) -> Iterator[None]:
        """Break new connections for the length of a block; those that stand are ended before and after."""
        self._run(self._drop())
        self.mode, self.after = mode, after
        if mode == "refused":
            self._run(self._stop_listening())
        try:
            yield
        finally:
            self.mode = None
            self._run(self._drop())
            if mode == "refused":
                self._run(self._listen())

    def _run(self, work: Awaitable[None]) -> None:
        async def whole() -> None:
            await work

        asyncio.run_coroutine_threadsafe(whole(), self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _drop(self) -> None:
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _end(self) -> None:
        await self._stop_listening()
        await self._drop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mode, began = self.mode, self._loop.time()
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if mode == "silent":
                await asyncio.sleep(3600)
            if mode == "reset":
                writer.transport.abort()
                return
            if mode == "wrong":
                writer.write(_WRONG)
                await writer.drain()
                return
            target, onwards = await asyncio.open_connection("127.0.0.1", self.target)
            last: list[object] = [None]
            try:
                # Until TCP's own round trip is over nobody could have sent anything.
                await _either(
                    self._pass(reader, onwards, began + self.round_trip_s, last, _whole),
                    self._pass(target, writer, 0.0, last, self._damage(mode)),
                )
            finally:
                onwards.close()
        except (OSError, asyncio.CancelledError):  # only close() and broken() cancel
            pass
        finally:
            self._connections.discard(task)
            with suppress(OSError, RuntimeError):
                writer.close()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        not_before: float,
        last: list[object],
        put: Callable[[asyncio.StreamWriter, bytes], Awaitable[bool]],
    ) -> None:
        """Copy one direction; what is under way does not hold up what comes after it."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            while data := await reader.read(_CHUNK):
                if last[0] is not reader:
                    last[0] = reader
                    self.turns += 1
                under_way.put_nowait((max(self._loop.time(), not_before) + self.round_trip_s / 2, data))
            under_way.put_nowait((self._loop.time() + self.round_trip_s / 2, b""))

        async def write() -> None:
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if not data or not await put(writer, data):
                    return

        await _either(read(), write(), first=False)

    def _damage(self, mode: Mode | None) -> Callable[[asyncio.StreamWriter, bytes], Awaitable[bool]]:
        """How the target's octets are put out."""
        left = self.after

        async def broken_off(writer: asyncio.StreamWriter, data: bytes) -> bool:
            nonlocal left
            await _whole(writer, data[:left])
            left -= len(data[:left])
            if left > 0:
                return True
            if mode == "half":
                await asyncio.sleep(3600)
            return False

        async def slow(writer: asyncio.StreamWriter, data: bytes) -> bool:
            for octet in data:
                await _whole(writer, bytes([octet]))
                await asyncio.sleep(_DRIP_S)
            return True

        return {"half": broken_off, "cut": broken_off, "slow": slow}.get(mode or "", _whole)


async def _whole(writer: asyncio.StreamWriter, data: bytes) -> bool:
    writer.write(data)
    await writer.drain()
    return True


async def _either(one: Awaitable[None], other: Awaitable[None], *, first: bool = True) -> None:
    """Run both; end with the first that ends, or with the second, ``other``."""
    tasks = [asyncio.ensure_future(one), asyncio.ensure_future(other)]
    try:
        await asyncio.wait(tasks if first else tasks[1:], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await task
