"""What is particular to one province's source information system, as data: addresses, types of values, codes.

The names of fields are the same everywhere (domain §11); how a moment, a length or a code is written is not, and lists
of codes are published nowhere. So each province has a JSON file like those in `source_profiles/`; `profile_of` names
everything that is wrong with one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from adapters.exchange import ACCEPTED, ANSWERED, EXCHANGES, REFUSED
from adapters.loudspeakers import BROKEN, CLASSES, IDLE, PLAYED, PLAYING, SHOWN

FOLDER = Path(__file__).parent / "source_profiles"
PATHS = ("login", "bulletin", "schedule", "cancel", "board", "logs", "clusters")
MEANINGS = ("token", "throttled", "busy", "account", "refused", "repeated", "gone", "unknown")

_CHOICES = {
    "instants": ("epoch", "iso"),
    "days": ("epoch", "iso"),
    "clocks": ("seconds", "text"),
    "lengths": ("seconds", "text"),
    "codes": ("number", "text"),
}


@dataclass(frozen=True)
class Profile:
    """One system. `zone`: hours east of UTC where a time comes without; `is_repeatable`: it knows a key again.

    `exchange`: the addresses of what else it does, by a word of `exchange.EXCHANGES`; what is not named it does not do.
    `everywhere`: the codes of areas that hold all communes. `photo_hosts`: where photos of feedback may lie besides.
    """

    name: str
    instants: str
    days: str
    clocks: str
    lengths: str
    codes: str
    paths: Mapping[str, str]
    urgency: Mapping[str, str]
    ok_at: str = "TrangThaiGui"
    ok_values: tuple[str, ...] = ("0",)
    token_at: str = "NoiDung.Token"  # noqa: S105 - where it stands
    token_seconds_at: str = ""
    logs_at: str = "NoiDung.DanhSachNhatKy"
    after_at: str = "NoiDung.TiepTheo"
    clusters_at: str = "NoiDung.DanhSachCumLoa"
    zone: float = 7.0
    is_repeatable: bool = True
    kinds: Mapping[str, str] = field(default_factory=lambda: {"script": "1", "audio": "2"})
    topics: Mapping[str, str] = field(default_factory=lambda: {"": "0"})
    log_kinds: Mapping[str, str] = field(default_factory=lambda: {"1": PLAYED, "2": SHOWN})
    connected: tuple[str, ...] = ("1",)
    states: Mapping[str, str] = field(default_factory=lambda: {"0": IDLE, "1": PLAYING, "2": BROKEN})
    says: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    exchange: Mapping[str, str] = field(default_factory=dict)
    notices_at: str = "NoiDung.DanhSachBanTin"
    feedback_at: str = "NoiDung.DanhSachPhanAnh"
    receipt_at: str = "NoiDung.LoiNhan"
    feedback_states: Mapping[str, str] = field(default_factory=lambda: {ACCEPTED: "1", REFUSED: "2", ANSWERED: "3"})
    everywhere: tuple[str, ...] = ()
    photo_hosts: tuple[str, ...] = ()


@cache
def shipped() -> tuple[str, ...]:
    """The names of the profiles that come with the program."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def profile_of(given: object) -> Profile:
    """The profile of this name, or the one that a JSON object describes; ValueError says what is wrong with it."""
    if isinstance(given, str) and given in shipped():
        given = json.loads((FOLDER / f"{given}.json").read_text(encoding="utf-8"))
    if not isinstance(given, dict):
        raise ValueError(f"profile: one of {', '.join(shipped())}, or a JSON object")
    told = {name: value for name, value in given.items() if not name.startswith("_")}
    if problems := _problems(told):
        raise ValueError("; ".join(problems))
    return Profile(**{name: _kept(value) for name, value in told.items()})


def _problems(told: dict[str, Any]) -> list[str]:
    known = {one.name: one for one in fields(Profile)}
    needed = {n for n, one in known.items() if one.default is MISSING and one.default_factory is MISSING}
    found = [f"profile: no field {name}" for name in sorted(set(told) - set(known))]
    found += [f"profile: {name} is missing" for name in sorted(needed - set(told))]
    found += [
        f"profile: {name} is one of {', '.join(allowed)}"
        for name, allowed in _CHOICES.items()
        if name in told and told[name] not in allowed
    ]
    found += _missing_keys(told, "paths", PATHS) + _missing_keys(told, "urgency", CLASSES)
    found += [f"profile: exchange: no {one}" for one in sorted(set(_mapping(told.get("exchange"))) - set(EXCHANGES))]
    if "feedback_states" in told:
        found += _missing_keys(told, "feedback_states", (ACCEPTED, REFUSED, ANSWERED))
    for name in ("says", "statuses"):
        foreign = sorted({str(meaning) for meaning in _mapping(told.get(name)).values()} - set(MEANINGS))
        found += [f"profile: {name}: {meaning} is none of {', '.join(MEANINGS)}" for meaning in foreign]
    return found


def _missing_keys(told: dict[str, Any], name: str, keys: tuple[str, ...]) -> list[str]:
    return [f"profile: {name}.{key} is missing" for key in keys if name in told and key not in _mapping(told[name])]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _kept(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    if isinstance(value, dict):
        return {str(key): str(one) for key, one in value.items()}
    return value
