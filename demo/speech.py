"""Speech of the parties: espeak-ng, brought to 8 kHz mono, each a loop of its own length."""
import io
import pathlib
import subprocess
import wave

import numpy

RATE = 8000

PARTIES = {  # voice, pitch 0-99, words a minute, text
    "agent": ("en-us+f3", 62, 165,
              "Hello, this is the booking assistant. I can see your reservation in front of me. "
              "Let me find a colleague who can change the date for you. Please stay on the line."),
    "human": ("en-gb+m3", 22, 150,
              "Good afternoon, you are speaking with a person now. The assistant told me what you need. "
              "I have moved your booking to Friday and sent you a confirmation by mail."),
    "caller": ("en-us+m7", 45, 175,
               "Hi there, I would like to move my table from Thursday to Friday evening. "
               "We will be four people, and one of us needs a chair for a child."),
}


def resample(samples, rate_in, rate_out):
    """Band-limited, by cutting the spectrum; speech files are short enough for one transform."""
    count = int(len(samples) * rate_out / rate_in)
    spectrum = numpy.fft.rfft(samples)[: count // 2 + 1]
    spectrum[int(len(spectrum) * 0.95):] = 0
    return numpy.fft.irfft(spectrum, count) * (count / len(samples))


def read_wav(source):
    """Samples as floats in -1…1, and the rate; two channels are made one. A file still being written says length 0: then
    what is there counts."""
    data = pathlib.Path(source).read_bytes() if not isinstance(source, (bytes, bytearray)) else bytes(source)
    with wave.open(io.BytesIO(data)) as file:
        channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
        frames = file.readframes(file.getnframes())
    if width != 2 or channels > 2:
        raise ValueError(f"{source}: expected 16 bit, mono or stereo, found {width * 8} bit, {channels} channels")
    samples = numpy.frombuffer(frames, dtype="<i2").astype(numpy.float64) / 32768.0
    return samples[: len(samples) // channels * channels].reshape(-1, channels).mean(axis=1), rate


def write_wav(path, samples, rate=RATE):
    data = (numpy.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(data)


def write_mu_law(path, samples):
    """Bare G.711 µ-law (ITU-T G.711), for who plays it as RTP payload without looking."""
    value = (numpy.clip(samples, -1, 1) * 32635).astype(numpy.int64)
    magnitude = numpy.minimum(numpy.abs(value), 32635) + 132
    exponent = numpy.floor(numpy.log2(magnitude)).astype(numpy.int64) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    code = ~(((value < 0) << 7) | (exponent << 4) | mantissa) & 0xff
    pathlib.Path(path).write_bytes(code.astype(numpy.uint8).tobytes())


def speak(voice, pitch, speed, text):
    """One sentence loop: trimmed, evenly loud, closed by a short pause, a whole number of 200 ms long."""
    sound = subprocess.run(["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout", text],
                           check=True, capture_output=True).stdout
    # espeak-ng writes a stream header with an unknown length; the samples start behind its 44 bytes.
    rate = int.from_bytes(sound[24:28], "little")
    samples = resample(numpy.frombuffer(sound[44:len(sound) // 2 * 2], dtype="<i2") / 32768.0, rate, RATE)
    loud = numpy.flatnonzero(numpy.abs(samples) > 0.01)
    samples = samples[loud[0]:loud[-1]]
    samples = samples * (0.1 / numpy.sqrt(numpy.mean(samples ** 2)))
    samples = 0.9 * numpy.tanh(samples / 0.9)
    pause = 800 + (-len(samples) - 800) % 1600
    return numpy.concatenate([samples, numpy.zeros(pause)])


def make(folder, seconds=150):
    """For each party NAME.loop.wav, NAME.ulaw (the same) and NAME.wav (repeated); returns name → paths."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, recipe in PARTIES.items():
        loop, whole = folder / f"{name}.loop.wav", folder / f"{name}.wav"
        samples = speak(*recipe)
        write_wav(loop, samples)
        write_mu_law(folder / f"{name}.ulaw", samples)
        # baresip ends the call at the end of its input file, so there must be enough of it.
        write_wav(whole, numpy.tile(samples, -(-seconds * RATE // len(samples))))
        files[name] = {"loop": loop, "whole": whole, "mu_law": folder / f"{name}.ulaw"}
    return files
