"""What memory a process holds."""

from pathlib import Path


def held(line: str) -> float:
    """Return what this process holds (`VmRSS`) or held at its peak (`VmHWM`), in MB (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{line}:")[2].split()[0]) / 1024
