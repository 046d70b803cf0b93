"""Says what is missing before anything is started."""
import os
import shutil

from . import cluster

PACKAGES = {"wrk": "wrk", "node": "nodejs", "npm": "npm"}


def check(binary):
    cluster.programs()
    missing = sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})
    if missing:
        raise SystemExit(f"bench: missing programs; on Debian and Ubuntu: apt-get install {' '.join(missing)}")
    if not os.access(binary, os.X_OK):
        raise SystemExit(f"bench: {binary} is not there: cargo build --release")
