"""Who used the processors while something ran.

On a machine that others use too, a rate alone says little. CPU seconds of each process tree say what an operation
costs, and what nobody of ours used (`foreign`) says how far a rate can be trusted.
"""
import os
import resource
import signal
import socket
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def _processes():
    """pid -> (parent, own CPU seconds, CPU seconds of children that ended)."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            own, ended = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
            found[int(name)] = (int(fields[1]), own / TICK, ended / TICK)
    return found


def tree_pids(root):
    """A process and all that descend from it."""
    children = {}
    for pid, (parent, _, _) in _processes().items():
        children.setdefault(parent, []).append(pid)
    waiting, tree = [root], []
    while waiting:
        pid = waiting.pop()
        tree.append(pid)
        waiting += children.get(pid, [])
    return tree


def tree_seconds(root):
    """CPU seconds of a process, of all that live below it, and of those below that ended."""
    processes = _processes()
    return sum(sum(processes[pid][1:]) for pid in tree_pids(root) if pid in processes)


def busy_seconds():
    """CPU seconds of the whole machine, waiting excluded."""
    with open("/proc/stat") as file:
        fields = list(map(int, file.readline().split()[1:]))
    return (sum(fields[:3]) + sum(fields[5:7])) / TICK


def memory_mb(pid, key="VmRSS"):
    """Memory of one process in MiB: VmRSS now, VmHWM at its highest."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(key):
                return int(line.split()[1]) / 1024
    return 0.0


def wait_until_quiet(seconds, cores=0.25):
    """Waits, at most so long, for a second in which less than `cores` are used."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        before = busy_seconds()
        time.sleep(1)
        if busy_seconds() - before < cores:
            return


def watched(command, trees, timeout, env=None):
    """Runs a load. Returns its output, and the CPU seconds of each tree, of the load itself and of others (in cores)."""
    before = {name: tree_seconds(pid) for name, pid in trees.items()}
    busy, started, own = busy_seconds(), time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=env)
    wall, ended = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    time.sleep(0.05)
    busy = busy_seconds() - busy
    used = {name: tree_seconds(pid) - before[name] for name, pid in trees.items()}
    used["load"] = ended.ru_utime + ended.ru_stime - own.ru_utime - own.ru_stime
    foreign = max(0.0, busy - sum(used.values())) / wall
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-400:] or done.stdout[-400:]}")
    return done.stdout, used, foreign


def kill_tree(root, seconds=60):
    """SIGKILL to a process and all below it, itself first: nobody is left to tend to the others. Waits until they are gone."""
    pids = tree_pids(root)
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    until = time.monotonic() + seconds
    while any(_lives(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.02)


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def free_port():
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end_in_order():
    """SIGTERM unwinds like Ctrl-C: what was started is stopped, the database is removed."""
    def ended(*_):
        # Only once: a second one would break off the tidying up.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(143)

    signal.signal(signal.SIGTERM, ended)


def stop(process, seconds=15, how=signal.SIGTERM):
    """Asks a process that we started to end, and ends it when it does not."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(seconds)
    return process.returncode
