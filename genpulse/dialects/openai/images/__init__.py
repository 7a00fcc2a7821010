"""Pictures: asked for, answered whole, and as a stream of events."""
