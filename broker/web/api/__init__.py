"""The JSON faces, `/v1/…`: one file a use case; each builds its routes over the doors it needs."""
