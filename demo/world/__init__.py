"""One machine as two municipalities: department systems, registers, log-in, database and broker, all started here."""
