"""Reports that strangers' servers wrote: an honest one, one on a mail that we never sent, a forged one."""

from collections.abc import Iterator

from demo_mailbox.company import CLAIRE, at
from demo_mailbox.identity import guid, mail_id
from demo_mailbox.mail import Mail, soon
from demo_mailbox.mime import stamp

_FOREIGN = """Received: from mx1.glashuette-nord.example (192.0.2.44) by
 DB5EUR03FT045.mail.protection.outlook.com (2001:db8:10a6:3f::45) with Microsoft
 SMTP Server; {date}
Authentication-Results: spf={spf} (sender IP is 192.0.2.44)
 smtp.helo=mx1.glashuette-nord.example; dkim=none (message not signed)
 header.d=none;dmarc=none action=none header.from=glashuette-nord.example
Return-Path: <>
Date: {date}
From: Mail Delivery System <MAILER-DAEMON@mx1.glashuette-nord.example>
To: {sender}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <20261113.{number}@mx1.glashuette-nord.example>
X-MS-Exchange-Organization-AuthSource: DB5EUR03FT045.eop-EUR03.prod.protection.outlook.com
X-MS-Exchange-Organization-AuthAs: Anonymous
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{number}/mx1"

--{number}/mx1
Content-Type: text/plain; charset=us-ascii

The mail system at mx1.glashuette-nord.example could not deliver your message.

<{recipient}>: {reply}

--{number}/mx1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx1.glashuette-nord.example
Arrival-Date: {date}

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {reply}

--{number}/mx1
Content-Type: text/rfc822-headers

From: {sender}
To: {recipient}
Subject: {subject}
Date: {date}
Message-ID: {original}

--{number}/mx1--
"""

_FORGED = """Received: from mail.bulk-sender.example (198.51.100.23) by
 DB5EUR03FT021.mail.protection.outlook.com (2001:db8:10a6:3f::21) with Microsoft
 SMTP Server; Wed, 11 Nov 2026 17:12:40 +0000
Authentication-Results: spf=none (sender IP is 198.51.100.23)
 smtp.helo=mail.bulk-sender.example; dkim=none (message not signed)
 header.d=none;dmarc=fail action=none header.from=larkfield.example;compauth=fail reason=001
From: Microsoft Outlook <postmaster@larkfield.example>
To: <bounces@larkfield.example>
Subject: Undeliverable: Payroll
Date: Wed, 11 Nov 2026 17:12:31 +0000
Message-ID: <8842.payroll@mail.bulk-sender.example>
X-MS-Exchange-Message-Is-Ndr:
X-MS-Exchange-Organization-AuthSource: DB5EUR03FT021.eop-EUR03.prod.protection.outlook.com
X-MS-Exchange-Organization-AuthAs: Anonymous
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_forged"

--=_forged
Content-Type: text/plain; charset=us-ascii

Your message couldn't be delivered because your account is blocked. Sign in to release it.

--=_forged
Content-Type: message/delivery-status

Reporting-MTA: dns;AM9PR07MB4512.eurprd07.prod.outlook.com
Arrival-Date: Wed, 11 Nov 2026 17:10:00 +0000

Final-Recipient: rfc822;payroll@copperline.example
Action: failed
Status: 5.1.8
Diagnostic-Code: smtp;550 5.1.8 Access denied, bad outbound sender AS(42004)

--=_forged
Content-Type: text/rfc822-headers

From: <maja.nowak@larkfield.example>
To: <payroll@copperline.example>
Subject: Payroll
Date: Wed, 11 Nov 2026 17:09:48 +0000
Message-ID: <4410.payroll@mail.bulk-sender.example>

--=_forged--
"""

_REPORTS = (
    {
        "moment": "Wed 19:47",
        "what": "outside-report",
        "sender": CLAIRE.address,
        "original": mail_id("claire", "verres"),
        "subject": "Verres",
        "spf": "pass",
        "status": "5.2.2",
        "reply": "552 5.2.2 quota exceeded",
    },
    {
        "moment": "Fri 02:31",
        "what": "backscatter",
        "sender": "sales@larkfield.example",
        "original": "<77120@dsl-pool.example>",
        "subject": "You have won",
        "spf": "none",
        "status": "5.1.1",
        "reply": "550 5.1.1 User unknown",
    },
)


def mails() -> Iterator[Mail]:
    for row in _REPORTS:
        moment, what = row["moment"], row["what"]
        text = _FOREIGN.format(
            date=stamp(at(moment)),
            recipient="w.oehler@glashuette-nord.example",
            number=guid(what).hex[:10].upper(),
            **row,
        )
        yield Mail(arrived=soon(moment, 3), what=what, content=text.replace("\n", "\r\n"))
    forged = _FORGED.replace("\n", "\r\n")
    yield Mail(arrived=at("Wed 18:12:41"), what="forged-from-outside", content=forged)
