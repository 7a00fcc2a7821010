"""Takes tasks from the queue and runs them; no decision is taken here."""
