"""Larkfield Instruments, its people and its week: Monday 9 to Friday 13 November 2026."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

DOMAIN = "larkfield.example"
LABS = "larkfield-labs.example"
MAILBOX = f"bounces@{DOMAIN}"
EXCHANGE = f"MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{DOMAIN}"
TENANT = "6f1c2a58-3d0b-4e77-9a41-0c5d8be21f90"

BERLIN = timezone(timedelta(hours=1))
"""Central European Time: the week lies in winter."""

_DAYS = {"Mon": 9, "Tue": 10, "Wed": 11, "Thu": 12, "Fri": 13}


def at(moment: str) -> datetime:
    """Read a local time of the week such as `Tue 22:41` or `Tue 22:41:07`."""
    day, clock = moment.split()
    return datetime.fromisoformat(f"2026-11-{_DAYS[day]:02}T{clock}").replace(tzinfo=BERLIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the company. `language` is that of their Outlook."""

    name: str
    address: str
    language: str = "en-US"

    @property
    def first_name(self) -> str:
        return self.name.split()[0]


def _colleague(name: str, local_part: str, *, domain: str = DOMAIN, language: str = "en-US") -> Person:
    return Person(name=name, address=f"{local_part}@{domain}", language=language)


ANNA = _colleague("Anna Schulte", "anna.schulte")
BEN = _colleague("Ben Okafor", "ben.okafor")
CLAIRE = _colleague("Claire Moreau", "claire.moreau", language="fr-FR")
DANIEL = _colleague("Daniel Brandt", "daniel.brandt")
ELIF = _colleague("Elif Yılmaz", "elif.yilmaz")
FELIX = _colleague("Felix Hoffmann", "felix.hoffmann")
GRETA = _colleague("Greta Lenz", "greta.lenz")
HENRIK = _colleague("Henrik Fischer", "henrik.fischer")
INES = _colleague("Inês Costa", "ines.costa")
JONAS = _colleague("Jonas Weber", "jonas.weber")
KAETHE = _colleague("Käthe Lindström", "kaethe.lindstroem", language="de-DE")
LUKAS = _colleague("Lukas Klein", "lukas.klein")
MAJA = _colleague("Maja Nowak", "maja.nowak")
NIKOLA = _colleague("Nikola Petrov", "nikola.petrov", domain=LABS)
OLGA = _colleague("Olga Sommer", "olga.sommer", domain=LABS)
SCANNER = _colleague("Scanner 3rd floor", "noreply-scanner", domain=LABS)
