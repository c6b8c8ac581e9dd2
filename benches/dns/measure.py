"""What each program takes for a plan, in turns: CPU (user and system, of the whole tree), wall time, peak memory; one table, and the bars.

    measure.py DNS SWITCHOVER OCTODNS FOLDER RUNS RECORDS...

DNS is the bench's own program, SWITCHOVER a release build, OCTODNS octodns-sync. Started by scripts/bench-dns.
"""

import os
import statistics
import subprocess
import sys
import time

# octoDNS takes more than half a minute of CPU for a hundred thousand records: fewer runs of it will do.
RUNS_OF_LARGE = 1
LARGE = 50_000
# A program that takes longer than this is stopped: something is wrong.
SECONDS_MAX = 900
# Bars: octoDNS's CPU over ours, ours over the limit's, our memory over octoDNS's.
OCTODNS_CPU_MIN, LIMIT_CPU_MAX, MEMORY_MAX, BAR_AT = 30, 1.5, 0.5, 10_000
# Cost a record at the largest size, over that at the next smaller one: what is more is not linear.
LINEAR_MAX = 1.5


def run(words, good, out):
    """CPU seconds, wall seconds and peak MB of one program, which must end with one of these codes."""
    began = time.monotonic()
    with open(out, "wb") as to:
        child = subprocess.Popen(words, stdout=to, stderr=subprocess.STDOUT, env=ENVIRONMENT)
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - began > SECONDS_MAX:
                child.kill()
            time.sleep(0.002)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in good:
        with open(out, errors="replace") as text:
            sys.exit(f"{' '.join(words)}\nended with {child.returncode}:\n{text.read()[-2000:]}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss / 1000


def programs(variant, records):
    """The programs to compare: name, command line, exit codes that mean success."""
    environment = f"{variant}-{records}"
    ours = [SWITCHOVER, "-C", FOLDER, "plan", environment, "--detailed-exitcode"]
    yield "limit", [DNS, "limit", BASE, str(records), f"{FOLDER}/environments/{environment}.hcl"], [0]
    yield "switchover", ours, [0] if variant == "noop" else [2]
    for size in (100, 5000):
        config = f"{FOLDER}/octodns/{environment}-{size}.yaml"
        # Without --doit nothing is changed; without --force a full swap is refused before it is planned.
        yield f"octoDNS, {size} a page", [OCTODNS, f"--config-file={config}", "--force", "--quiet"], [0]


def measure():
    """Medians by variant, size and program; the programs take turns, so that a slow minute hits all of them."""
    found = {}
    for records in SIZES:
        for variant in ("noop", "swap"):
            taken = {}
            for turn in range(RUNS_OF_LARGE if records >= LARGE else RUNS):
                for name, words, good in programs(variant, records):
                    taken.setdefault(name, []).append(run(words, good, f"{FOLDER}/out"))
                    print(f"{records} {variant} {name}: {taken[name][-1][0]:.3f} s of CPU", file=sys.stderr)
            for name, runs in taken.items():
                found[variant, records, name] = [statistics.median(column) for column in zip(*runs)]
    return found


def table(found):
    print("| records | plan | program | CPU s | wall s | peak MB | CPU ÷ limit | octoDNS CPU ÷ ours |")
    print("|---|---|---|---|---|---|---|---|")
    for (variant, records, name), (cpu, wall, peak) in found.items():
        limit = found[variant, records, "limit"][0]
        peers = [each[0] for (v, r, n), each in found.items() if (v, r) == (variant, records) and n.startswith("octoDNS")]
        times = f"{min(peers) / cpu:.0f}" if name == "switchover" else ""
        print(f"| {records:,} | {variant} | {name} | {cpu:.3f} | {wall:.3f} | {peak:.0f} | {cpu / limit:.2f} | {times} |")


def bars(found):
    """Each bar with its figure; whether all are held."""
    held = True

    def bar(what, value, good):
        nonlocal held
        held &= good
        print(f"{'pass' if good else 'FAIL'}  {what}: {value}")

    for variant in ("noop", "swap"):
        for records in SIZES:
            cpu, _, peak = found[variant, records, "switchover"]
            peers = [each for (v, r, n), each in found.items() if (v, r) == (variant, records) and n.startswith("octoDNS")]
            times, share = min(each[0] for each in peers) / cpu, peak / min(each[2] for each in peers)
            limit = cpu / found[variant, records, "limit"][0]
            if records == BAR_AT:
                bar(f"{variant} {records:,}: octoDNS's CPU at least {OCTODNS_CPU_MIN} times ours", f"{times:.1f}", times >= OCTODNS_CPU_MIN)
                bar(f"{variant} {records:,}: CPU at most {LIMIT_CPU_MAX} times the limit", f"{limit:.2f}", limit <= LIMIT_CPU_MAX)
            if records >= BAR_AT:
                bar(f"{variant} {records:,}: memory at most {MEMORY_MAX} of octoDNS's", f"{share:.2f} ({peak:.0f} MB)", share <= MEMORY_MAX)
        large = [records for records in SIZES if records >= 1_000][-2:]
        if len(large) == 2:
            each = [found[variant, records, "switchover"][0] / records for records in large]
            what = f"{variant}: cost a record at {large[1]:,} at most {LINEAR_MAX} times that at {large[0]:,}"
            bar(what, f"{each[1] / each[0]:.2f}", each[1] <= LINEAR_MAX * each[0])
    return held


DNS, SWITCHOVER, OCTODNS, FOLDER, RUNS = *sys.argv[1:5], int(sys.argv[5])
SIZES = sorted(int(word) for word in sys.argv[6:])
ENVIRONMENT = {**os.environ, "CLOUDFLARE_API_TOKEN": "0123456789abcdef0123456789abcdef01234567", "NO_COLOR": "1"}
ENVIRONMENT.pop("SWITCHOVER_WORLD", None)
SERVER = subprocess.Popen([DNS, "serve", *map(str, SIZES)], stdout=subprocess.PIPE, text=True)
try:
    BASE = SERVER.stdout.readline().strip()
    subprocess.run([DNS, "make", FOLDER, BASE, *map(str, SIZES)], check=True)
    FOUND = measure()
    table(FOUND)
    print()
    sys.exit(0 if bars(FOUND) else 1)
finally:
    SERVER.kill()
    SERVER.wait()
