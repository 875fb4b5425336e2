"""Chat rooms: a real webhook gets each incident once, and no text of a message mentions a user there."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bounce_watch.notifications import template_samples
from bounce_watch.notifications.composer import chat_text, quiet
from bounce_watch.send.chat import ChatUnavailable, Room
from tests.pipeline.conftest import Home, ndr

pytestmark = pytest.mark.filterwarnings(
    "ignore:'imghdr' is deprecated:DeprecationWarning"
)  # of a service of Apprise
BLOCKED = "550 5.1.8 Access denied, bad outbound sender AS(42004)"


class Webhook(ThreadingHTTPServer):
    """Keeps what it is told; `status` is its answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.said: list[dict[str, Any]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 200:
            self.server.said.append(json.loads(content))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def home(open_home: Callable[..., Home], webhook: Webhook) -> Home:
    room = f'[[alerts.chat]]\nname = "room"\nurl = "{webhook.url}"\nowners = ["security"]\n'
    return open_home(
        ("[digest]", f"{room}[digest]"), ('"mailadmin@larkfield.example"', '"a@larkfield.example"')
    )


def strike(home: Home, number: int) -> None:
    home.deliver(
        ndr(number=number, at=home.clock.now, reply=BLOCKED, status="5.1.8", remote=None), f"{number}.a"
    )
    home.look()


@pytest.mark.slow
def test_a_room_hears_of_an_incident_once_and_of_nothing_before_it_was_there(
    home: Home, webhook: Webhook
) -> None:
    home.look()
    strike(home, 1)
    for _ in range(3):
        home.look()
    (told,) = webhook.said
    assert "lena at larkfield[.]example" in told["message"]
    assert "incidents show 1" in told["message"]
    assert home.sent(), "the mail goes out beside it"


def test_a_room_that_does_not_answer_is_told_at_the_next_look(home: Home, webhook: Webhook) -> None:
    home.look()
    webhook.status = 503
    strike(home, 1)
    assert webhook.said == []
    webhook.status = 200
    home.look()
    assert len(webhook.said) == 1


def test_an_alarm_that_is_an_hour_old_is_told_to_nobody(home: Home, webhook: Webhook) -> None:
    home.look()
    webhook.status = 503
    strike(home, 1)
    webhook.status = 200
    home.clock.now += timedelta(hours=2)
    home.look()
    assert webhook.said == []


def test_a_room_hears_only_of_what_its_people_must_do(
    open_home: Callable[..., Home], webhook: Webhook
) -> None:
    """An account that may be in strange hands is not talked of in the room of the mail admins."""
    home = open_home(("[digest]", f'[[alerts.chat]]\nname = "room"\nurl = "{webhook.url}"\n[digest]'))
    home.look()
    strike(home, 1)
    assert home.sent()
    assert webhook.said == []


@pytest.mark.parametrize(
    "hostile",
    [
        "@channel <!here> [click](https://evil.example) `rm`",
        "</at><at>everyone</at> *bold* ~gone~ |x| #all \\n",
        "http://evil.example/?q=@here",
    ],
)
def test_a_text_from_a_mail_calls_nobody_and_is_no_link(hostile: str) -> None:
    incident = template_samples.incident()
    for text in (quiet(hostile), *chat_text(hostile, incident)):
        assert not set("@<>[]`*~|#\\") & set(text.replace("[.]", "").replace("[:]", ""))
        assert "http:" not in text
        assert "https:" not in text


def test_a_url_that_nobody_knows_is_refused_without_being_quoted() -> None:
    with pytest.raises(ChatUnavailable) as caught:
        Room("nosuch://secret-token@host")
    assert "secret-token" not in str(caught.value) + caught.value.repair
