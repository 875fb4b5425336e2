"""Alembic environment: run the migrations on the connection that the store passes."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
