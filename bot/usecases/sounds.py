"""Sounds: a recording made anew as an MP3, which every browser plays, in a process of its own that can do no harm.

Run as a program it reads a recording from standard input and writes one line of JSON, then the MP3. FFmpeg's libraries
decode what strangers sent, so the process has no secrets, may not write files, and is bounded in time and memory.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

LONGEST_SECONDS = 600
# Ten minutes take 14 s of an idle core, twice as much of a busy one.
WALL_SECONDS, CPU_SECONDS, MEMORY_BYTES = 60.0, 45, 1 << 30
LARGEST_SOUND = 6_000_000
_RATE, _BITS = 24_000, 48_000  # voices; ten minutes are 3.6 MB
_BROKEN_AT_MOST = 50
# Only what the first bytes have shown it to be is read as that: no play lists, no addresses inside a file.
FORMATS = {
    "audio/amr": "amr",
    "audio/ogg": "ogg",
    "audio/aac": "aac",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "video/mp4": "mov",
    "video/quicktime": "mov",
}
_SEEN_IN_BROWSERS = frozenset({"h264", "av1", "vp9"})


@dataclass(frozen=True)
class Sound:
    """What became of a recording. `verdict`: ready, unplayable or too_long; `seconds` as far as known; the MP3."""

    verdict: str
    seconds: int | None = None
    mp3: bytes = b""


def listen(data: bytes, mime: str, *, is_film: bool = False, wall_seconds: float = WALL_SECONDS) -> Sound:
    """Make a recording playable, or say that it is not; of a film only look whether browsers show it."""
    if mime not in FORMATS:
        return Sound("unplayable")
    try:
        done = subprocess.run(
            _command(FORMATS[mime], is_film),
            input=data,
            capture_output=True,
            timeout=wall_seconds,
            env=_ENVIRONMENT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Sound("unplayable")
    head, _, mp3 = done.stdout.partition(b"\n")
    if done.returncode != 0 or len(mp3) > LARGEST_SOUND:
        return Sound("unplayable")
    try:
        told = json.loads(head)
        verdict = str(told["verdict"])
        seconds = int(told["seconds"]) if told["seconds"] is not None else None
    except (ValueError, TypeError, KeyError):
        return Sound("unplayable")
    if verdict == "ready" and mime == "video/quicktime":
        verdict = "unplayable"  # its codec may be fine, but not every browser opens the container
    return Sound(verdict, seconds, mp3)


def _command(container_format: str, is_film: bool) -> list[str]:
    return [sys.executable, "-I", "-m", __name__, container_format, "film" if is_film else "sound"]


_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8"}


# ---- in the process of its own -----------------------------------------------------------------------------------


def main() -> None:
    """Read standard input, answer on standard output."""
    _confine()
    container_format, what = sys.argv[1:3]
    data = sys.stdin.buffer.read()
    sound = _film(data, container_format) if what == "film" else _sound(data, container_format)
    head = json.dumps({"verdict": sound.verdict, "seconds": sound.seconds})
    sys.stdout.buffer.write(head.encode() + b"\n" + sound.mp3)


def _confine() -> None:
    import resource

    os.nice(10)
    for limit, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def _opened(data: bytes, container_format: str) -> Any:
    import av

    av.logging.set_level(av.logging.PANIC)
    return av.open(io.BytesIO(data), format=container_format, metadata_errors="ignore")


def _film(data: bytes, container_format: str) -> Sound:
    import av

    try:
        with _opened(data, container_format) as film:
            codec = film.streams.video[0].codec_context.name if film.streams.video else ""
            seconds = round(film.duration / av.time_base) if film.duration and film.duration > 0 else None
    except (av.error.FFmpegError, ValueError):
        return Sound("unplayable")
    return Sound("ready" if codec in _SEEN_IN_BROWSERS else "unplayable", seconds)


def _sound(data: bytes, container_format: str) -> Sound:
    import av

    out = io.BytesIO()
    try:
        with _opened(data, container_format) as recording, av.open(out, "w", format="mp3") as made:
            if not recording.streams.audio:
                return Sound("unplayable")
            if _is_surely_too_long(data, container_format):
                return Sound("too_long")
            samples = _copy(recording, made)
    except (av.error.FFmpegError, ValueError):
        return Sound("unplayable")
    if samples > LONGEST_SECONDS * _RATE:
        return Sound("too_long")
    if not samples:
        return Sound("unplayable")
    return Sound("ready", max(1, round(samples / _RATE)), out.getvalue())


def _is_surely_too_long(data: bytes, container_format: str) -> bool:
    """Whether its packets say that it is, without anything being decoded; a recording that does not say is heard."""
    with _opened(data, container_format) as recording:
        heard = recording.streams.audio[0]
        lengths = (packet.duration * packet.time_base for packet in recording.demux(heard) if packet.duration)
        return any(told > LONGEST_SECONDS for told in itertools.accumulate(lengths))


def _copy(recording: Any, made: Any) -> int:
    """Decode, make mono, encode; gives how many samples there were, at most one frame more than the longest."""
    import av

    heard = recording.streams.audio[0]
    heard.codec_context.thread_count = 1
    written = made.add_stream("libmp3lame", rate=_RATE, layout="mono")
    written.bit_rate = _BITS
    resampler = av.AudioResampler(format="s16p", layout="mono", rate=_RATE)
    samples = 0
    for frame in itertools.chain(_frames(recording, heard), [None]):
        if frame is None and not samples:
            return 0
        for piece in resampler.resample(frame):
            samples += piece.samples
            piece.pts = None
            made.mux(written.encode(piece))
        if samples > LONGEST_SECONDS * _RATE:
            return samples
    made.mux(written.encode(None))
    return samples


def _frames(recording: Any, heard: Any) -> Any:
    """What can be decoded; single broken packets are left out, as a phone would."""
    import av

    broken = 0
    for packet in recording.demux(heard):
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            broken += 1
            if broken > _BROKEN_AT_MOST:
                return


if __name__ == "__main__":
    main()
