"""Use case 2: a citizen's consents. Ask for one, give it whole or in part, refuse, take it back; see them all."""
