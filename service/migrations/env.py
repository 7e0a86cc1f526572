"""Runs the migrations in the connection that `Database.migrate` gives."""

from typing import Any, Literal

from alembic import context
from kerasdoctor.service.tables import Base, Plain, Utc


def render(kind: str, item: Any, _: Any) -> str | Literal[False]:  # noqa: ANN401 - as Alembic has it
    """A migration stands for itself: it names types of SQLAlchemy, not ours, which may change."""
    if kind == "type" and isinstance(item, Plain):
        return "sa.String()"
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Utc) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=render,
)
with context.begin_transaction():
    context.run_migrations()
