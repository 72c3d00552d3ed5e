"""How the broker is run: the files of a deployment, and `deploy.shape`, which runs their shape without containers."""
