"""What commands share: options, output, progress, logs, opening the store."""
