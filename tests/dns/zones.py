"""Zones with one fault each: what is published, what is asked, and the words that must name the fault."""

from dataclasses import dataclass

from bounce_watch.model.dns import DnsVerdict, Question

ADDRESS = "192.0.2.7"
FAULT, ABSENT, UNASKED = DnsVerdict.FAULT, DnsVerdict.ABSENT, DnsVerdict.UNASKED
EXCHANGE = "include:spf.protection.outlook.com"
KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnwWchmrxakyWfEPwBirvoKblUJfrtWAQrcV/Hgc9KsnAoGFFcwaMNKcf"
    "Rhr6z6uRH9bAaAr5vDO5lOTrefrIfk8Znj9YOmW7RONcwoDTMxhiAoX6Qpmu+lS9h7FmUQ2Fz7Ax7gkeJmS+/bdOlxy/o3srElR6"
    "aCda8e4115iLHsYA9ee+kP9phJCKVVellpAFU3eV9DYDpZAozPxMM42cW49I4TBYzgpqxOA+uv8Di3lF+H7n8/Cp5lH3JrwY0+mm"
    "dN+9froQDhWCQchhdz/HVd5lAgPH8LPHdBLWMTvtRGq/ZESG2BYUzfYLkn2pISOJjiCKJoRPd24RnjEjxjtdkQIDAQAB"
)


@dataclass(frozen=True, kw_only=True)
class Zone:
    """`records` are relative to the domain `<id>.example`; `words` must all stand in the reason."""

    id: str
    question: Question
    words: tuple[str, ...]
    records: tuple[tuple[str, str, str], ...] = ()
    verdict: DnsVerdict = FAULT
    address: str | None = None
    publishes: bool = False

    @property
    def domain(self) -> str:
        return f"{self.id}.example"

    def published(self) -> list[tuple[str, str, str]]:
        """Return the records with whole names; `@` in a value is the domain."""
        return [
            (f"{name}.{self.domain}" if name else self.domain, kind, value.replace("@", self.domain))
            for name, kind, value in self.records
        ]


def spf(text: str) -> tuple[str, str, str]:
    return ("", "TXT", f'"{text}"')


def key(text: str) -> tuple[str, str, str]:
    parts = [text[start : start + 250] for start in range(0, len(text), 250)]
    return ("selector1._domainkey", "TXT", " ".join(f'"{part}"' for part in parts))


def dmarc(text: str) -> tuple[str, str, str]:
    return ("_dmarc", "TXT", f'"{text}"')


def _spf(name: str, *records: tuple[str, str, str], words: tuple[str, ...], **more: object) -> Zone:
    return Zone(id=name, question=Question.SPF, words=words, records=records, **more)  # type: ignore[arg-type]


_INCLUDES = tuple((f"i{n}", "TXT", f'"v=spf1 ip4:198.51.100.{n} -all"') for n in range(11))

SPF_ZONES = (
    _spf("absent", ("", "A", ADDRESS), words=("no SPF record",), verdict=ABSENT, publishes=True),
    _spf(
        "left-out", spf("v=spf1 ip4:198.51.100.1 -all"), words=("-all", EXCHANGE, "missing"), publishes=True
    ),
    _spf(
        "left-out-soft",
        spf("v=spf1 ip4:198.51.100.1 ~all"),
        words=("~all", "softfail", EXCHANGE),
        publishes=True,
    ),
    _spf(
        "relay",
        spf(f"v=spf1 {EXCHANGE} -all"),
        words=(ADDRESS, "-all", "fail"),
        address=ADDRESS,
        publishes=True,
    ),
    _spf(
        "vanished",
        spf(f"v=spf1 {EXCHANGE} include:gone.@ -all"),
        words=("include:gone.vanished.example", "no SPF record"),
        publishes=True,
    ),
    _spf(
        "vanished-deep",
        spf(f"v=spf1 {EXCHANGE} include:a.@ -all"),
        ("a", "TXT", '"v=spf1 ip4:198.51.100.9 include:gone.@ -all"'),
        words=("include:a.vanished-deep.example > include:gone.vanished-deep.example",),
        publishes=True,
    ),
    _spf(
        "twice",
        spf(f"v=spf1 {EXCHANGE} -all"),
        spf("v=spf1 ip4:198.51.100.1 -all"),
        words=("2 SPF records",),
        publishes=True,
    ),
    _spf(
        "include-twice",
        spf(f"v=spf1 {EXCHANGE} include:a.@ -all"),
        ("a", "TXT", '"v=spf1 -all"'),
        ("a", "TXT", '"v=spf1 ~all"'),
        words=("include:a.include-twice.example", "several SPF records"),
        publishes=True,
    ),
    _spf(
        "unknown-mechanism",
        spf(f"v=spf1 {EXCHANGE} ipv4:198.51.100.1 -all"),
        words=("character 43", "'ipv4:198.51.100.1'"),
        publishes=True,
    ),
    _spf(
        "bad-address",
        spf(f"v=spf1 {EXCHANGE} ip4:198.51.100.256 -all"),
        words=("character 43", "ip4:198.51.100.256"),
        publishes=True,
    ),
    _spf(
        "bad-length",
        spf(f"v=spf1 ip4:198.51.100.0/33 {EXCHANGE} -all"),
        words=("character 8", "ip4:198.51.100.0/33"),
        publishes=True,
    ),
    _spf(
        "bad-macro",
        spf(f"v=spf1 {EXCHANGE} exists:%{{y}}.@ -all"),
        words=("character 43", "exists:%{y}"),
        publishes=True,
    ),
    _spf(
        "space",
        spf(f"v=spf1 {EXCHANGE} include: a.@ -all"),
        words=("character 43", "'include:'"),
        publishes=True,
    ),
    _spf(
        "deep-syntax",
        spf(f"v=spf1 {EXCHANGE} include:a.@ -all"),
        ("a", "TXT", '"v=spf1 ip4:198.51.100.1 mx:: -all"'),
        words=("include:a.deep-syntax.example", "mx::"),
        publishes=True,
    ),
    _spf(
        "two-redirects",
        spf(f"v=spf1 {EXCHANGE} redirect=a.@ redirect=b.@"),
        words=("redirect=b.two-redirects.example", "second redirect"),
        publishes=True,
    ),
    _spf(
        "lookups",
        spf(f"v=spf1 {EXCHANGE} " + " ".join(f"include:i{n}.@" for n in range(11)) + " -all"),
        *_INCLUDES,
        words=("12 lookups", "include:i9.lookups.example"),
        publishes=True,
    ),
    _spf(
        "voids",
        spf(f"v=spf1 {EXCHANGE} a:x.@ a:y.@ mx:z.@ -all"),
        words=("3 void lookups", "a:x.voids.example", "mx:z.voids.example"),
        publishes=True,
    ),
    _spf(
        "loop",
        spf(f"v=spf1 {EXCHANGE} include:a.@ -all"),
        ("a", "TXT", '"v=spf1 include:b.@ -all"'),
        ("b", "TXT", '"v=spf1 include:a.@ -all"'),
        words=("include:a.loop.example", "loop", "b.loop.example"),
        publishes=True,
    ),
    _spf(
        "redirect-loop",
        spf("v=spf1 redirect=@"),
        words=("redirect=redirect-loop.example", "loop"),
        publishes=True,
    ),
    _spf("plus-all", spf(f"v=spf1 {EXCHANGE} +all"), words=("+all", "any server"), publishes=True),
    _spf(
        "include-plus-all",
        spf(f"v=spf1 {EXCHANGE} include:a.@ -all"),
        ("a", "TXT", '"v=spf1 +all"'),
        words=("include:a.include-plus-all.example > +all", "any server"),
        publishes=True,
    ),
    _spf("neutral", spf(f"v=spf1 {EXCHANGE} ?all"), words=("?all", "neutral"), publishes=True),
    _spf("no-all", spf(f"v=spf1 {EXCHANGE}"), words=("no all",), publishes=True),
    _spf("ptr", spf(f"v=spf1 {EXCHANGE} ptr -all"), words=("ptr", "must not be used"), publishes=True),
    _spf(
        "after-all",
        spf(f"v=spf1 {EXCHANGE} -all ip4:198.51.100.1"),
        words=("ip4:198.51.100.1 stands after -all",),
        publishes=True,
    ),
    _spf("near", spf(f"v=spf1; {EXCHANGE} -all"), words=("does not begin with 'v=spf1 '",), publishes=True),
)

_DKIM = Question.DKIM
DKIM_ZONES = (
    Zone(id="key-absent", question=_DKIM, words=("no key",), records=(("", "A", ADDRESS),), verdict=ABSENT),
    Zone(id="key-revoked", question=_DKIM, words=("revoked",), records=(key("v=DKIM1; k=rsa; p="),)),
    Zone(id="key-broken", question=_DKIM, words=("p= holds no rsa key",), records=(key("v=DKIM1; p=MII!"),)),
    Zone(
        id="key-cut",
        question=_DKIM,
        words=("p= holds no rsa key",),
        records=(key(f"v=DKIM1; p={KEY[:200]}"),),
    ),
    Zone(
        id="key-dangling",
        question=_DKIM,
        words=("CNAME to gone.key-dangling.example", "dangling"),
        records=(("selector1._domainkey", "CNAME", "gone.@."),),
    ),
    Zone(
        id="key-short",
        question=_DKIM,
        words=("512 bits",),
        records=(
            key(
                "v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALlVbHaw1LEfiPf13UZAk07YUE+OfnD6O6w6sj"
                "8I+jtEbIgqHQwRi49NTUzQ/Dmh5PDnjbIFLXvhv80Bimj/qYcCAwEAAQ=="
            ),
        ),
    ),
    Zone(
        id="key-other-use", question=_DKIM, words=("s=tlsrpt",), records=(key(f"v=DKIM1; s=tlsrpt; p={KEY}"),)
    ),
    Zone(id="key-sha1", question=_DKIM, words=("h=sha1",), records=(key(f"v=DKIM1; h=sha1; p={KEY}"),)),
    Zone(id="key-testing", question=_DKIM, words=("t=y",), records=(key(f"v=DKIM1; t=y; p={KEY}"),)),
    Zone(
        id="key-twice",
        question=_DKIM,
        words=("2 keys",),
        records=(key(f"v=DKIM1; p={KEY}"), key("v=DKIM1; p=")),
    ),
)

_DMARC = Question.DMARC
DMARC_ZONES = (
    Zone(id="no-dmarc", question=_DMARC, words=("no DMARC record",), verdict=ABSENT, publishes=True),
    Zone(
        id="two-dmarc",
        question=_DMARC,
        words=("2 DMARC records",),
        records=(dmarc("v=DMARC1; p=none"), dmarc("v=DMARC1; p=reject")),
        publishes=True,
    ),
    Zone(
        id="bad-policy",
        question=_DMARC,
        words=("p=rejected",),
        records=(dmarc("v=DMARC1; p=rejected"),),
        publishes=True,
    ),
    Zone(
        id="bad-sp",
        question=_DMARC,
        words=("sp=all",),
        records=(dmarc("v=DMARC1; p=reject; sp=all"),),
        publishes=True,
    ),
    Zone(
        id="bad-tags",
        question=_DMARC,
        words=("character 11", "p none"),
        records=(dmarc("v=DMARC1; p none"),),
        publishes=True,
    ),
    Zone(
        id="late-version",
        question=_DMARC,
        words=("does not begin with v=DMARC1",),
        records=(dmarc("p=none; v=DMARC1"),),
        publishes=True,
    ),
    Zone(
        id="bad-rua",
        question=_DMARC,
        words=("rua=reports.example",),
        records=(dmarc("v=DMARC1; p=none; rua=reports.example"),),
        publishes=True,
    ),
    Zone(
        id="foreign-rua",
        question=_DMARC,
        words=("foreign-rua.example._report._dmarc.reports.example",),
        records=(dmarc("v=DMARC1; p=none; rua=mailto:d@reports.example".replace("@", "\\064")),),
    ),
)

_MX = Question.MX
MX_ZONES = (
    Zone(id="dead", question=_MX, words=("the domain does not exist",)),
    Zone(id="null-mx", question=_MX, words=("null MX",), records=(("", "MX", "0 ."),)),
    Zone(id="no-mx", question=_MX, words=("no MX record and no address",), records=(("", "TXT", '"x"'),)),
    Zone(
        id="mx-gone",
        question=_MX,
        words=("mx.mx-gone.example does not exist",),
        records=(("", "MX", "10 mx.@."),),
    ),
    Zone(
        id="mx-bare",
        question=_MX,
        words=("mx.mx-bare.example has no address",),
        records=(("", "MX", "10 mx.@."), ("mx", "TXT", '"x"')),
    ),
    Zone(
        id="mx-alias",
        question=_MX,
        words=("mx.mx-alias.example is a CNAME",),
        records=(("", "MX", "10 mx.@."), ("mx", "CNAME", "real.@."), ("real", "A", ADDRESS)),
    ),
    Zone(
        id="mx-literal",
        question=_MX,
        words=("192.0.2.7 is an IP address",),
        records=(("", "MX", "10 192.0.2.7."),),
    ),
    Zone(
        id="mx-loopback",
        question=_MX,
        words=("mx.mx-loopback.example", "127.0.0.1"),
        records=(("", "MX", "10 mx.@."), ("mx", "A", "127.0.0.1")),
    ),
    Zone(
        id="mx-private",
        question=_MX,
        words=("mx.mx-private.example", "10.1.2.3"),
        records=(("", "MX", "10 mx.@."), ("mx", "A", "10.1.2.3")),
    ),
)

_TLS = Question.MTA_STS
_MAIL = (("", "MX", "10 mx.@."), ("mx", "A", ADDRESS))
TLS_ZONES = (
    Zone(
        id="sts-id",
        question=_TLS,
        words=("id=2026-11-30",),
        records=(*_MAIL, ("_mta-sts", "TXT", '"v=STSv1; id=2026-11-30"'), ("mta-sts", "A", ADDRESS)),
    ),
    Zone(
        id="sts-host",
        question=_TLS,
        words=("mta-sts.sts-host.example", "no address"),
        records=(*_MAIL, ("_mta-sts", "TXT", '"v=STSv1; id=1"')),
    ),
    Zone(
        id="sts-twice",
        question=_TLS,
        words=("2 MTA-STS records",),
        records=(*_MAIL, ("_mta-sts", "TXT", '"v=STSv1; id=1"'), ("_mta-sts", "TXT", '"v=STSv1; id=2"')),
    ),
    Zone(
        id="tlsa",
        question=_TLS,
        words=("no usable TLSA record of mx.tlsa.example", "usage 1"),
        records=(*_MAIL, ("_25._tcp.mx", "TLSA", "1 1 1 " + "ab" * 32)),
    ),
)
ZONES = (*SPF_ZONES, *DKIM_ZONES, *DMARC_ZONES, *MX_ZONES, *TLS_ZONES)
