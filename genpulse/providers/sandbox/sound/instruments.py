"""The players: each adds its part to the same two channels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 5, 4), (1, 4, 0, 5))
_SAD = {"sad", "dark", "night", "storm", "rain", "lonely", "winter", "mystery", "minor"}
_FAST = {"fast", "happy", "dance", "energetic", "run", "party", "joy", "upbeat"}
_SLOW = {"slow", "calm", "quiet", "sleep", "dream", "dawn", "soft", "sea", "ambient"}


@dataclass(frozen=True, slots=True)
class _Mood:
    beat_s: float
    scale: tuple[int, ...]
    root: int
    chords: tuple[int, ...]


class Band:
    """Plays `duration_s` seconds at `rate` samples a second. The same words and seed give the same samples."""

    def __init__(self, prompt: str, seed: int, duration_s: float, rate: int) -> None:
        self._random = np.random.default_rng(seed)
        self._rate = rate
        self._length = int(duration_s * rate)
        self._out: Samples = np.zeros((2, self._length), np.float32)
        self._mood = self._choose(set(prompt.lower().replace(",", " ").split()))

    def _choose(self, words: set[str]) -> _Mood:
        tempo = 96 + (28 if words & _FAST else 0) - (26 if words & _SLOW else 0)
        tempo += int(self._random.integers(-6, 7))
        scale = _MINOR if words & _SAD else _MAJOR
        root = 57 + int(self._random.integers(-5, 6))
        chords = _PROGRESSIONS[int(self._random.integers(len(_PROGRESSIONS)))]
        return _Mood(60 / tempo, scale, root, chords)

    def play(self, tell: Callable[[float, str], None]) -> Samples:
        """Both channels, between -0.9 and 0.9."""
        players = (
            ("chords", self._chords),
            ("bass", self._bass),
            ("arpeggio", self._arpeggio),
            ("beat", self._beat),
        )
        for number, (name, player) in enumerate(players):
            tell(number / (len(players) + 1), name)
            player()
        tell(len(players) / (len(players) + 1), "room")
        return self._mastered(self._in_a_room(self._out))

    def _note(self, degree: int) -> float:
        """The frequency of a step of the scale, in hertz."""
        octave, step = divmod(degree, len(self._mood.scale))
        return float(440.0 * 2 ** ((self._mood.root + 12 * octave + self._mood.scale[step] - 69) / 12))

    def _bars(self) -> list[tuple[float, int]]:
        """When each bar begins, in seconds, and the chord that it is on."""
        bar_s = 4 * self._mood.beat_s
        count = int(self._length / self._rate / bar_s) + 1
        chords = self._mood.chords
        return [(number * bar_s, chords[number % len(chords)]) for number in range(count)]

    def _add(self, at_s: float, samples: Samples, level: float, pan: float = 0.0) -> None:
        start = int(at_s * self._rate)
        end = min(start + samples.shape[0], self._length)
        if end > start:
            part = samples[: end - start] * level
            self._out[0, start:end] += part * np.float32(np.cos((pan + 1) * np.pi / 4))
            self._out[1, start:end] += part * np.float32(np.sin((pan + 1) * np.pi / 4))

    def _tone(self, hertz: float, length_s: float, partials: tuple[float, ...], attack_s: float) -> Samples:
        time = np.arange(int(length_s * self._rate), dtype=np.float32) / self._rate
        wave = sum(
            (level * np.sin(2 * np.pi * hertz * number * time) for number, level in enumerate(partials, 1)),
            start=np.zeros_like(time),
        )
        envelope = np.minimum(time / attack_s, 1.0) * np.exp(-2.2 * time / length_s)
        ending = np.clip((length_s - time) / 0.05, 0.0, 1.0)
        return np.asarray(wave * envelope * ending, np.float32)

    def _chords(self) -> None:
        for at_s, chord in self._bars():
            for place, third in enumerate((0, 2, 4, 6)):
                detune = 1 + 0.0015 * (place - 1.5)
                tone = self._tone(
                    self._note(chord + third) * detune,
                    4.4 * self._mood.beat_s,
                    (1.0, 0.35, 0.16, 0.07),
                    0.35,
                )
                self._add(at_s, tone, 0.11, pan=(place - 1.5) / 2)

    def _bass(self) -> None:
        for at_s, chord in self._bars():
            for beat, step in ((0, 0), (2, 4 if self._random.random() < 0.4 else 0)):
                tone = self._tone(self._note(chord + step - 14), 1.9 * self._mood.beat_s, (1.0, 0.4, 0.12), 0.02)
                self._add(at_s + beat * self._mood.beat_s, tone, 0.3)

    def _arpeggio(self) -> None:
        pattern = self._random.permutation(np.array([0, 2, 4, 7, 9, 7, 4, 2]))
        for at_s, chord in self._bars()[1:]:
            for eighth, step in enumerate(pattern):
                if self._random.random() < 0.82:
                    tone = self._tone(self._note(chord + int(step) + 7), 0.9, (1.0, 0.0, 0.3, 0.0, 0.08), 0.006)
                    self._add(at_s + eighth * self._mood.beat_s / 2, tone, 0.1, pan=0.6 * (-1) ** eighth)

    def _beat(self) -> None:
        time = np.arange(int(0.25 * self._rate), dtype=np.float32) / self._rate
        kick = np.sin(2 * np.pi * (45 * time + 18 * (1 - np.exp(-30 * time)))) * np.exp(-14 * time)
        hiss = np.asarray(self._random.standard_normal(time.shape[0]), np.float32)
        hat = np.diff(hiss, prepend=np.float32(0)) * np.exp(-60 * time)
        for at_s, _ in self._bars()[2:]:
            for beat in range(4):
                if beat % 2 == 0:
                    self._add(at_s + beat * self._mood.beat_s, np.asarray(kick, np.float32), 0.4)
                self._add(at_s + (beat + 0.5) * self._mood.beat_s, np.asarray(hat, np.float32), 0.035, pan=0.2)

    def _in_a_room(self, dry: Samples) -> Samples:
        """Convolved with a noise that dies away: a hall of a second and a half."""
        size = int(1.5 * self._rate)
        time = np.arange(size, dtype=np.float32) / self._rate
        noise = self._random.standard_normal((2, size)).astype(np.float32) * np.exp(-4.5 * time)
        noise /= np.sqrt((noise**2).sum(axis=1, keepdims=True))
        points = 1 << (self._length + size - 1).bit_length()
        wet = np.fft.irfft(np.fft.rfft(dry, points) * np.fft.rfft(noise, points), points)
        return np.asarray(dry + 0.35 * wet[:, : self._length], np.float32)

    def _mastered(self, mix: Samples) -> Samples:
        """Even in level, with a beginning and an end."""
        mix = np.tanh(1.2 * mix / max(float(np.abs(mix).max()), 1e-6)).astype(np.float32)
        fade = int(min(1.5, self._length / self._rate / 4) * self._rate)
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        mix[:, : fade // 8] *= np.linspace(0, 1, fade // 8, dtype=np.float32)
        mix[:, -fade:] *= ramp[::-1] ** 2
        return np.asarray(0.9 * mix / max(float(np.abs(mix).max()), 1e-6), np.float32)
