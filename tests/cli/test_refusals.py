"""What servers refuse reaches the admin: in `check`, on the terminal and in the log, with what repairs it."""

import json
from pathlib import Path

import pytest

from bounce_watch.net.refusals import load_refusals
from tests.cli.conftest import call
from tests.servers import certificates
from tests.servers.scripted_imap import Script, ScriptedImap
from tests.servers.submission import Submission, SubmissionServer
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TENANT, TokenServer

WATCHED = "bounces@contoso.example"
HOUSE = f"""
[organisation]
name = "Contoso"
accepted_domains = ["contoso.example"]
support = "1234"
admins = ["admin@contoso.example"]
[reply]
mode = "on"
from_address = "{WATCHED}"
[digest]
at = "00:00:00"
[run]
isolate = false
"""
NOT_CONNECTED = b"@ BAD User is authenticated but not connected.\r\n"
GRANT = (
    f"Add-MailboxPermission -Identity '{WATCHED}' "
    "-User <enterprise_application_object_id> -AccessRights FullAccess"
)


def write_config(folder: Path, source: str, send: str) -> Path:
    path = folder / "config.toml"
    path.write_text(f'{HOUSE}\n[source]\n{source}\n[send]\n{send}\n[store]\npath = "{folder}/store.db"\n')
    path.chmod(0o600)
    return path


def imap(port: int) -> str:
    return (
        f'type = "imap"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
        f'user = "{WATCHED}"\npassword = "x"\ntimeout_seconds = 5'
    )


def to_folder(folder: Path) -> str:
    return f'type = "folder"\npath = "{folder}/out"'


def from_folder(folder: Path) -> str:
    (folder / "in").mkdir(exist_ok=True)
    return f'type = "files"\npath = "{folder}/in"'


def signed_in(tokens: TokenServer, table: str) -> str:
    return (
        f'user = "{WATCHED}"\nauth = "xoauth2"\n[{table}.oauth]\ntenant = "{TENANT}"\n'
        f'client_id = "{CLIENT_ID}"\nauthority = "{tokens.authority}"\nclient_secret = "{CLIENT_SECRET}"'
    )


def trusting(tokens: TokenServer) -> dict[str, str]:
    return {"REQUESTS_CA_BUNDLE": str(tokens.certificates.ca_file)}


def test_check_and_run_say_how_to_grant_the_mailbox(tmp_path: Path) -> None:
    """The command stands on a line of its own, unbroken even on a narrow terminal."""
    with ScriptedImap(Script(answers={"SELECT": NOT_CONNECTED, "EXAMINE": NOT_CONNECTED})) as server:
        config = str(write_config(tmp_path, imap(server.port), to_folder(tmp_path)))
        shown = call("-c", config, "check", status=1, environ={"COLUMNS": "80"}).stdout
        said = call("-c", config, "run", "--once", status=77).stderr
    assert f"    {GRANT}" in shown.splitlines()
    assert "signed us in but does not open" in shown
    assert "does not open the mailbox" in said
    assert f"    {GRANT}" in said.splitlines()


@pytest.mark.servers
def test_check_and_run_say_what_entra_wants(token_server: TokenServer, tmp_path: Path) -> None:
    token_server.refuse_with = (401, "invalid_client", "AADSTS7000222: expired. Trace ID: 4711")
    source = 'type = "imap"\nhost = "127.0.0.1"\nsecurity = "none"\n' + signed_in(token_server, "source")
    with ScriptedImap(Script(capabilities="IMAP4rev1 AUTH=XOAUTH2")) as server:
        place = source.replace('"none"', f'"none"\nport = {server.port}')
        config = str(write_config(tmp_path, place, to_folder(tmp_path)))
        lines = call("-c", config, "check", "--json", status=1, environ=trusting(token_server)).stdout
        said = call("-c", config, "run", "--once", status=77, environ=trusting(token_server)).stderr
    (failure,) = [row for row in map(json.loads, lines.splitlines()) if row["state"] == "failure"]
    assert "the client secret has expired" in failure["text"]
    assert "make a new one" in failure["repair"]
    assert "the client secret has expired" in said
    assert CLIENT_SECRET not in lines + said


@pytest.mark.servers
def test_the_log_says_how_to_switch_sending_on(token_server: TokenServer, tmp_path: Path) -> None:
    """The digest of the day is due; the submission server refuses our token."""
    tls = certificates.issue(tmp_path / "tls")
    refusal = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
    with SubmissionServer(Submission(at_token=refusal), certificates=tls) as server:
        send = (
            f'type = "smtp"\nhost = "localhost"\nport = {server.port}\nca_file = "{tls.ca_file}"\n'
            + signed_in(token_server, "send")
        )
        config = str(write_config(tmp_path, from_folder(tmp_path), send))
        said = call("-c", config, "run", "--once", status=77, environ=trusting(token_server)).stderr
    command = f"Set-CASMailbox -Identity '{WATCHED}' -SmtpClientAuthenticationDisabled $false"
    logged = [line for line in said.splitlines() if "sending_stopped" in line]
    assert "SMTP AUTH is off in the whole organization" in logged[0]
    assert "switch it on" in logged[0]
    assert f'command="{command}"' in logged[1]
    assert f"    {command}" in said.splitlines()


def test_every_command_fits_a_log_line() -> None:
    """A command that is cut is worse than none."""
    values = {"mailbox": "m" * 60, "sender": "s" * 60, "application": "a" * 36}
    commands = [command for row in load_refusals() for command in row.filled(values)]
    assert max(map(len, commands)) < 300
