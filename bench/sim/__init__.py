"""Where GenPulse saturates first, simulated with the costs that the bench has measured."""
