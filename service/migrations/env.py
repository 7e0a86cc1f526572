"""Runs the migrations in the connection that `Database.migrate` gives."""

from alembic import context
from kerasdoctor.service.tables import Base  # this file is run by its path, so nothing is relative to it

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
