"""Installation: what this machine's gateway knows beyond the files that ship, when there is one; nothing is created."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from bot.config import Settings, SettingsError
from nlp.reading import KnownPlace

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from nlp.deciding import Judge

T = TypeVar("T")


class Installation:
    """The database of this installation, looked at only; without one every answer is the empty one.

    `note` is told why a database that is there, or settings that are given, could not be used.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._url = self._existing_database()

    def places(self, code: str) -> tuple[KnownPlace, ...]:
        """The places of the commune with this code, when it is served here."""

        def ask(session: Session) -> tuple[KnownPlace, ...]:
            import sqlalchemy as sa

            from bot.usecases.communes import commune_book
            from storage.communes import Commune

            commune = session.scalar(sa.select(Commune.id).where(Commune.locality_code == code))
            return commune_book(session, commune).home.places if commune else ()

        return self._asked(ask, ()) if code else ()

    def judge(self) -> Judge | None:
        """The model trained and in use here; None for the one that ships."""

        def ask(session: Session) -> bytes | None:
            from storage.trained import active_version, content_of

            version = active_version(session)
            return (content_of(session, version) or b"") if version else None

        content = self._asked(ask, None)
        if content is None:
            return None
        from nlp.model import BadModel
        from nlp.reader import judge_of

        try:
            return judge_of(content)
        except BadModel as error:
            self._note(f"the model in use here is damaged or of another program ({error}); the one that ships is used")
            return None

    def _existing_database(self) -> str:
        try:
            settings = Settings.from_env(os.environ)
        except SettingsError as error:
            self._note(f"the settings are not usable, so no database is asked: {'; '.join(error.problems)}")
            return ""
        if not settings.database_url and not (settings.data_dir / "haichieu.db").exists():
            return ""
        return settings.effective_database_url

    def _asked(self, ask: Callable[[Session], T], otherwise: T) -> T:
        """What a question gives, or `otherwise` when there is no database or it cannot answer."""
        if not self._url:
            return otherwise
        import sqlalchemy as sa

        from storage.database import Database, is_missing

        try:
            if is_missing(self._url):
                self._note("the database file that the settings name is not there; what it would know is left out")
                return otherwise
            database = Database(self._url, pool_size=1)
        except (sa.exc.SQLAlchemyError, ValueError) as error:  # a port that is no number is a plain ValueError
            self._note(f"the database has no usable address ({type(error).__name__}); what it knows is left out")
            return otherwise
        try:
            with database.reading() as session:
                return ask(session)
        except sa.exc.SQLAlchemyError as error:
            self._note(f"the database could not be asked ({type(error).__name__}); what it knows is left out")
            return otherwise
        finally:
            database.close()
