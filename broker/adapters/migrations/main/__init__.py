"""Steps of the main database: consents, the log, the web's own memory."""
