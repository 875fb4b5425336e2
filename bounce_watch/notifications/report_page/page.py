"""The report page: one HTML file that loads nothing and runs only its own script."""

import base64
import hashlib
import re
from datetime import datetime

from bounce_watch.model import Count, IncidentState, IncidentStory, ListedBounce, Overview
from bounce_watch.notifications.alert.wording import title_of
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.labels import CAUSES, OWNERS, SEVERITIES, label_of
from bounce_watch.notifications.rendering.safe_text import defang, plain
from bounce_watch.notifications.rendering.templates import Templates, Value
from bounce_watch.notifications.report_page import charts

PAGE, STYLE, SCRIPT = "report/report.html.j2", "report/report.css.j2", "report/report.js.j2"
SENDERS = 5
"""Maximum number of senders shown per incident."""
_COPYABLE = re.compile(r"[\w.+@-]{1,120}")
_CHANGES = {
    "opened": "Opened",
    "grew": "Grew",
    "quiet": "No new bounces",
    "reopened": "Opened again",
    "resolved": "Resolved",
    "archived": "Archived",
}
_CLOSED = {IncidentState.RESOLVED: "Resolved", IncidentState.ARCHIVED: "Archived, not confirmed as fixed"}


def report_page(templates: Templates, overview: Overview, now: datetime) -> str:
    """Compose the page. Its policy allows the inline style and script by hash. Raises TemplateFault."""
    style, script = templates.render(STYLE, {}), templates.render(SCRIPT, {})
    return templates.render(PAGE, {**_values(overview, now), "policy": _policy(style, script)})


def _policy(style: str, script: str) -> str:
    """Return a content security policy (CSP level 2, section 7) that allows only these two texts."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _values(overview: Overview, now: datetime) -> dict[str, Value]:
    zone = overview.time_zone
    open_now = [story for story in overview.stories if story.incident.resolved_at is None]
    return {
        "organisation": plain(overview.organisation, 80),
        "since": local_time.short(overview.since, zone),
        "until": local_time.short(overview.until, zone),
        "made": local_time.short(now, zone),
        "zone": zone,
        "tiles": [
            {"label": "mails came back", "now": overview.messages},
            {"label": "incidents", "now": len(overview.stories)},
            {"label": "still open", "now": len(open_now)},
            {"label": "answers sent", "now": overview.replies_sent},
            {"label": "not answered", "now": sum(count.now for count in overview.withheld)},
        ],
        "course": charts.timeline(overview),
        "course_narrow": charts.timeline(overview, charts.NARROW),
        "heat": charts.heat(overview.ticks, zone),
        "heat_narrow": charts.heat(overview.ticks, zone, hours=3),
        "stories": [_story(overview, story) for story in overview.stories],
        "more_stories": overview.more_stories,
        "tables": [
            _table("Who must act", "Who", overview.owners, known=True),
            _table("Why a sender got no answer", "Reason", overview.withheld, known=True, unit="Times"),
            _table("Causes", "Cause", overview.causes, known=True),
            _table("Codes", "Code", overview.codes),
            _table("Senders", "Sender", overview.senders),
            _table("Recipient domains", "Domain", overview.domains),
        ],
        "bounces": [_bounce(one, zone) for one in overview.bounces],
        "left_out": max(overview.left_out, 0),
    }


def _table(
    title: str, column: str, counts: tuple[Count, ...], *, known: bool = False, unit: str = "Mails"
) -> dict[str, Value]:
    largest = max((count.now for count in counts), default=1)
    return {
        "title": title,
        "column": column,
        "unit": unit,
        "rows": [
            {
                "label": label_of(count.label) if known else _address(count.label) or "(none)",
                "now": count.now,
                "width": max(1, round(100 * count.now / largest)),
            }
            for count in counts
        ],
    }


def _story(overview: Overview, story: IncidentStory) -> dict[str, Value]:
    incident, zone = story.incident, overview.time_zone
    finding = incident.finding
    return {
        "name": incident.name,
        "title": title_of(finding),
        "severity": "good" if incident.state is IncidentState.RESOLVED else str(finding.severity),
        "severity_label": _CLOSED.get(incident.state, SEVERITIES[finding.severity]),
        "owner": OWNERS[finding.owner],
        "mails": finding.messages,
        "opened": local_time.short(incident.opened_at, zone),
        "sorted": f"{incident.opened_at:%Y%m%d%H%M%S}",
        "codes": [plain(status, 20) for status in finding.statuses[:5]],
        "senders": [_address(sender) for sender in finding.senders[:SENDERS]],
        "more": max(len(finding.senders) - SENDERS, 0),
        "line": charts.lifeline(overview, finding.first_at, incident.resolved_at),
        "steps": [
            {
                "at": local_time.short(step.at, zone),
                "change": _CHANGES.get(step.change, plain(step.change, 40).capitalize()),
                "by": plain(step.by, 60),
                "note": defang(plain(step.note, 200)),
                "mails": step.messages,
            }
            for step in story.steps
        ],
    }


def _bounce(one: ListedBounce, zone: str) -> dict[str, Value]:
    bounce = one.bounce
    at = bounce.occurred_at
    return {
        "number": one.number,
        "at": local_time.short(at, zone) if at else "",
        "sorted": f"{at:%Y%m%d%H%M%S}" if at else "",
        "sender": _address(bounce.sender) or "unknown",
        "recipient": _address(bounce.recipient_decoded or bounce.recipient),
        "subject": defang(plain(one.subject, 100)),
        "code": plain(bounce.status or bounce.reply_code, 20),
        "cause": CAUSES[bounce.cause],
        "owner": OWNERS[bounce.owner],
        "said": defang(plain(bounce.diagnostic_code, 300)),
    }


def _address(text: str | None) -> str:
    """Return an address, domain or code unchanged, so that it can be copied; anything else defanged."""
    shown = plain(text, 120)
    return shown if _COPYABLE.fullmatch(shown) else defang(shown)
