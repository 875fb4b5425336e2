"""Write the sample mailbox into a folder: `tools/make_demo_mailbox.py [FOLDER]`, by default data/demo.

Every run writes the same bytes. `expected.json` says what a reader should make of each file.
"""

import json
import sys
from collections import Counter
from datetime import UTC
from pathlib import Path

from demo_mailbox import everyday, foreign, incidents, others
from demo_mailbox.company import DOMAIN, JONAS
from demo_mailbox.mail import Mail

INCIDENTS = (
    ("takeover_precursor", JONAS.address),
    ("sender_blocked", JONAS.address),
    ("dns_proven_destination", incidents.EXPIRED_DOMAIN),
    ("domain_unreachable", incidents.EXPIRED_DOMAIN),
    ("dns_proven", DOMAIN),
    ("spf_many_senders", DOMAIN),
)
"""The incidents that the week must raise, as rule id and key, in the order they open."""


def week() -> dict[str, Mail]:
    """Return the mails in order of arrival, by file name."""
    mails = [*everyday.mails(), *incidents.mails(), *others.mails(), *foreign.mails()]
    mails.sort(key=lambda mail: (mail.arrived, mail.what))
    return {f"{number:03}-{mail.what}.eml": mail for number, mail in enumerate(mails, start=1)}


def expected(mails: dict[str, Mail]) -> str:
    """Return what a reader should find, as JSON."""
    kinds = Counter(kind for mail in mails.values() for kind in mail.kinds)
    found = {
        "messages": len(mails),
        "kinds": dict(sorted(kinds.items())),
        "duplicates": sum(mail.repeats for mail in mails.values()),
        "incidents": [{"rule": rule, "key": key} for rule, key in INCIDENTS],
        "files": [
            {
                "file": name,
                "arrived_at": f"{mail.arrived.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "kinds": list(mail.kinds),
                **({"repeats": True} if mail.repeats else {}),
            }
            for name, mail in mails.items()
        ],
    }
    return json.dumps(found, indent=1) + "\n"


def write(folder: Path) -> int:
    """Replace the mails in a folder and return how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.eml"):
        old.unlink()
    mails = week()
    for name, mail in mails.items():
        (folder / name).write_bytes(mail.raw)
    (folder / "expected.json").write_text(expected(mails), encoding="utf-8")
    return len(mails)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "data" / "demo"
    sys.stdout.write(f"{write(target)} messages in {target}\n")
