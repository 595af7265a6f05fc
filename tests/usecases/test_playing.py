"""Voice notes of every channel play in a browser; what does not play is said so, and hostile files harm nobody."""

from __future__ import annotations

import io
import math
import struct
import sys

import av
import pytest
import sqlalchemy as sa

from bot.stores import StoreAway
from bot.usecases import playing, sounds
from bot.usecases.erasing import erase_let_go, erase_unnamed
from bot.usecases.media import fetch_due, kind_of
from bot.usecases.playing import make_playable_due
from bot.usecases.sounds import listen
from bot.usecases.sweep import waiting_jobs
from storage.enums import AttachmentState, Playing
from storage.messages import Attachment
from tests.adapters.channels import answer, behaving
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.test_erasing import HOA, files, withdraws
from tests.usecases.test_media import allow, attached, the_file

QUIET = b"\x3c" + bytes(31)  # a frame of AMR at 12.2 kbit/s: 20 ms


def amr(seconds: float) -> bytes:
    """A voice note as Zalo gives it, by its specification (RFC 4867): a magic word and frames of 20 ms."""
    return b"#!AMR\n" + QUIET * round(seconds * 50)


def amr_wide(seconds: float) -> bytes:
    """The wide-band kind: frames of 12.65 kbit/s."""
    return b"#!AMR-WB\n" + (b"\x14" + bytes(32)) * round(seconds * 50)


def wav(seconds: float, rate: int = 8_000) -> bytes:
    """A tone of 440 Hz."""
    samples = [round(12_000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(round(seconds * rate))]
    data = struct.pack(f"<{len(samples)}h", *samples)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16,
                       b"data", len(data))  # fmt: skip
    return head + data


def recorded(container: str, codec: str, seconds: float = 2.0, rate: int = 48_000) -> bytes:
    """The same tone as other channels give it."""
    out = io.BytesIO()
    with av.open(io.BytesIO(wav(seconds))) as tone, av.open(out, "w", format=container) as made:
        stream = made.add_stream(codec, rate=rate, layout="mono")
        resampler = av.AudioResampler(stream.codec_context.format, "mono", rate)
        for frame in [*tone.decode(audio=0), None]:
            for piece in resampler.resample(frame):
                piece.pts = None
                made.mux(stream.encode(piece))
        made.mux(stream.encode(None))
    return out.getvalue()


def film(codec: str, container: str = "mp4") -> bytes:
    """A second of grey."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as made:
        stream = made.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(10):
            made.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        made.mux(stream.encode(None))
    return out.getvalue()


def heard(mp3: bytes) -> tuple[float, int]:
    """How long an MP3 really is, and how loud at its loudest."""
    with av.open(io.BytesIO(mp3), format="mp3") as sound:
        stream = sound.streams.audio[0]
        resampler = av.AudioResampler("s16", "mono", stream.rate)
        pieces = [bytes(p.planes[0])[: p.samples * 2] for f in sound.decode(stream) for p in resampler.resample(f)]
    data = b"".join(pieces)
    samples = struct.unpack(f"<{len(data) // 2}h", data)
    return len(samples) / stream.rate, max(map(abs, samples), default=0)


# --- one recording ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "data", "seconds", "is_loud"),
    [
        ("a voice note of Zalo", amr(3), 3, False),
        ("a wide-band one", amr_wide(3), 3, False),
        ("a voice note of Telegram", recorded("ogg", "libopus"), 2, True),
        ("AAC as some phones record", recorded("adts", "aac"), 2, True),
        ("an m4a", recorded("mp4", "aac"), 2, True),
        ("an MP3", recorded("mp3", "libmp3lame"), 2, True),
        ("a WAV", wav(2), 2, True),
        ("a voice note spoken in AMR", recorded("amr", "libopencore_amrnb", rate=8_000), 2, True),
    ],
)
def test_recordings_of_every_kind_become_an_mp3(label: str, data: bytes, seconds: int, is_loud: bool) -> None:
    mime = kind_of(data)
    assert mime is not None
    sound = listen(data, mime)
    assert (sound.verdict, sound.seconds) == ("ready", seconds), label
    length, loudest = heard(sound.mp3)
    assert length == pytest.approx(seconds, abs=0.3)
    assert (loudest > 3_000) is is_loud


def test_what_is_written_in_a_recording_does_not_travel() -> None:
    data = recorded("mp3", "libmp3lame")
    tagged = b"ID3\x03\0\0\0\0\0\x20TIT2\0\0\0\x16\0\0\0nha rieng cua ong A.." + data
    sound = listen(tagged, "audio/mpeg")
    assert sound.verdict == "ready"
    assert b"nha rieng" not in sound.mp3


@pytest.mark.parametrize(
    ("label", "data", "mime"),
    [
        ("a magic word alone", b"#!AMR\n", "audio/amr"),
        ("half a frame", b"#!AMR\n<\0\0", "audio/amr"),
        ("an Ogg of nothing", b"OggS" + bytes(200), "audio/ogg"),
        ("an mp4 that ends at once", b"\0\0\0\x18ftypmp42", "video/mp4"),
        ("a film without sound", film("libx264"), "video/mp4"),
        ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(64), "image/png"),
        ("a playlist that names a file", b"#EXTM3U\nfile:///etc/passwd\n", "audio/mpeg"),
        ("noise", bytes(range(256)) * 400, "audio/aac"),
    ],
)
def test_what_cannot_be_heard_is_unplayable(label: str, data: bytes, mime: str) -> None:
    sound = listen(data, mime)
    assert (sound.verdict, sound.mp3) == ("unplayable", b""), label


def test_a_recording_cut_off_in_the_middle_is_heard_up_to_there() -> None:
    data = recorded("ogg", "libopus", seconds=4)
    sound = listen(data[: len(data) // 2], "audio/ogg")
    assert sound.verdict in {"ready", "unplayable"}
    whole = amr(4)
    assert listen(whole[: len(whole) // 2 - 7], "audio/amr").seconds == 2


def test_a_recording_longer_than_ten_minutes_is_not_converted() -> None:
    sound = listen(amr(601), "audio/amr", wall_seconds=90)  # a busy machine takes longer than we would wait
    assert (sound.verdict, sound.mp3) == ("too_long", b"")


def test_a_recording_that_takes_too_long_is_given_up() -> None:
    assert listen(amr(599), "audio/amr", wall_seconds=0.3).verdict == "unplayable"


def test_a_process_that_dies_or_talks_nonsense_is_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    for words in ("raise SystemExit(3)", "print('{}')", "print('[]')", "import os; os.abort()", ""):
        monkeypatch.setattr(sounds, "_command", lambda *_, w=words: [sys.executable, "-c", w])
        assert listen(amr(1), "audio/amr").verdict == "unplayable", words


def test_the_process_has_no_secrets_and_may_write_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("HAICHIEU_SECRET_KEY", "a secret")
    program = f"""
import json, os, resource
from bot.usecases.sounds import _confine
_confine()
try:
    open({str(tmp_path / "x")!r}, "wb", buffering=0).write(b"x")
    wrote = True
except OSError:
    wrote = False
told = [name for name in os.environ if "HAICHIEU" in name]
limits = [resource.getrlimit(one)[0] for one in (resource.RLIMIT_CPU, resource.RLIMIT_AS)]
is_bare = not told and not wrote and limits == [45, 1 << 30]
print(json.dumps({{"verdict": "bare" if is_bare else "not bare", "seconds": None}}))
"""
    monkeypatch.setattr(sounds, "_command", lambda *_: [sys.executable, "-I", "-c", program])
    assert listen(amr(1), "audio/amr").verdict == "bare"


@pytest.mark.parametrize(
    ("codec", "container", "mime", "verdict"),
    [
        ("libx264", "mp4", "video/mp4", "ready"),
        ("hevc", "mp4", "video/mp4", "unplayable"),
        ("libx264", "mov", "video/quicktime", "unplayable"),
        ("hevc", "mov", "video/quicktime", "unplayable"),
    ],
)
def test_films_are_looked_at(codec: str, container: str, mime: str, verdict: str) -> None:
    data = film("libx265" if codec == "hevc" else codec, container)
    assert kind_of(data) == mime
    found = listen(data, mime, is_film=True)
    assert (found.verdict, found.seconds, found.mp3) == (verdict, 1, b"")


# --- in the row -------------------------------------------------------------------------------------------------------


@pytest.fixture
def voice(morning: World) -> World:
    """A citizen has sent a voice note of three seconds, and it was fetched."""
    with behaving(answer(amr(3))) as channel:
        attached(morning, allow(morning, channel), kind="audio")
        fetch_due(morning.runtime)
    return morning


def test_a_voice_note_is_made_playable_after_it_was_fetched(voice: World) -> None:
    assert the_file(voice).playing is Playing.WAITING
    assert "media" in waiting_jobs(voice.runtime)
    assert make_playable_due(voice.runtime) == 1
    row = the_file(voice)
    assert (row.state, row.mime, row.playing, row.seconds) == (AttachmentState.STORED, "audio/amr", Playing.READY, 3)
    assert voice.runtime.blobs.read(row.blob or "") == amr(3)
    assert heard(voice.runtime.blobs.read(row.sound_blob or "") or b"")[0] == pytest.approx(3, abs=0.3)
    assert make_playable_due(voice.runtime) == 0
    assert "media" not in waiting_jobs(voice.runtime)


def test_the_sound_goes_with_the_recording(voice: World, clock: Clock) -> None:
    make_playable_due(voice.runtime)
    assert len(files(voice)) == 2
    clock.move(hours=2)
    erase_unnamed(voice.runtime)
    assert len(files(voice)) == 2  # both are named
    withdraws(voice, HOA)
    assert files(voice) == []
    assert (the_file(voice).sound_blob, the_file(voice).seconds) == (None, None)


def test_a_withdrawal_while_it_is_made_playable_leaves_nothing(
    voice: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = playing.listen

    def meanwhile(*args, **more):
        sound = real(*args, **more)
        clock.move(minutes=1)
        withdraws(voice, HOA)
        return sound

    monkeypatch.setattr(playing, "listen", meanwhile)
    make_playable_due(voice.runtime)
    clock.move(minutes=2)
    erase_let_go(voice.runtime)
    assert files(voice) == []
    assert (the_file(voice).state, the_file(voice).playing) == (AttachmentState.MISSING, Playing.NONE)


def test_a_recording_that_kills_its_worker_is_given_up_in_the_end(voice: World, clock: Clock) -> None:
    for _ in range(3):
        assert playing._claim(voice.runtime) is not None  # and the worker was killed
        assert make_playable_due(voice.runtime) == 0
        clock.move(seconds=91)
    make_playable_due(voice.runtime)
    assert the_file(voice).playing is Playing.UNPLAYABLE


def test_a_store_that_is_away_is_no_failed_try(voice: World, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    real = voice.runtime.blobs.store.get

    def away(name: str) -> bytes | None:
        raise StoreAway("tests")

    monkeypatch.setattr(voice.runtime.blobs.store, "get", away)
    for _ in range(10):
        make_playable_due(voice.runtime)
        clock.move(minutes=30)
    assert (the_file(voice).playing, the_file(voice).tries) == (Playing.WAITING, 0)
    monkeypatch.setattr(voice.runtime.blobs.store, "get", real)
    make_playable_due(voice.runtime)
    assert the_file(voice).playing is Playing.READY


def test_a_picture_waits_for_nothing(morning: World) -> None:
    from tests.usecases.test_media import picture

    with behaving(answer(picture())) as channel:
        attached(morning, allow(morning, channel))
        fetch_due(morning.runtime)
    assert the_file(morning).playing is Playing.NONE
    assert make_playable_due(morning.runtime) == 0
    assert all_rows(morning.runtime, Attachment)[0].sound_blob is None


def test_a_lost_original_is_said_to_be_unplayable(voice: World) -> None:
    with voice.runtime.database.transaction() as session:
        session.execute(sa.update(Attachment).values(blob="0" * 64))
    make_playable_due(voice.runtime)
    assert the_file(voice).playing is Playing.UNPLAYABLE
