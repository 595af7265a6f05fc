"""The current reader: reads with the model in use, and takes up another one within a minute, without a restart."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.config import SettingsError
from nlp.clues import find_clues
from nlp.deciding import Judge
from nlp.localities import Gazetteer
from nlp.model import BadModel
from nlp.normalise import normalise
from nlp.reader import Reader, judge_of
from nlp.reading import Home, Reading
from nlp.training import QUESTIONS
from storage.database import Database
from storage.trained import active_version, content_of

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 30.0


def judge_in_use(session: Session) -> tuple[str | None, Judge | None]:
    """The version of the model in use and its judge; no judge: the one that ships is to be used.

    A model that is damaged, gone or of another program is left out, and the log says so.
    """
    version = active_version(session)
    if version is None:
        return None, None
    try:
        content = content_of(session, version)
        if content is None:
            raise BadModel("its file is gone")
        return version, judge_of(content)
    except BadModel as error:
        log.error("model.unusable", version=version, error=str(error), doing="reading with the shipped one")
        return version, None


def plugged_judge(address: str) -> Judge | None:
    """The judge that an operator has put in the model's place, from "package.module:factory"; None for "".

    Raises SettingsError when there is none at this address or it answers other questions than are asked.
    """
    if not address:
        return None
    module, _, name = address.partition(":")
    try:
        judge: Judge = getattr(importlib.import_module(module), name)()
        verdict = judge.judge(find_clues(normalise("Đèn đường xóm 5 tối om")))
        missing = [q.name for q in QUESTIONS if set(q.labels) - set(verdict.probabilities(q.name))]
    except Exception as error:  # whatever the operator's own code raises
        raise SettingsError([f"HAICHIEU_READER_JUDGE: {address!r} gives no judge: {error!r}"]) from error
    if missing or not judge.version:
        what = f"does not answer {', '.join(missing)}" if missing else "has no version"
        raise SettingsError([f"HAICHIEU_READER_JUDGE: the judge of {address!r} {what}; see nlp.deciding.Judge"])
    return judge


class CurrentReader:
    """A reader whose model may be exchanged while it is used, from any number of threads."""

    def __init__(
        self,
        database: Database,
        gazetteer: Gazetteer,
        *,
        plugged: Judge | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """`plugged`: an operator's own judge; it stays whatever is promoted, and the one that ships steps in for it."""
        self.gazetteer = gazetteer
        self._database, self._ticks = database, ticks
        self._shipped = Reader(gazetteer)
        self._reader = Reader(gazetteer, plugged) if plugged else self._shipped
        self._is_plugged = plugged is not None
        self._held: str | None = None
        self._looked_at = float("-inf")

    @property
    def version(self) -> str:
        """Of the model in use."""
        return self._now().version

    def read(self, text: str, home: Home) -> Reading:
        """What the model in use has to say about a message; should it fail, what the one that ships says."""
        reader = self._now()
        try:
            return reader.read(text, home)
        except Exception as error:
            if reader.version == self._shipped.version:
                raise
            log.error("model.failed", version=reader.version, error=type(error).__name__, doing="reading again")
            return self._shipped.read(text, home)

    def look_again(self) -> None:
        """Take up the model in use now; while the database is away, the one held goes on."""
        self._looked_at = self._ticks()
        try:
            with self._database.reading() as session:
                if active_version(session) == self._held:
                    return
                version, judge = judge_in_use(session)
        except sa.exc.SQLAlchemyError as error:
            log.warning("model.not_asked", error=type(error).__name__)
            return
        self._reader, self._held = Reader(self.gazetteer, judge), version
        log.info("model.taken_up", version=self._reader.version)

    def _now(self) -> Reader:
        if not self._is_plugged and self._ticks() - self._looked_at >= LOOK_EVERY_SECONDS:
            self.look_again()
        return self._reader
