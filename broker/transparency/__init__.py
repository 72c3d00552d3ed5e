"""Use case 3: the citizen's own view of the log: who asked, why, and what was handed out."""
