"""Answer templates: sentences that officials of a commune begin their answers with, and who wrote which version."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune


class AnswerTemplate(OfCommune, Base):
    """A template as it stands now. `topic`: the only one it is offered for, None for all; an archived one for none."""

    __tablename__ = "answer_templates"

    name: Mapped[str] = mapped_column(sa.String(120))
    topic: Mapped[str | None] = mapped_column(sa.String(40))
    words: Mapped[str] = mapped_column(sa.Text)
    is_archived: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    version: Mapped[int] = mapped_column(default=1)


class AnswerVersion(OfCommune, Base):
    """One version of a template, as somebody left it; rows are only ever added."""

    __tablename__ = "answer_versions"
    __table_args__ = (sa.UniqueConstraint("template_id", "version"),)

    template_id: Mapped[int] = mapped_column(sa.ForeignKey("answer_templates.id"))
    version: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(120))
    topic: Mapped[str | None] = mapped_column(sa.String(40))
    words: Mapped[str] = mapped_column(sa.Text)
    is_archived: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    at: Mapped[datetime]
