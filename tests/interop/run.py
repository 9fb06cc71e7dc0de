"""Runs one case over one transport against a real `baton`. Without a case: all of them, one after the other."""
import argparse
import pathlib
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "demo")]
import cases  # noqa: E402

TRANSPORTS = ("udp", "tcp")


def with_threads(text):
    return text.replace("[media]\n", "[media]\nthreads = 2\n", 1)


def run(case, transport, baton, directory, plane="relay"):
    from rtpengine import Rtpengine, RtpengineError
    from server import ServerError
    from sipp import SippError
    from world import World
    place = pathlib.Path(directory) / f"{case.__name__}.{transport}.{plane}"
    rtpengine = Rtpengine(place) if plane == "rtpengine" else None
    configured = {"relay": [], "threads": [with_threads]}
    world = World(baton, place, transport, *([rtpengine.configured] if rtpengine else configured[plane]))
    try:
        if rtpengine:
            rtpengine.start()
        world.server.start()
        case(world)
        if rtpengine:
            world.equal(rtpengine.calls(), 0, "endpoints that are left in rtpengine")
    except (ServerError, SippError, RtpengineError, LookupError, OSError) as error:  # what follows could not be played
        world.problems.append(f"{type(error).__name__}: {error}")
    finally:
        world.close()
        if rtpengine:
            rtpengine.stop()
    return world.problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="names of the tests")
    parser.add_argument("--baton")
    parser.add_argument("--directory", help="where configuration, messages and records of each test go")
    parser.add_argument("test", nargs="*", help="CASE.TRANSPORT or CASE.TRANSPORT.PLANE, as --list shows them; default: all")
    options = parser.parse_args()
    tests = {f"{case.__name__}.{transport}": (case, transport) for case in cases.ALL for transport in TRANSPORTS}
    tests |= {f"{case.__name__}.tls": (case, "tls") for case in cases.TLS}
    tests |= {f"{case.__name__}.{transport}6": (case, f"{transport}6") for case in cases.IPV6
              for transport in (*TRANSPORTS, "tls")}
    tests |= {f"{case.__name__}.udp": (case, "udp") for case in cases.UDP_ONLY}
    tests |= {f"{case.__name__}.{transport}.rtpengine": (case, transport, "rtpengine")
              for case, transport in cases.RTPENGINE}
    tests |= {f"{case.__name__}.{transport}.threads": (case, transport, "threads") for case, transport in cases.THREADS}
    if options.list:
        print("\n".join(tests))
        return 0
    failed = []
    for name in options.test or tests:
        began = time.monotonic()
        case, transport, *plane = tests[name]
        problems = run(case, transport, options.baton, options.directory, *plane)
        print(f"{'FAILED' if problems else 'ok    '} {name} ({time.monotonic() - began:.1f} s)", flush=True)
        for problem in problems:
            print(f"    {problem}")
        failed += [name] if problems else []
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
