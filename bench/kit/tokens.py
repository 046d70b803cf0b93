"""Access tokens of the seeded people, one a line: line i is person i's."""
import base64
import hashlib
import hmac
import json
import os
import time
import zlib

HOURS = 12


def _text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(people, secret):
    """What the baseline accepts: HS256, subjects 1..people."""
    head, now = _text(b'{"alg":"HS256","typ":"JWT"}'), int(time.time())
    for i in range(1, people + 1):
        claims = _text(json.dumps({"sub": str(i), "iat": now, "exp": now + HOURS * 3600}).encode())
        signature = hmac.new(secret.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest()
        yield f"{head}.{claims}.{_text(signature)}"


def opaque():
    """What Hostolink accepts: a prefix, 32 random bytes, a checksum. Returns the token and what the database keeps."""
    body = "hsa_" + _text(os.urandom(32))
    token = body + _text(zlib.crc32(body.encode()).to_bytes(4, "big"))
    return token, hashlib.sha256(token.encode()).hexdigest()


def write(path, tokens):
    with open(path, "w") as file:
        file.writelines(f"{token}\n" for token in tokens)
