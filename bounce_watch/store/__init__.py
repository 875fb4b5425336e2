"""The database: tables, migrations, queries, outbox. No row leaves this package."""
