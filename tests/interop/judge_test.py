"""The judge of recordings, held against recordings whose truth is known."""
import pathlib
import sys
import tempfile
import unittest

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "demo"))
import judge  # noqa: E402
import speech  # noqa: E402

RATE = judge.RATE


def mu_law(samples):
    magnitude = numpy.log1p(255 * numpy.abs(samples)) / numpy.log(256)
    code = numpy.round(magnitude * 127) / 127
    return numpy.sign(samples) * (numpy.power(256, code) - 1) / 255


def a_law(samples):
    a = 87.6
    x = numpy.abs(samples)
    big = x >= 1 / a
    scale = 1 + numpy.log(a)
    y = numpy.where(big, (1 + numpy.log(numpy.maximum(a * x, 1e-9))) / scale, a * x / scale)
    y = numpy.round(y * 127) / 127
    back = numpy.where(y < 1 / scale, y * scale / a, numpy.exp(y * scale - 1) / a)
    return numpy.sign(samples) * back


def tone(seconds, frequencies=(440, 480), level=0.1):
    time = numpy.arange(int(seconds * RATE)) / RATE
    return sum(level * numpy.sin(2 * numpy.pi * hz * time) for hz in frequencies)


def quiet(seconds):
    return numpy.zeros(int(seconds * RATE))


class JudgeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        files = speech.make(cls.folder.name, seconds=30)
        cls.whole = {name: speech.read_wav(paths["whole"])[0] for name, paths in files.items()}
        cls.loops = {name: speech.read_wav(paths["loop"])[0] for name, paths in files.items()}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def says(self, name, seconds, start=0.0):
        return self.whole[name][int(start * RATE): int((start + seconds) * RATE)]

    def listen(self, *pieces, coder=mu_law):
        return judge.listen(coder(numpy.concatenate(pieces)), self.loops)

    def check(self, segments, *truth):
        text = judge.line(segments)
        self.assertEqual(judge.order(segments), [party for party, _, _ in truth], text)
        for segment, (_, start, end) in zip(segments, truth):
            self.assertAlmostEqual(segment.start, start, delta=0.2, msg=text)
            self.assertAlmostEqual(segment.end, end, delta=0.25, msg=text)

    def transfer(self, ring=3.8):
        return (self.says("agent", 7.2), tone(2), quiet(ring - 2), self.says("human", 5))

    def test_agent_ring_back_human(self):
        self.check(self.listen(*self.transfer()),
                   ("agent", 0, 7.2), ("ring-back", 7.2, 11), ("human", 11, 16))

    def test_two_bursts_are_one_ring_back(self):
        pieces = (self.says("agent", 4), tone(2), quiet(4), tone(2), quiet(1), self.says("human", 4))
        self.check(self.listen(*pieces), ("agent", 0, 4), ("ring-back", 4, 13), ("human", 13, 17))

    def test_agent_comes_back(self):
        pieces = (self.says("agent", 6), tone(2), self.says("agent", 6, start=8.3))
        self.check(self.listen(*pieces), ("agent", 0, 6), ("ring-back", 6, 8), ("agent", 8, 14))

    def test_any_place_in_the_loop(self):
        for start in (0.37, 2.9, 5.123, 9.0, 13.7):
            pieces = (self.says("human", 3, start), self.says("agent", 3, start))
            self.assertEqual(judge.order(self.listen(*pieces)), ["human", "agent"], f"start {start}")

    def test_other_codec_and_level(self):
        for level in (0.3, 1.0, 1.3):
            pieces = [piece * level for piece in self.transfer()]
            self.assertEqual(judge.order(self.listen(*pieces, coder=lambda x: a_law(mu_law(x)))),
                             ["agent", "ring-back", "human"], f"level {level}")

    def test_lost_packets(self):
        samples = mu_law(numpy.concatenate(self.transfer()))
        rng = numpy.random.default_rng(7)
        frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
        kept = frames[rng.random(len(frames)) > 0.02].reshape(-1)
        self.assertEqual(judge.order(judge.listen(kept, self.loops)), ["agent", "ring-back", "human"])

    def test_other_countries(self):
        for country, frequencies in judge.FREQUENCIES.items():
            samples = mu_law(numpy.concatenate((self.says("agent", 3), tone(2, frequencies), self.says("human", 3))))
            self.assertEqual(judge.order(judge.listen(samples, self.loops, frequencies)),
                             ["agent", "ring-back", "human"], country)

    # What did not happen must not be said to have happened.

    def test_no_ring_back(self):
        self.assertEqual(judge.order(self.listen(self.says("agent", 5), quiet(3), self.says("human", 5))),
                         ["agent", "human"])

    def test_wrong_tone_is_not_ring_back(self):
        for frequencies in ((350, 440), (480, 620), (1000,)):
            segments = self.listen(self.says("agent", 5), tone(2, frequencies), self.says("human", 5))
            self.assertEqual(judge.order(segments), ["agent", "unknown", "human"], str(frequencies))

    def test_human_never_heard(self):
        self.assertEqual(judge.order(self.listen(self.says("agent", 5), tone(2), quiet(6))), ["agent", "ring-back"])

    def test_a_stranger_is_unknown(self):
        loops = {name: loop for name, loop in self.loops.items() if name != "caller"}
        samples = mu_law(numpy.concatenate((self.says("agent", 4), self.says("caller", 6))))
        heard = set(judge.order(judge.listen(samples, loops)))
        self.assertNotIn("human", heard)
        self.assertIn("unknown", heard)

    def test_two_at_once_are_not_one(self):
        both = self.says("agent", 6) + self.says("human", 6)
        segments = self.listen(self.says("agent", 3), both)
        self.assertIn("unknown", judge.order(segments), judge.line(segments))

    def test_speech_backwards_is_not_speech(self):
        self.assertNotIn("agent", judge.order(self.listen(self.says("agent", 5)[::-1])))

    def test_noise_and_silence(self):
        rng = numpy.random.default_rng(1)
        self.assertEqual(judge.order(self.listen(quiet(5))), [])
        self.assertEqual(set(judge.order(self.listen(rng.normal(0, 0.1, 5 * RATE)))), {"unknown"})
        self.assertEqual(judge.listen(numpy.zeros(0), self.loops), [])

    def test_silent_gap_is_measured(self):
        segments = self.listen(self.says("agent", 5, start=0.5), quiet(1.0), self.says("human", 5, start=0.5))
        self.assertAlmostEqual(judge.gaps(segments)[0], 1.0, delta=0.3)


if __name__ == "__main__":
    unittest.main()
