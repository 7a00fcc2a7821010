"""Predictions: asked for, shown, listed, streamed and cancelled."""
