"""What commands share: options, filters, tables, opening the store."""
