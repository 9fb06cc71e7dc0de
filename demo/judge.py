"""Who was heard when, measured from a recording.

Speech is recognised by what was said: every 400 ms of the recording are correlated with the loop each party speaks
(over all positions of the loop at once), so a voice is only named when its own words are there. Ring-back is what two
(or one) pure frequencies explain. What neither explains is reported as unknown, never guessed.
"""
import argparse
import dataclasses
import json
import sys

import numpy

import speech

RATE = speech.RATE
FRAME = 160            # 20 ms, one packet
WINDOW = 20            # frames correlated at once
HOP = 5
SILENT_RMS = 0.004     # -48 dBFS; speech here is near -20
LOUD_FRAMES = 8        # of a window, so that a single vowel between silences decides nothing
NAMED_FROM = 0.8       # correlation from which a window is a party's; two equally loud voices at once stay near 0.7
FRAME_FROM = 0.6       # the same for one frame at a position that is already known
LOST_FRAMES = 10       # packets that may be missing or repeated between two frames of one voice
TONE_RESIDUE = 0.12    # part of a frame's energy that the ring-back frequencies may leave unexplained
RING_PAUSE = 4.6       # longest silence inside ring-back, seconds (the longest cadence has 4 s)
SPEECH_PAUSE = 1.2     # and inside speech
SHORTEST = 0.16        # what is shorter is a transition, not a party

RING_BACK = "ring-back"
UNKNOWN = "unknown"
SILENCE = "silence"

FREQUENCIES = {"US": (440, 480), "GB": (400, 450), "DE": (425,)}


@dataclasses.dataclass
class Segment:
    party: str
    start: float
    end: float

    @property
    def seconds(self):
        return self.end - self.start

    def __str__(self):
        return f"{self.party} {self.start:.1f}–{self.end:.1f} s"


class _Voice:
    """A loop of speech, and the correlation of a piece of sound with it at each of its positions."""

    def __init__(self, samples):
        self.samples = samples
        self._spectrum = numpy.fft.rfft(samples)
        self._energy = {}

    def correlation(self, piece):
        """Best normalised correlation (0…1) and the loop position where the piece begins."""
        size = len(self.samples)
        if len(piece) > size:
            return 0.0, 0
        if len(piece) not in self._energy:
            window = numpy.zeros(size)
            window[: len(piece)] = 1
            energy = numpy.fft.irfft(numpy.fft.rfft(self.samples ** 2) * numpy.conj(numpy.fft.rfft(window)), size)
            self._energy[len(piece)] = numpy.sqrt(numpy.maximum(energy, 0.01 * energy.mean()))
        padded = numpy.zeros(size)
        padded[: len(piece)] = piece
        product = numpy.fft.irfft(self._spectrum * numpy.conj(numpy.fft.rfft(padded)), size)
        score = product / self._energy[len(piece)] / (numpy.linalg.norm(piece) + 1e-12)
        best = int(numpy.argmax(score))
        return float(score[best]), best

    def at(self, position, count):
        return self.samples[numpy.arange(position, position + count) % len(self.samples)]


def _tone_frames(frames, frequencies):
    """Which frames consist of these frequencies and nothing else."""
    time = numpy.arange(FRAME) / RATE
    basis = numpy.stack([f(2 * numpy.pi * hz * time) for hz in frequencies for f in (numpy.cos, numpy.sin)], axis=1)
    ortho, _ = numpy.linalg.qr(basis)
    explained = ((frames @ ortho) ** 2).sum(axis=1)
    total = (frames ** 2).sum(axis=1) + 1e-12
    tone = explained / total > 1 - TONE_RESIDUE
    # A vowel can look like a tone for a frame or two, never for five in a row.
    steady = numpy.convolve(tone, numpy.ones(5), "same") >= 4
    return tone & steady


def _matches(voice, position, frame):
    expected = voice.at(position, FRAME)
    norm = numpy.linalg.norm(expected) * numpy.linalg.norm(frame)
    return norm > 0 and float(expected @ frame) / norm > FRAME_FROM


def _label_frames(samples, voices, frequencies):
    count = len(samples) // FRAME
    if count == 0:
        return []
    frames = samples[: count * FRAME].reshape(count, FRAME)
    loud = numpy.sqrt((frames ** 2).mean(axis=1)) > SILENT_RMS
    labels = [UNKNOWN if is_loud else SILENCE for is_loud in loud]
    score = numpy.zeros(count)
    place = {}  # frame → where in its voice's loop it is
    # A window names a voice and its place in the loop; each frame under it is then held against that place.
    for first in range(0, max(count - WINDOW, 0) + 1, HOP):
        covered = range(first, min(first + WINDOW, count))
        if sum(loud[i] for i in covered) < LOUD_FRAMES:
            continue
        piece = samples[first * FRAME: covered[-1] * FRAME + FRAME]
        for name, voice in voices.items():
            value, position = voice.correlation(piece)
            if value < NAMED_FROM:
                continue
            for i in covered:
                here = position + (i - first) * FRAME
                if loud[i] and value > score[i] and _matches(voice, here, frames[i]):
                    labels[i], score[i], place[i] = name, value, here
    for i in numpy.flatnonzero(_tone_frames(frames, frequencies) & loud):
        if labels[i] == UNKNOWN:
            labels[i] = RING_BACK
    _follow(labels, place, frames, voices, range(count), -1)
    _follow(labels, place, frames, voices, range(count - 1, -1, -1), +1)
    return labels


def _follow(labels, place, frames, voices, frames_in_order, before):
    """A lost packet spoils every window over it: carries a voice on from a frame that is known, past the loss."""
    for i in frames_in_order:
        known = i + before
        if labels[i] != UNKNOWN or known not in place:
            continue
        voice = voices[labels[known]]
        for lost in sorted(range(-LOST_FRAMES, LOST_FRAMES + 1), key=abs):
            here = place[known] + (lost - before) * FRAME
            if _matches(voice, here, frames[i]):
                labels[i], place[i] = labels[known], here
                break


def _runs(labels):
    runs = []
    for label in labels:
        if runs and runs[-1][0] == label:
            runs[-1][1] += 1
        else:
            runs.append([label, 1])
    return runs


def _merge(runs):
    """Joins what belongs together: silence and transitions inside one party's time, the pauses of ring-back."""
    second = RATE / FRAME
    # Unexplained crumbs: a frame torn by a lost packet, the first half frame of a voice.
    runs = [[SILENCE if label == UNKNOWN and n < SHORTEST * second else label, n] for label, n in runs]
    joined = []
    for label, n in runs:
        if joined and joined[-1][0] == label:
            joined[-1][1] += n
            continue
        pause = RING_PAUSE if label == RING_BACK else SPEECH_PAUSE
        if (len(joined) >= 2 and joined[-1][0] == SILENCE and joined[-2][0] == label
                and joined[-1][1] < pause * second):
            joined[-2][1] += joined[-1][1] + n
            joined.pop()
            continue
        joined.append([label, n])
    return joined


def listen(samples, loops, frequencies=FREQUENCIES["US"]):
    """Segments of a recording in order. `loops`: party → samples of the loop it speaks."""
    voices = {name: _Voice(loop) for name, loop in loops.items()}
    runs = _merge(_runs(_label_frames(samples, voices, frequencies)))
    # A party that is heard for less than a transition is none; then its neighbours may be one again.
    kept = [[label if label in (SILENCE, UNKNOWN) or n * FRAME / RATE >= SHORTEST else SILENCE, n]
            for label, n in runs]
    result, at = [], 0
    for label, n in _merge([[label, n] for label, n in kept]):
        if label != SILENCE:
            result.append(Segment(label, at * FRAME / RATE, (at + n) * FRAME / RATE))
        at += n
    # Ring-back lasts until the next party is heard: the silence of its cadence is part of it.
    for segment, following in zip(result, result[1:]):
        if segment.party == RING_BACK and following.start - segment.end < RING_PAUSE:
            segment.end = following.start
    return result


def listen_files(recordings, loops, frequencies=FREQUENCIES["US"]):
    """The same from WAV files; several recordings of one party are one after the other."""
    pieces = []
    for path in recordings:
        samples, rate = speech.read_wav(path)
        if rate != RATE:
            samples = speech.resample(samples, rate, RATE)
        pieces.append(samples)
    sources = {name: speech.read_wav(path)[0] for name, path in loops.items()}
    samples = numpy.concatenate(pieces) if pieces else numpy.zeros(0)
    return listen(samples, sources, frequencies)


def order(segments):
    return [segment.party for segment in segments]


def gaps(segments):
    """Seconds of silence between each party and the next."""
    return [following.start - segment.end for segment, following in zip(segments, segments[1:])]


def line(segments):
    return ", ".join(str(segment) for segment in segments) or "nothing"


def main():
    parser = argparse.ArgumentParser(description="Say which party is heard when in a recording.")
    parser.add_argument("recording", nargs="+", help="WAV, 16 bit mono")
    parser.add_argument("--voice", action="append", default=[], metavar="NAME=LOOP.wav", help="what a party says")
    parser.add_argument("--country", default="US", choices=sorted(FREQUENCIES), help="whose ring-back tone")
    parser.add_argument("--expect", help="parties in order, joined by commas; exit 1 when it was otherwise")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    loops = dict(item.split("=", 1) for item in options.voice)
    segments = listen_files(options.recording, loops, FREQUENCIES[options.country])
    print(json.dumps([dataclasses.asdict(s) for s in segments]) if options.json else line(segments))
    if options.expect is not None and order(segments) != options.expect.split(","):
        print(f"expected: {options.expect}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
