"""HTTP in and out: the only rooms that know FastAPI and Starlette."""
