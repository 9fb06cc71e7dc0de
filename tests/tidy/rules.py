"""The project's rules about its own sources. Each rule takes the repository's root and yields one line per breach."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# Left to right: a folder may include itself and what stands in an earlier group.
ORDER = [["base"], ["sip"], ["sdp"], ["txn"], ["dialog"], ["trunk"], ["call"], ["engine"], ["net", "media", "store"],
         ["shard"], ["metrics"], ["voice"], ["api", "config"], ["app"]]
RANK = {folder: rank for rank, group in enumerate(ORDER) for folder in group}

# Plain values that stand for a folder further right.
PORTS = {"media/port.h": RANK["call"], "store/port.h": RANK["call"]}

# No I/O here: `now` is an argument, randomness a seed, everything else an Input or an Action.
MACHINE = ["base", "sip", "sdp", "txn", "dialog", "trunk", "call", "engine"]

FORBIDDEN_HEADERS = re.compile(
    r"^(thread|mutex|shared_mutex|condition_variable|future|atomic|semaphore|latch|barrier|stop_token|random|fstream|"
    r"filesystem|iostream|fcntl\.h|unistd\.h|pthread\.h|signal\.h|csignal|poll\.h|netdb\.h|netinet/.*|arpa/.*|net/.*|"
    r"sys/(socket|epoll|time|timerfd|eventfd|random|stat|mman|un)\.h|openssl/rand\.h|boost/asio.*|curl/.*|"
    r"spdlog/.*|sqlite3\.h|SQLiteCpp/.*|ares\.h)$")
ALLOWED_HEADERS = {"base/address.cc": {"arpa/inet.h", "netinet/in.h", "sys/socket.h"}}  # text to bytes and back

FORBIDDEN_NAMES = re.compile(
    r"\b(system_clock|steady_clock|high_resolution_clock|clock_gettime|gettimeofday|time\s*\(\s*(?:nullptr|NULL|0|&)|"
    r"std::thread|std::jthread|std::async|std::this_thread|std::mutex|std::atomic\b|thread_local|pthread_\w+|"
    r"random_device|mt19937\w*|std::rand|srand|getrandom|arc4random\w*|RAND_bytes|"
    r"getenv|setenv|secure_getenv|fopen|std::(?:i|o)?fstream|std::filesystem|std::cout|std::cerr|std::cin|"
    r"getaddrinfo|gethostbyname|epoll_\w+|recvmmsg|sendmmsg|recvfrom|sendto)\b")

LINES_MAX = 740
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def _files(root, *patterns):
    root = pathlib.Path(root)
    found = [path for pattern in patterns for path in root.glob(pattern) if path.is_file()]
    return sorted(path for path in found if "build" not in path.relative_to(root).parts[:1])


def _includes(path):
    for number, text in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', text)
        if match:
            yield number, match.group(1), match.group(2)


def _code(path):
    """The lines of a file without comments and string literals, numbered."""
    text = path.read_text()
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.S)
    text = pattern.sub(lambda m: "\n" * m.group(0).count("\n") if m.group(0)[0] == "/" else
                       '""' + "\n" * m.group(0).count("\n"), text)
    return enumerate(text.splitlines(), 1)


def arrows(root):
    """A folder of src includes only what is to its left."""
    source = pathlib.Path(root) / "src"
    for path in _files(root, "src/**/*.h", "src/**/*.cc"):
        relative = path.relative_to(source)
        folder = relative.parts[0]
        if folder not in RANK:
            yield f"src/{relative}: the folder '{folder}' has no place in the order {ORDER}"
            continue
        for number, kind, name in _includes(path):
            target = name.split("/")[0]
            if kind == "<":
                continue
            if "/" not in name:
                yield f'src/{relative}:{number}: include "{name}" by its folder, as "{folder}/{name}"'
                continue
            allowed = target == folder or RANK.get(target, 99) < RANK[folder] or PORTS.get(name, 99) <= RANK[folder]
            if not allowed:
                yield f"src/{relative}:{number}: {folder} may not include {name}"


def machine_without_io(root):
    """No clock, thread, random source, socket, file or environment in the folders of the machine."""
    source = pathlib.Path(root) / "src"
    for folder in MACHINE:
        for path in _files(root, f"src/{folder}/**/*.h", f"src/{folder}/**/*.cc"):
            relative = str(path.relative_to(source))
            for number, kind, name in _includes(path):
                if kind == "<" and FORBIDDEN_HEADERS.match(name) and name not in ALLOWED_HEADERS.get(relative, ()):
                    yield f"src/{relative}:{number}: the machine does no I/O, but this includes <{name}>"
            for number, text in _code(path):
                match = FORBIDDEN_NAMES.search(text)
                if match:
                    yield f"src/{relative}:{number}: the machine does no I/O, but this uses {match.group(1)}"


def file_length(root):
    """No source file is longer than LINES_MAX lines."""
    for path in _files(root, "src/**/*.h", "src/**/*.cc", "tests/**/*.h", "tests/**/*.cc", "tests/**/*.py",
                       "demo/*.py", "bench/**/*.cc"):
        lines = len(path.read_text().splitlines())
        if lines > LINES_MAX:
            yield f"{path.relative_to(root)}: {lines} lines, at most {LINES_MAX}; does it still have one job?"


def no_marks(root):
    """No note of unfinished work in src, demo and dev: unfinished work is an issue, not a comment."""
    for path in _files(root, "src/**/*.h", "src/**/*.cc", "demo/*", "dev"):
        for number, text in enumerate(path.read_text(errors="replace").splitlines(), 1):
            match = MARKS.search(text)
            if match:
                yield f"{path.relative_to(root)}:{number}: {match.group(0)}"


def names(root):
    """Files are snake_case.{h,cc}; headers begin with #pragma once."""
    for path in _files(root, "src/**/*", "tests/unit/**/*", "tests/sim/**/*", "tests/fuzz/*"):
        relative = path.relative_to(root)
        if path.suffix in (".cpp", ".hpp", ".cxx", ".hh") or (
                path.suffix in (".h", ".cc") and not re.fullmatch(r"[a-z0-9_]+\.(h|cc)", path.name)):
            yield f"{relative}: files are named snake_case.h or snake_case.cc"
        if path.suffix == ".h":
            first = next((text for _, text in _code(path) if text.strip()), "")
            if first.strip() != "#pragma once":
                yield f"{relative}: a header begins with #pragma once"


def self_contained_headers(root, folders=None, compiler=None):
    """Every header compiles on its own: some source includes it before all others, or it is tried here."""
    compiler = compiler or os.environ.get("CXX", "g++")
    source = pathlib.Path(root) / "src"
    compiled = set()
    for path in _files(root, "src/**/*.cc", "tests/unit/**/*.cc"):
        first = next(_includes(path), None)
        if first:
            compiled.add(first[2])
    headers = [path for folder in (folders or RANK) for path in _files(root, f"src/{folder}/**/*.h")
               if str(path.relative_to(source)) not in compiled]

    def check(path):
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder) / "unit.cc"
            unit.write_text(f'#include "{path.relative_to(source)}"\n')
            run = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", f"-I{source}", str(unit)],
                                 capture_output=True, text=True)
        if run.returncode == 0:
            return None
        first = next((line for line in run.stderr.splitlines() if "error" in line), run.stderr.strip())
        return f"src/{path.relative_to(source)}: does not compile on its own: {first}"

    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for breach in pool.map(check, headers):
            if breach:
                yield breach


RULES = {rule.__name__: rule for rule in
         (arrows, machine_without_io, file_length, no_marks, names, self_contained_headers)}


def main():
    root, chosen = sys.argv[1], sys.argv[2:] or list(RULES)
    breaches = [line for name in chosen for line in RULES[name](root)]
    for line in breaches:
        print(line)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
