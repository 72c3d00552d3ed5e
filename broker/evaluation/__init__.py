"""Use case: may I? The road of an ask without its reading of sources: asked, judged, on record, nothing handed out."""
