"""What makes one machine look like two municipalities: systems, registers, log-in, database."""
