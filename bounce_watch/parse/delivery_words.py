"""What mail systems say of mail that did not arrive, by language: to add a language, add a line.

In lower case. They are looked for in subjects and texts as they stand, inside longer words too.
"""

FAILED: dict[str, tuple[str, ...]] = {
    "en": (
        "undeliver", "non-deliver", "nondeliver", "not deliver", "not be deliver", "not been deliver",
        "n't deliver", "n't be deliver", "n’t be deliver", "unable to deliver", "failed to deliver",
        "could not deliver", "cannot deliver", "can not deliver", "not able to deliver", "delivery fail",
        "delivery has failed", "failed permanently", "delivery problem", "delivery error",
        "failed delivery", "delivery to the", "returned mail", "returned to sender", "failure notice",
        "mail failure", "mail system error", "was rejected", "were rejected", "been rejected",
        "was refused", "was blocked", "been blocked", "not accepted", "did not reach",
        "could not be reached", "was not sent", "bounced", "could not be sent", "without success",
        "delivery of the message was stopped", "given up", "giving up", "message you sent blocked",
        "was returned", "been returned", "failed recipient", "recipient failed", "fatal error",
        "permanent error",
    ),
    "de": (
        "unzustellbar", "zustellungsfehler", "nicht zugestellt", "nicht zustell", "zustellung fehl",
        "zustellung ist fehl", "fehlgeschlagen", "zustellfehler", "zurückgewiesen", "abgelehnt",
        "nicht erreicht", "nicht ausgeliefert",
    ),
    "fr": (
        "non distribu", "non remis", "non délivr", "pas pu être remis", "pas pu être distribu",
        "pas été remis", "pas pu être délivr", "pas été délivr", "échec de", "impossible de remettre",
        "a été refusé", "a été rejeté",
    ),
    "es": (
        "no se pudo entregar", "no se ha podido entregar", "no pudo ser entregad",
        "no ha podido ser entregad", "no entregad", "imposible entregar", "error de entrega",
        "fallo en la entrega", "devuelto", "fue rechazad",
    ),
    "it": (
        "mancata consegna", "non recapitabile", "non consegnat", "stato consegnato",
        "impossibile recapitare", "impossibile consegnare", "non è stato possibile consegnare",
        "recapito non riuscito", "è stato rifiutato",
    ),
    "pt": (
        "não entregue", "não pôde ser entregue", "não pode ser entregue", "não foi entregue",
        "não foi possível entregar", "falha na entrega", "devolvida", "devolvido", "foi rejeitad",
        "foi recusad",
    ),
    "nl": (
        "niet bezorgd", "niet worden bezorgd", "niet afgeleverd", "niet worden afgeleverd", "onbestelbaar",
        "bezorging mislukt", "niet besteld", "geweigerd",
    ),
    "sv": ("inte leverera", "kunde inte nå", "olevererbar", "avvisades"),
    "da, no": ("ikke lever", "ikke blive lever", "kunne ikke nå", "uleverbar", "ble avvist", "blev afvist"),
    "fi": ("ei voitu toimittaa", "ei voida toimittaa", "toimitus epäonnistui", "perille toimittam"),
    "pl": (
        "niedostarcz", "nie dostarcz", "nie udalo sie dostarcz", "nie udało się dostarcz",
        "nie można dostarcz",
    ),
    "cs, sk": ("nedoruč", "nelze doruč", "nebylo možné doruč", "nebola doruč", "nemohla být doruč"),
    "hu": ("nem kézbesít", "kézbesítése sikertelen", "kézbesítés sikertelen", "kézbesíthetetlen"),
    "ro": ("nelivr", "nu a putut fi livrat", "nu a fost livrat"),
    "hr, sl": ("neisporuč", "nije isporuč", "ni bilo mogoče dostaviti", "nedostavlj"),
    "tr": ("teslim edilem", "iletilem", "gönderilemedi"),
    "el": ("δεν παραδόθηκε", "δεν ήταν δυνατή η παράδοση", "αποτυχία παράδοσης"),
    "ru": (
        "не доставлен", "недоставлен", "не может быть доставлен", "не удалось доставить",
        "не удается доставить", "не удаётся доставить", "возвращено отправителю", "невозможно доставить",
        "сбой доставки", "ошибка доставки", "не было доставлен", "не был доставлен", "не была доставлен",
    ),
    "uk": ("не доставлен", "не вдалося доставити", "неможливо доставити"),
    "zh": (
        "退信", "退回", "无法送达", "無法送達", "无法投递", "無法投遞", "无法传递", "無法傳遞", "未送达",
        "未能送达", "发送失败", "傳送失敗", "投递失败", "投遞失敗", "传递失败", "傳遞失敗",
    ),
    "ja": (
        "配信不能", "配信できません", "配信に失敗", "配信されません", "送信できません", "送信に失敗",
        "届けられません", "不達", "メールエラー",
    ),
    "ko": (
        "전송 실패", "전송에 실패", "전송되지", "전송하지 못", "배달되지", "배달 실패", "배달하지 못",
        "반송",
    ),
    "th, vi": ("ไม่สามารถส่ง", "không thể gửi", "không gửi được"),
    "ar, he": ("تعذر تسليم", "فشل تسليم", "לא נמסר", "לא ניתן למסור"),
}  # fmt: skip

MESSAGES: tuple[str, ...] = (
    "message", "mail", "document", "deliver", "recipient", "nachricht", "zustell", "empfänger", "courriel",
    "remis", "destinat", "mensaje", "correo", "entreg", "messaggio", "consegn", "mensagem", "bericht",
    "bezorg", "meddeland", "besked", "melding", "lever", "viesti", "toimit", "wiadomo", "dostarcz",
    "zpráv", "doruč", "levél", "levelet", "kézbes", "mesaj", "poruk", "sporo", "ileti", "teslim", "μήνυμα",
    "письм", "сообщен", "доставл", "лист", "повідомл", "邮件", "郵件", "信件", "收件", "メール", "宛先",
    "配信", "메일", "받는", "전송",
)  # fmt: skip
"""What tells of a mail or of its delivery, in whatever language."""

SUBJECTS: tuple[str, ...] = (
    "delivery status", "delivery notification", "mail delivery", "message status", "delivery report",
    "returned",
)  # fmt: skip
"""What only the subjects of such reports say; success has them too."""

DELAYED: tuple[str, ...] = (
    "not yet been delivered", "has been delayed", "is delayed", "delayed mail", "still being retried",
    "will be retried", "will keep trying", "delivery attempts will continue", "continue to be made",
    "continue to try", "warning message only", "this is a warning only", "do not need to resend",
    "message delayed", "still trying", "could not send mail for past", "could not send message for past",
    "delivery delayed", "will be delayed", "status notification (delay)",
    "no action is required on your part", "verzögert", "noch nicht zugestellt", "retardé",
    "pas encore été remis", "retrasad", "ritardat", "vertraagd", "atrasad", "försenad", "forsinket",
    "viivästy", "opóźnion", "gecik", "opožděn", "zpožděn", "késlelte", "întârzi", "задерж", "затрим",
    "καθυστ", "延迟", "延遲", "遅延", "지연",
)  # fmt: skip
"""What says that a mail is late and will be tried again."""

NOT_RECIPIENTS: tuple[str, ...] = (
    "from", "sender", "sent by", "written by", "by", "reply-to", "return-path", "message-id", "message id",
    "mail from", "von", "absender", "expéditeur", "remitente", "mittente", "remetente", "afzender",
    "avsändare", "afsender", "avsender", "lähettäjä", "nadawca", "odesílatel", "feladó", "expeditor",
    "gönderen", "отправитель", "відправник", "发件人", "寄件人", "发信人", "寄件者", "差出人", "送信者",
    "보낸 사람", "보낸사람", "inviato da", "enviado por", "envoyé par", "gesendet von", "verzonden door",
)  # fmt: skip
"""What stands before the address of a sender."""

CONTACTS: tuple[str, ...] = (
    "contact", "questions", "support", "help", "assistance", "write to", "reply to", "administrator",
    "complain", "kontakt", "fragen", "hilfe", "wenden", "contacte", "ayuda", "escriba", "contatt",
    "assistenza", "aide", "hulp", "pomoc", "обратитесь", "поддержк", "联系", "聯絡", "お問い合わせ",
    "문의",
)  # fmt: skip
"""What stands before an address that people may ask."""
