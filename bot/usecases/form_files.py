"""Files that came with a form: how an event names one in our store, so that nobody else can name it.

A name is made of the bytes, so whoever has the same bytes knows it. An event may name a file only with the mark that
this installation writes beside it for that channel: a portal that signs its own events cannot ask for what others sent.
"""

from __future__ import annotations

from bot.runtime import Runtime
from storage.channels import Channel

OLD_NAME = 32  # a name by chance, which nobody guesses, needs no mark


def reference_to(runtime: Runtime, channel: Channel, name: str) -> str:
    """How an event of this channel names a file."""
    return f"{name}.{runtime.vault.mark(f'{channel.id}:{name}')}"


def name_of(runtime: Runtime, channel: Channel, reference: str) -> str | None:
    """The file that an event of this channel names; None when it has no right to."""
    name, _, mark = reference.partition(".")
    if len(name) == OLD_NAME and not mark:
        return name
    return name if runtime.vault.is_marked(f"{channel.id}:{name}", mark) else None
