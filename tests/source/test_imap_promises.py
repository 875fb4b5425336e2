"""What a server advertises or answers is tried, not believed: what counts is what happens."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source import MissingFolder, Refused, Unreachable
from bounce_watch.source.imap.source import ImapSource
from tests.servers.scripted_imap import SELECTED, Answer, Script, ScriptedImap

NO = b"@ NO cannot be done\r\n"
OK = b"@ OK done\r\n"
OPENED = SELECTED + b"@ OK [READ-WRITE] selected\r\n"
Open = Callable[..., ImapSource]


@pytest.fixture
def open_imap() -> Iterator[Open]:
    with ExitStack() as stack:

        def start(script: Script, **wishes: object) -> ImapSource:
            server = stack.enter_context(ScriptedImap(script))
            account: dict[str, object] = {"host": "127.0.0.1", "port": server.port, "security": "none"}
            account |= {"user": "bounces@contoso.example", "timeout_seconds": 5, **wishes}
            return ImapSource(ImapSettings.model_validate(account), lambda: "pa55word")

        yield start


class Home:
    """Folders and the messages in them, as a server holds them. `odd` are answers of its own."""

    def __init__(self, *folders: str, prefix: str = "", separator: str = "/", **odd: Answer) -> None:
        self.folders: dict[str, list[int]] = {"INBOX": [1, 2], **{name: [] for name in folders}}
        self.prefix, self.separator = prefix, separator
        self.script = Script(
            capabilities="IMAP4rev1 MOVE UIDPLUS NAMESPACE ID",
            answers={
                "SELECT": self.select, "LIST": self.folder_list, "CREATE": self.create, "UID MOVE": self.move,
                "UID COPY": self.copy, "UID EXPUNGE": self.expunge, "UID FETCH": self.fetch,
                "STATUS": self.status,
                "NAMESPACE": f'* NAMESPACE (("{prefix}" "{separator}")) NIL NIL\r\n@ OK done\r\n'.encode(),
                **{name.replace("_", " "): answer for name, answer in odd.items()},
            },
        )  # fmt: skip

    def select(self, line: str) -> bytes:
        return OPENED if _last(line) in self.folders else NO

    def folder_list(self, line: str) -> bytes:
        pattern = _last(line)
        shape = re.escape(pattern).replace(r"\*", ".*")
        found = [name for name in self.folders if pattern and re.fullmatch(shape, name)]
        lines = [f'* LIST () "{self.separator}" "{name}"\r\n' for name in found or [""]]
        return "".join(lines if found or not pattern else []).encode() + OK

    def status(self, line: str) -> bytes:
        name = _last(line)
        if name not in self.folders:
            return NO
        return f'* STATUS "{name}" (MESSAGES {len(self.folders[name])})\r\n@ OK done\r\n'.encode()

    def create(self, line: str) -> bytes:
        name = _last(line)
        if name in self.folders or not name.startswith(self.prefix):
            return NO
        self.folders[name] = []
        return OK

    def move(self, line: str) -> bytes:
        answer = self.copy(line)
        return self.expunge(line) if answer == OK else answer

    def copy(self, line: str) -> bytes:
        if _last(line) not in self.folders:
            return b"@ NO [TRYCREATE] no such folder\r\n"
        self.folders[_last(line)] += self.named(line)
        return OK

    def expunge(self, line: str) -> bytes:
        gone = self.named(line)
        self.folders["INBOX"] = [uid for uid in self.folders["INBOX"] if uid not in gone]
        return OK

    def fetch(self, line: str) -> bytes:
        there = (uid for uid in self.named(line) if uid in self.folders["INBOX"])
        return b"".join(b"* %d FETCH (UID %d FLAGS ())\r\n" % (uid, uid) for uid in there) + OK

    @staticmethod
    def named(line: str) -> list[int]:
        return [int(uid) for uid in line.split(" ")[2].split(",")]


def _last(line: str) -> str:
    return str(re.findall(r'"([^"]*)"', line)[-1])


def file_both(source: ImapSource) -> None:
    with source:
        source.file(*(MessageLocation(mailbox=source.name, validity=7, uid=uid) for uid in "12"))


@pytest.mark.parametrize(
    ("home", "folder"),
    [
        pytest.param(Home(UID_MOVE=NO), "Bounces/Filed", id="MOVE is advertised and refused"),
        pytest.param(Home(UID_MOVE=b"@ BAD unknown command\r\n"), "Bounces/Filed", id="MOVE is unknown"),
        pytest.param(Home(LIST=NO), "Bounces/Filed", id="LIST of a missing folder is refused"),
        pytest.param(Home("Bounces/Filed", LIST=NO), "Bounces/Filed", id="LIST is refused"),
        pytest.param(Home(SUBSCRIBE=NO), "Bounces/Filed", id="subscriptions are refused"),
        pytest.param(Home(NAMESPACE=NO), "Bounces/Filed", id="NAMESPACE is refused"),
        pytest.param(
            Home(NAMESPACE=b"* NAMESPACE NIL NIL NIL\r\n@ OK done\r\n", separator="."),
            "Bounces.Filed",
            id="no namespace",
        ),
        pytest.param(
            Home("Bounces", "Bounces/filed", CREATE=b"@ NO Mailbox already exists.\r\n"),
            "Bounces/filed",
            id="another case",
        ),
        pytest.param(Home("bounces/FILED", CREATE=NO), "bounces/FILED", id="another case, no reason told"),
        pytest.param(Home(prefix="INBOX.", separator="."), "INBOX.Bounces.Filed", id="a prefix"),
        pytest.param(
            Home("Bounces.Filed", prefix="INBOX.", separator="."),
            "Bounces.Filed",
            id="made without the prefix",
        ),
        pytest.param(
            Home("INBOX.Bounces.Filed", separator="."), "INBOX.Bounces.Filed", id="made inside INBOX"
        ),
        pytest.param(
            Home(prefix="INBOX.", separator=".", NAMESPACE=NO),
            "INBOX.Bounces.Filed",
            id="a prefix that is not told",
        ),
    ],
)
def test_messages_reach_the_one_folder_that_is_meant(open_imap: Open, home: Home, folder: str) -> None:
    """Each of these ended with reports that were read and never filed."""
    file_both(open_imap(home.script))
    assert home.folders[folder] == [1, 2]
    assert home.folders["INBOX"] == []
    assert [name for name in home.folders if name.upper().endswith("FILED")] == [folder]


def test_move_that_was_refused_is_not_asked_for_with_every_group(open_imap: Open) -> None:
    home = Home(UID_MOVE=NO)
    source = open_imap(home.script)
    with source:
        for uid in "12":
            source.file(MessageLocation(mailbox=source.name, validity=7, uid=uid))
    assert sum(line.startswith("UID MOVE") for line in home.script.heard) == 1


def test_a_move_that_is_confirmed_and_moves_nothing_is_told(open_imap: Open) -> None:
    """The messages counted as filed and stayed in the inbox."""
    home = Home("Bounces/Filed")
    home.script.answers["UID MOVE"] = OK
    with open_imap(home.script) as source, pytest.raises(Unreachable, match="still there"):
        source.file(MessageLocation(mailbox=source.name, validity=7, uid="1"))
    assert not [line for line in home.script.heard if "COPY" in line]


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 UIDPLUS", "IMAP4rev1", "IMAP4rev1 MOVE UIDPLUS"])
def test_copies_that_are_confirmed_and_not_there_cost_no_message(open_imap: Open, capabilities: str) -> None:
    """The server said OK, and EXPUNGE removed the only copy."""
    home = Home("Bounces/Filed", UID_COPY=OK, UID_MOVE=NO)
    home.script.capabilities = capabilities
    with open_imap(home.script) as source:
        for uid in ("1", "2"):
            with pytest.raises(Unreachable, match="the copies are not in the folder"):
                source.file(MessageLocation(mailbox=source.name, validity=7, uid=uid))
    assert home.folders["INBOX"] == [1, 2]
    assert not [line for line in home.script.heard if "STORE" in line or "EXPUNGE" in line]
    assert sum(line.startswith("UID COPY") for line in home.script.heard) == 1, "it is not asked again"


@pytest.mark.parametrize("says_which", [True, False], ids=["named", "counted"])
def test_a_message_that_is_not_copied_stays_and_holds_back_no_other(
    open_imap: Open, says_which: bool
) -> None:
    home = Home("Bounces/Filed")
    home.script.capabilities = "IMAP4rev1 UIDPLUS"

    def copy(line: str) -> bytes:
        found = [uid for uid in home.named(line) if uid != 1]
        home.folders["Bounces/Filed"] += found
        code = b"[COPYUID 9 2 77] " if says_which and found else b""
        return b"@ OK " + code + b"copied\r\n"

    home.script.answers["UID COPY"] = copy
    with pytest.raises(Unreachable, match="the copies are not in the folder"):
        file_both(open_imap(home.script))
    assert home.folders["INBOX"] == [1]
    assert set(home.folders["Bounces/Filed"]) == {2}
    assert len(home.folders["Bounces/Filed"]) == (1 if says_which else 2)


def test_a_move_that_only_removes_is_told_and_not_used_again(open_imap: Open) -> None:
    home = Home("Bounces/Filed")
    home.script.answers["UID MOVE"] = home.expunge
    with open_imap(home.script) as source:
        with pytest.raises(Unreachable, match="nothing came into the folder"):
            source.file(MessageLocation(mailbox=source.name, validity=7, uid="1"))
        source.file(MessageLocation(mailbox=source.name, validity=7, uid="2"))
    assert home.folders == {"INBOX": [], "Bounces/Filed": [2]}


def test_parents_are_made_where_the_server_does_not_make_them(open_imap: Open) -> None:
    """RFC 3501 says that it should."""
    home = Home()

    def create(line: str) -> bytes:
        parent = _last(line).rpartition("/")[0]
        return home.create(line) if not parent or parent in home.folders else NO

    home.script.answers["CREATE"] = create
    file_both(open_imap(home.script))
    assert home.folders["Bounces/Filed"] == [1, 2]


def test_an_expunge_that_is_refused_leaves_the_messages_marked(open_imap: Open) -> None:
    home = Home(UID_MOVE=NO, UID_EXPUNGE=NO)
    file_both(open_imap(home.script))
    assert home.folders["Bounces/Filed"] == [1, 2]
    assert "UID STORE 1,2 +FLAGS.SILENT (\\Deleted)" in home.script.heard


def test_ten_thousand_folders_are_listed_once(open_imap: Open) -> None:
    """The folder is there in another case, which only the whole list tells."""
    many = b"".join(b'* LIST () "/" "Projects/%d"\r\n' % number for number in range(10_000))
    script = Script(
        capabilities="IMAP4rev1 MOVE UIDPLUS",
        answers={
            "LIST": lambda line: (
                (many + b'* LIST () "/" "bounces/filed"\r\n' if "*" in line else b"") + b"@ OK\r\n"
            ),
            "CREATE": b"@ NO [ALREADYEXISTS] it is there\r\n",
        },
    )
    with open_imap(script) as source:
        for uid in ("1", "2"):
            source.file(MessageLocation(mailbox=source.name, validity=7, uid=uid))
    assert sum('"*"' in line for line in script.heard) == 1
    assert [line for line in script.heard if "MOVE" in line] == [
        'UID MOVE 1 "bounces/filed"',
        'UID MOVE 2 "bounces/filed"',
    ]


def test_a_folder_that_cannot_be_made_is_told_in_the_words_of_the_configuration(open_imap: Open) -> None:
    home = Home(CREATE=NO)
    with pytest.raises(MissingFolder, match=r"Bounces/Filed is missing and cannot be made: .*cannot be done"):
        file_both(open_imap(home.script))
    assert home.folders["INBOX"] == [1, 2]


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("reports", "Reports"),
        ("Reports", "INBOX.Reports"),
        ("INBOX/Reports", "INBOX.Reports"),
        ("INBOX.Reports", "INBOX.Reports"),
    ],
)
def test_the_watched_folder_is_found_by_another_name(open_imap: Open, written: str, named: str) -> None:
    home = Home(named, separator=".")
    with open_imap(home.script, folder=written) as source:
        assert source.count() == 2
    assert home.script.heard[-2] == f'SELECT "{named}"'


def test_a_server_that_wants_our_name_first_gets_it(open_imap: Open) -> None:
    """imap.163.com opens no folder before (RFC 2971); others never ask, and are not told."""
    home = Home()

    def select(line: str) -> bytes:
        known = any(line.startswith("ID ") for line in home.script.heard)
        return home.select(line) if known else b"@ NO SELECT Unsafe Login. Please contact kefu@188.com\r\n"

    home.script.answers["SELECT"] = select
    with open_imap(home.script) as source:
        assert source.count() == 2
    assert home.script.heard.count('ID ("name" "bounce_watch")') == 1


@pytest.mark.parametrize(
    "answer", [NO, b"@ BAD unknown mechanism\r\n", b"@ NO [AUTHENTICATIONFAILED] no\r\n"]
)
def test_a_sign_in_that_is_offered_and_refused_is_followed_by_the_next(
    open_imap: Open, answer: bytes
) -> None:
    script = Script(capabilities="IMAP4rev1 SASL-IR AUTH=PLAIN", answers={"AUTHENTICATE": answer})
    with open_imap(script):
        assert 'LOGIN "bounces@contoso.example" "pa55word"' in script.heard


def test_the_first_refusal_is_told_when_no_sign_in_works(open_imap: Open) -> None:
    answers: dict[str, Answer] = {"AUTHENTICATE": b"@ NO the account is locked\r\n", "LOGIN": NO}
    source = open_imap(Script(capabilities="IMAP4rev1 AUTH=PLAIN", answers=answers))
    with pytest.raises(Refused, match="the account is locked"), source:
        pass


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param(b"* 1 FETCH (UID 1 BODY[]<0> {5}\r\nfirst\r\n)\r\n@ OK done\r\n", id="behind a literal"),
        pytest.param(
            b"\r\n* 1 FETCH (UID 1 BODY[]<0> {5}\r\nfirst)\r\n\r\n\r\n@ OK done\r\n", id="between answers"
        ),
        pytest.param(b"* 1 FETCH (BODY[]<0> {5}\r\nfirst\r\n UID 1)\r\n@ OK done\r\n", id="before the UID"),
        pytest.param(b"* 1 FETCH (UID 1 BODY[]<0> {5}\r\nfirst)\r\n@ OK\r\n", id="OK without a text"),
        pytest.param(b"* 1 fetch (uid 1 body[]<0> {5}\r\nfirst)\r\n@ ok done\r\n", id="small letters"),
        pytest.param(b"* 1 FETCH (UID 1 BODY[]<0.2097152> {5}\r\nfirst)\r\n@ OK done\r\n", id="another name"),
        pytest.param(b"* 1 FETCH (UID 1 BODY[] {5}\r\nfirst)\r\n@ OK done\r\n", id="the name of the whole"),
        pytest.param(b"* 1 FETCH (UID 1 BODY[]<0> ~{5}\r\nfirst)\r\n@ OK done\r\n", id="a literal8"),
        pytest.param(b"*  1  FETCH (UID 1 BODY[]<0> {5}\r\nfirst)\r\n@ OK done\r\n", id="two blanks"),
        pytest.param(b"*\t1 FETCH (UID 1 BODY[]<0> {5}\r\nfirst)\r\n@ OK done\r\n", id="a tab"),
        pytest.param(b"* 1 FETCH(UID 1 BODY[]<0> {5}\r\nfirst)\r\n@ OK done\r\n", id="no blank"),
        pytest.param(b"* 1 FETCH (UID 1 BODY[]<0> {5}\nfirst)\n@ OK done\n", id="lines without CR"),
        pytest.param(b"* 1 FETCH (UID 1 RFC822 {5}\r\nfirst)\r\n@ OK done\r\n", id="an old name"),
        pytest.param(b"* 1 FETCH (UID 1 BODY.PEEK[]<0> {5}\r\nfirst)\r\n@ OK done\r\n", id="the name asked"),
        pytest.param(
            b"* 1 FETCH (UID 1 BODY[]<0> {5}\r\nfirst)\r\n@ NO some are damaged\r\n", id="NO to all"
        ),
        pytest.param(b'* 1 FETCH (UID 1 BODY[]<0> "first")\r\n@ OK done\r\n', id="quoted"),
    ],
)
def test_what_the_standard_library_does_not_read_is_read(open_imap: Open, bodies: bytes) -> None:
    """Blank lines and small letters are limits of imaplib, and ended the connection."""
    listed = b"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n@ OK done\r\n"
    script = Script(answers={"UID FETCH": [listed, bodies]})
    with open_imap(script) as source:
        assert [message.raw for message in source.messages()] == [b"first"]
    assert script.connections == 1


def test_a_folder_name_in_a_literal_may_end_its_line(open_imap: Open) -> None:
    """Then the line behind the literal is blank, and no blank line too many."""
    home = Home("Bounces/Filed", LIST=b'* LIST () "/" {13}\r\nBounces/Filed\r\n@ OK done\r\n')
    with open_imap(home.script) as source:
        source.file(MessageLocation(mailbox=source.name, validity=7, uid="1"))
    assert home.folders["Bounces/Filed"] == [1]


def test_a_folder_that_may_only_be_read_is_read(open_imap: Open) -> None:
    """Its reports were not judged, and no alarm was given, because they could not be filed."""
    listed = b"* 1 FETCH (UID 1 RFC822.SIZE 5 BODY[]<0> {5}\r\nfirst)\r\n@ OK done\r\n"
    read_only = SELECTED + b"@ OK [READ-ONLY] look only\r\n"
    script = Script(answers={"SELECT": read_only, "EXAMINE": read_only, "UID FETCH": listed})
    with open_imap(script) as source:
        (message,) = source.messages()
        assert message.raw == b"first"
        with pytest.raises(Refused, match="INBOX may only be read") as caught:
            source.file(message.location)
    assert "right to move" in caught.value.repair
    assert not [line for line in script.heard if "MOVE" in line or "COPY" in line]


BUSY = b"@ NO [UNAVAILABLE] Request is throttled. Suggested Backoff Time: 9000 milliseconds\r\n"


@pytest.mark.parametrize(
    ("answers", "action"),
    [
        pytest.param({"SELECT": [OPENED, BUSY]}, ImapSource.count, id="opening again"),
        pytest.param({"UID FETCH": BUSY}, lambda source: source.wait(0.1), id="waiting"),
    ],
)
def test_a_busy_server_is_not_signed_in_to_again_at_once(
    open_imap: Open, answers: dict[str, Answer], action: Callable[[ImapSource], object]
) -> None:
    script = Script(answers=answers)
    with open_imap(script) as source, pytest.raises(Unreachable) as caught:
        action(source)
    assert caught.value.retry_after == 9
    assert script.connections == 1


@pytest.mark.parametrize(
    "flags", [b"", b"* OK [PERMANENTFLAGS (\\Seen)] limited\r\n"], ids=["not told", "told"]
)
def test_what_cannot_be_marked_as_deleted_is_not_copied_again_and_again(
    open_imap: Open, flags: bytes
) -> None:
    """Each attempt left one more copy in the filed folder."""
    home = Home(UID_MOVE=NO, UID_STORE=NO, SELECT=SELECTED + flags + b"@ OK [READ-WRITE] selected\r\n")
    with open_imap(home.script) as source:
        for _ in range(3):
            with pytest.raises(Unreachable):
                source.file(MessageLocation(mailbox=source.name, validity=7, uid="1"))
    assert len(home.folders["Bounces/Filed"]) == (0 if flags else 1)


def test_a_server_that_speaks_imap4rev2_only_is_spoken_to(open_imap: Open) -> None:
    """The standard library knows two older names of the protocol and hangs up."""
    with open_imap(Script(capabilities="IMAP4rev2 MOVE UIDPLUS")) as source:
        assert source.count() == 2


@pytest.mark.parametrize(
    "listed", [b"", b"* CAPABILITY UIDPLUS\r\n* CAPABILITY IMAP4rev1\r\n", b"* CAPABILITY\n"]
)
def test_a_list_of_capabilities_in_pieces_or_none_ends_nothing(open_imap: Open, listed: bytes) -> None:
    """The standard library reads one line, and hangs up when it does not name the protocol."""
    with open_imap(Script(answers={"CAPABILITY": listed + OK})) as source:
        assert source.count() == 2


def test_a_right_that_ends_while_we_move_is_no_lost_connection(open_imap: Open) -> None:
    home = Home("Bounces/Filed", UID_MOVE=NO, UID_STORE=b"@ NO [READ-ONLY] not any more\r\n")
    with open_imap(home.script) as source, pytest.raises(Unreachable, match="READ-ONLY"):
        source.file(MessageLocation(mailbox=source.name, validity=7, uid="1"))
    assert home.script.connections == 1


@pytest.mark.parametrize(
    "said",
    [
        "[ALERT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
        "Too many connections from your IP",
        "Internal error occurred. Refer to server log for more information.",
        "Temporary authentication failure",
        "[AUTHENTICATIONFAILED] Temporary system problem",
        "[SERVERBUG] no",
        "The system is down for maintenance",
    ],
)
def test_a_sign_in_that_fails_for_now_is_no_wrong_password(open_imap: Open, said: str) -> None:
    """A service that starts in that minute ended for good, and told the admin to look for a password."""
    script = Script(answers={"LOGIN": f"@ NO {said}\r\n".encode()})
    with pytest.raises(Unreachable, match="cannot sign us in now") as caught, open_imap(script):
        pass
    assert said[-20:] in str(caught.value)


@pytest.mark.parametrize(
    "said", ["[AUTHENTICATIONFAILED] Authentication failed, please try again", "[EXPIRED] too old"]
)
def test_a_wrong_password_stays_one(open_imap: Open, said: str) -> None:
    script = Script(answers={"LOGIN": f"@ NO {said}\r\n".encode()})
    with pytest.raises(Refused, match="user name or password"), open_imap(script):
        pass


OTHERS = (
    b'* LIST () "/" "R&D"\r\n',
    b'* LIST () "/" "x&-&AA"\r\n',
    b'* LIST () "/" "M\xfcll"\r\n',
    b'* LIST () "/" {5}\r\nab"cd\r\n',
    b"* LIST () NIL 2024\r\n",
)


def test_the_name_of_another_folder_stops_no_filing(open_imap: Open) -> None:
    """One that is not encoded as RFC 3501 wants it ended every walk as a lost connection."""
    listed = b"".join(OTHERS) + b'* LIST () "/" "bounces/filed"\r\n'
    script = Script(
        answers={
            "LIST": lambda line: (listed if "*" in line else b"") + OK,
            "CREATE": b"@ NO [ALREADYEXISTS] it is there\r\n",
        }
    )
    with open_imap(script) as source:
        source.file(MessageLocation(mailbox=source.name, validity=7, uid="1"))
    assert [line for line in script.heard if "MOVE" in line] == ['UID MOVE 1 "bounces/filed"']


@pytest.mark.parametrize(
    ("answer", "folder"),
    [
        (b'(("" "/" "X-PARAM" ("FLAG1"))) NIL NIL', "Bounces/Filed"),
        (b'(("M&APw-ll." ".")) (("~" "." "X" ("Y"))) NIL', "M&APw-ll.Bounces.Filed"),
        (b"NIL NIL NIL", "Bounces/Filed"),
        (b'(("" NIL)) NIL NIL', "Bounces/Filed"),
        (b"((", "Bounces/Filed"),
    ],
    ids=["with extensions", "with umlauts", "none", "no separator", "broken"],
)
def test_a_namespace_is_read_whatever_else_stands_in_it(open_imap: Open, answer: bytes, folder: str) -> None:
    script = Script(
        capabilities="IMAP4rev1 MOVE UIDPLUS NAMESPACE",
        answers={"NAMESPACE": b"* NAMESPACE " + answer + b"\r\n" + OK},
    )
    with open_imap(script) as source:
        source.file(MessageLocation(mailbox=source.name, validity=7, uid="1"))
    assert [line for line in script.heard if "MOVE" in line] == [f'UID MOVE 1 "{folder}"']


@pytest.mark.parametrize("said", ["Mailbox is locked by POP server", "[SERVERBUG] Internal error occurred"])
def test_a_folder_that_cannot_be_opened_now_is_not_missing(open_imap: Open, said: str) -> None:
    """The service ended, and told the admin to check the name of the folder."""
    no = f"@ NO {said}\r\n".encode()
    with (
        pytest.raises(Unreachable, match=said[-12:]),
        open_imap(Script(answers={"SELECT": no, "EXAMINE": no})),
    ):
        pass


BYE = b"* BYE too many failures\r\n"
WRONG = b"@ NO [AUTHENTICATIONFAILED] wrong\r\n"


@pytest.mark.parametrize(
    "answer", [b"", BYE, BYE + WRONG, WRONG + BYE], ids=["cut", "bye", "bye no", "no bye"]
)
def test_a_sign_in_at_which_the_server_hangs_up_is_followed_by_the_next(
    open_imap: Open, answer: bytes
) -> None:
    script = Script(capabilities="IMAP4rev1 SASL-IR AUTH=PLAIN", answers={"AUTHENTICATE": answer})
    with open_imap(script) as source:
        assert source.count() == 2
    assert script.connections == 2


@pytest.mark.parametrize("answer", [BYE + WRONG, WRONG + BYE])
@pytest.mark.parametrize("offered", ["", " AUTH=PLAIN"])
def test_a_password_that_is_refused_with_a_goodbye_is_a_wrong_one(
    open_imap: Open, answer: bytes, offered: str
) -> None:
    answers: dict[str, Answer] = {"AUTHENTICATE": answer, "LOGIN": answer}
    source = open_imap(Script(capabilities="IMAP4rev1" + offered, answers=answers))
    with pytest.raises(Refused, match="wrong"), source:
        pass


@pytest.mark.parametrize(
    ("greeting", "selected"),
    [
        pytest.param(b"proxy ready\r\n\r\n* OK ready\r\n", b"@ OK done\r\n", id="a banner"),
        pytest.param(b"* OK ready\r\n", b"A001 OK late\r\n@ OK done\r\n", id="a stray OK"),
    ],
)
def test_a_stray_line_ends_nothing(open_imap: Open, greeting: bytes, selected: bytes) -> None:
    script = Script(greeting=greeting, answers={"SELECT": SELECTED + selected})
    with open_imap(script) as source:
        assert source.count() == 2


def test_another_protocol_is_told_in_its_words(open_imap: Open) -> None:
    with (
        pytest.raises(Unreachable, match="unexpected response: b'220"),
        open_imap(Script(greeting=b"220 mail ready\r\n")),
    ):
        pass
