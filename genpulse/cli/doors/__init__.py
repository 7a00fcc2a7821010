"""`genpulse doors`: how clients of others are led here."""
