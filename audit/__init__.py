"""A transparency log that knows nothing of brokers."""
