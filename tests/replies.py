"""Replies to our messages as mail programs write them, in seven languages: own texts in their shapes."""

from dataclasses import dataclass
from email import message_from_bytes
from email.header import Header
from email.message import Message
from html import escape

LANGUAGES = ("en", "de", "fr", "it", "es", "nl", "pt")
CLIENTS = ("outlook", "outlook-web", "outlook-phone", "apple-mail", "thunderbird", "thunderbird-below")

WORDS = {
    "en": "Hello,\n\nI don't know the new address. Can you call me?\n\nLena",
    "de": "Hallo,\n\nich kenne die neue Adresse nicht. Können Sie mich anrufen?\n\nViele Grüße\nLena",
    "fr": "Bonjour,\n\nje ne connais pas la nouvelle adresse. Pouvez-vous m'appeler ?\n\nLéna",
    "it": "Buongiorno,\n\nnon conosco il nuovo indirizzo: perché non arriva?\n\nLena",
    "es": "Hola:\n\nNo conozco la nueva dirección. ¿Me pueden llamar a las 10:30?\n\nLena",
    "nl": "Hallo,\n\nik ken het nieuwe adres niet. Kunt u mij bellen?\n\nGroet, Lena",
    "pt": "Olá,\n\nnão conheço o novo endereço. Podem ligar-me?\n\nObrigada, Lena",
}
_LABELS = {
    "en": ("From:", "Sent:", "To:", "Subject:"),
    "de": ("Von:", "Gesendet:", "An:", "Betreff:"),
    "fr": ("De :", "Envoyé :", "À :", "Objet :"),
    "it": ("Da:", "Inviato:", "A:", "Oggetto:"),
    "es": ("De:", "Enviado el:", "Para:", "Asunto:"),
    "nl": ("Van:", "Verzonden:", "Aan:", "Onderwerp:"),
    "pt": ("De:", "Enviado:", "Para:", "Assunto:"),
}
_PREFIX = {"en": "RE", "de": "AW", "fr": "RE", "it": "R", "es": "RE", "nl": "Antw", "pt": "RE"}
_PHONE = {
    "en": "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "de": "Outlook für iOS herunterladen<https://aka.ms/o0ukef>",
    "fr": "Télécharger Outlook pour iOS<https://aka.ms/o0ukef>",
    "it": "Scarica Outlook per iOS<https://aka.ms/o0ukef>",
    "es": "Obtener Outlook para iOS<https://aka.ms/o0ukef>",
    "nl": "Outlook voor iOS downloaden<https://aka.ms/o0ukef>",
    "pt": "Obter o Outlook para iOS<https://aka.ms/o0ukef>",
}
_APPLE = {
    "en": "On 23 Nov 2026, at 10:12, {name} <{address}> wrote:",
    "de": "Am 23.11.2026 um 10:12 schrieb {name} <{address}>:",
    "fr": "Le 23 nov. 2026 à 10:12, {name} <{address}> a écrit :",
    "it": "Il giorno 23 nov 2026, alle ore 10:12, {name} <{address}> ha scritto:",
    "es": "El 23 nov 2026, a las 10:12, {name} <{address}> escribió:",
    "nl": "Op 23 nov. 2026 om 10:12 heeft {name} <{address}> het volgende geschreven:",
    "pt": "No dia 23/11/2026, às 10:12, {name} <{address}> escreveu:",
}
_THUNDERBIRD = {
    "en": "On 11/23/2026 10:12 AM, {name} wrote:",
    "de": "Am 23.11.26 um 10:12 schrieb {name}:",
    "fr": "Le 23/11/2026 à 10:12, {name} a écrit :",
    "it": "Il 23/11/2026 10:12, {name} ha scritto:",
    "es": "El 23/11/2026 a las 10:12, {name} escribió:",
    "nl": "Op 23-11-2026 om 10:12 schreef {name}:",
    "pt": "Em 23/11/2026 10:12, {name} escreveu:",
}
NAME, ADDRESS = "Mail delivery help", "bounces@larkfield.example"
INTERNAL = "X-MS-Exchange-Organization-AuthAs: Internal"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a mail program knows of the message that is answered."""

    message_id: str
    references: str
    subject: str
    text: str
    to: str

    @classmethod
    def of(cls, sent: bytes) -> "Answered":
        """Return it from the bytes that we sent."""
        mail = message_from_bytes(sent)
        return cls(
            message_id=str(mail["Message-ID"]),
            references=" ".join(str(mail["References"]).split()),
            subject=str(mail["Subject"]),
            text=_text_of(mail),
            to=str(mail["To"]),
        )


def _text_of(mail: Message) -> str:
    part = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode().replace("\r\n", "\n")


def text_of(client: str, language: str, words: str, answered: Answered) -> str:
    """Return the text of a reply: the words, and the quote as the program puts it there."""
    named = {"name": NAME, "address": ADDRESS}
    quote = "\n".join(f"> {line}".rstrip() for line in answered.text.splitlines())
    values = (f"{NAME} <{ADDRESS}>", "Monday, November 23, 2026 10:12", answered.to, answered.subject)
    head = "\n".join(f"{a} {b}" for a, b in zip(_LABELS[language], values, strict=True))
    match client:
        case "outlook":
            return f"{words}\n\n\n{head}\n\n{answered.text}"
        case "outlook-web":
            return f"{words}\n\n{'_' * 32}\n{head}\n\n{answered.text}"
        case "outlook-phone":
            return f"{words}\n\n{_PHONE[language]}\n{'_' * 32}\n{head}\n\n{answered.text}"
        case "apple-mail":
            return f"{words}\n\n> {_APPLE[language].format(**named)}\n> \n{quote}\n"
        case "thunderbird":
            return f"{words}\n\n{_THUNDERBIRD[language].format(**named)}\n{quote}\n"
        case "thunderbird-below":
            return f"{_THUNDERBIRD[language].format(**named)}\n{quote}\n\n{words}\n"
        case _:
            raise ValueError(client)


def reply(
    answered: Answered,
    *,
    client: str = "outlook",
    language: str = "en",
    words: str | None = None,
    author: str | None = None,
    headers: tuple[str, ...] = (INTERNAL,),
    number: int = 1,
    html_only: bool = False,
) -> bytes:
    """Return a reply as it lies in the watched mailbox; `headers` say where it comes from."""
    text = text_of(client, language, WORDS[language] if words is None else words, answered)
    kind, body = ("html", _html(text)) if html_only else ("plain", text)
    subject = Header(f"{_PREFIX[language]}: {answered.subject}", "utf-8").encode()
    lines = [
        *headers,
        f"From: <{author or answered.to}>",
        f"To: {NAME} <{ADDRESS}>",
        f"Subject: {subject}",
        "Date: Mon, 23 Nov 2026 10:30:00 +0100",
        f"Message-ID: <answer.{number}.{client}.{language}@larkfield.example>",
        f"In-Reply-To: {answered.message_id}",
        f"References: {answered.references}",
        "MIME-Version: 1.0",
        f"Content-Type: text/{kind}; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        body,
    ]
    return "\n".join(lines).replace("\n", "\r\n").encode()


def _html(text: str) -> str:
    rows = "".join(f"<div>{escape(line) or '<br>'}</div>" for line in text.splitlines())
    return f"<html><body>{rows}</body></html>"
