"""What memory a process holds."""

from pathlib import Path


def held(line: str, pid: int | None = None) -> float:
    """Return what a process, else this one, holds (`VmRSS`) or held at its peak (`VmHWM`), in MB (Linux)."""
    status = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="ascii")
    return int(status.partition(f"{line}:")[2].split()[0]) / 1024
