"""A real SMTP server (aiosmtpd) for one test: prints its port, then one line of JSON for each message that arrived.

Mail to refuse@... is refused with 550, mail to later@... with 451; AUTH accepts hostolink / p@ss.
"""

import asyncio
import email
import email.policy
import json

from aiosmtpd.smtp import SMTP, AuthResult


def say(value):
    print(json.dumps(value), flush=True)


class Desk:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refuse@"):
            return "550 5.1.1 no such person"
        if address.startswith("later@"):
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        html = message.get_body(("html",))
        say({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": message["subject"],
            "message_id": message["message-id"],
            "text": message.get_body(("plain",)).get_content(),
            "html": html.get_content() if html else None,
        })
        return "250 OK"


def check(server, session, envelope, mechanism, data):
    good = getattr(data, "login", None) == b"hostolink" and getattr(data, "password", None) == b"p@ss"
    # Not "handled": the server itself answers 535 when it is wrong.
    return AuthResult(success=good, handled=False)


async def main():
    def make():
        return SMTP(Desk(), authenticator=check, auth_required=True, auth_require_tls=False, enable_SMTPUTF8=True)

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    say({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


asyncio.run(main())
