"""What the Python programs share.

As clients: the checks, which are made over a `Link`, whatever the library. What came of each is printed as a line of JSON.
As servers: what a text message that begins with `!` tells them, as compat/programs/echo.ts has it.
"""

import asyncio
import json
import os
import ssl
import sys

TEXT = "Grüße, 世界, 🌍"
LARGEST_MESSAGE = 16 * 1024 * 1024
SECONDS = 30


class Absent(Exception):
    """The library has no way to do it."""


class Link:
    """A client's connection. What a library cannot do, it leaves as it is here."""

    #: What was agreed upon; the extensions as a text.
    subprotocol = None
    extensions = ""

    async def send(self, message):
        raise NotImplementedError

    async def receive(self):
        """The next message."""
        raise NotImplementedError

    async def send_fragments(self, pieces):
        raise Absent("it has no way to send fragments")

    async def ping(self, payload):
        """Sends a Ping, and answers the payload of the Pong."""
        raise NotImplementedError

    async def close(self, code, reason):
        raise NotImplementedError

    async def closed(self):
        """The code and reason with which the server closed."""
        raise NotImplementedError

    async def ask(self, message):
        await self.send(message)
        return await self.receive()


def same(actual, expected):
    if actual != expected:
        raise AssertionError(f"{str(actual)[:100]} where {str(expected)[:100]} was expected")


async def text(connect, url):
    link = await connect(url + "/")
    for message in [TEXT, "", "x" * 125, "x" * 126]:
        same(await link.ask(message), message)
    await link.close(1000, "")


async def binary(connect, url):
    link = await connect(url + "/")
    for message in [bytes(range(256)), b""]:
        same(await link.ask(message), message)
    await link.close(1000, "")


async def large(connect, url):
    link = await connect(url + "/")
    octets = os.urandom(1024 * 1024)
    same(await link.ask(octets), octets)
    message = "x" * (1024 * 1024)
    same(await link.ask(message), message)
    await link.close(1000, "")


async def many(connect, url):
    link = await connect(url + "/")
    messages = [f"message {number}" for number in range(1000)]
    for message in messages:
        await link.send(message)
    for message in messages:
        same(await link.receive(), message)
    await link.close(1000, "")


async def fragments_sent(connect, url):
    link = await connect(url + "/")
    await link.send_fragments(["some ", "", "fragments"])
    same(await link.receive(), "some fragments")
    await link.close(1000, "")


async def fragments_received(connect, url):
    link = await connect(url + "/")
    same(await link.ask("!fragments 10000"), "x" * 10000)
    await link.close(1000, "")


def compressed(path):
    async def check(connect, url):
        link = await connect(url + path, compress=True)
        same("permessage-deflate" in link.extensions, True)
        for size in [10, 100, 10_000, 100_000]:
            message = TEXT * size
            same(await link.ask(message), message)
            same(await link.ask(message.encode()), message.encode())
        await link.close(1000, "")

    return check


async def subprotocol(connect, url):
    link = await connect(url + "/", ["unknown", "chat.v2"])
    same(link.subprotocol, "chat.v2")
    await link.close(1000, "")


async def ping_sent(connect, url):
    link = await connect(url + "/")
    same(await link.ping(b"hello"), b"hello")
    await link.close(1000, "")


async def ping_received(connect, url):
    link = await connect(url + "/")
    same(await link.ask("!ping hello"), "pong hello")
    await link.close(1000, "")


async def close_sent(connect, url):
    for number, (code, reason) in enumerate([(1000, ""), (4001, "enough")]):
        name = f"{os.getpid()}-{number}"
        link = await connect(f"{url}/?id={name}")
        await link.close(code, reason)
        witness = await connect(url + "/")
        end = json.loads(await witness.ask(f"!closed {name}"))
        same([end["code"], end["reason"], end["wasClean"]], [code, reason, True])
        await witness.close(1000, "")


async def close_received(connect, url):
    for code, reason in [(1000, ""), (4002, "so long")]:
        link = await connect(url + "/")
        await link.send(f"!close {code} {reason}")
        same(await link.closed(), (code, reason))


async def refused(connect, url):
    try:
        await connect(url + "/refused")
    except Exception as error:  # each library has its own
        same("403" in str(error), True)
    else:
        raise AssertionError("the handshake was not refused")


CHECKS = {
    "text": text,
    "binary": binary,
    "1 MiB": large,
    "1,000 messages at once, in order": many,
    "fragments from the client": fragments_sent,
    "fragments from the server": fragments_received,
    "compression": compressed("/"),
    "compression with context": compressed("/context"),
    "a subprotocol": subprotocol,
    "a Ping from the client": ping_sent,
    "a Ping from the server": ping_received,
    "a close from the client": close_sent,
    "a close from the server": close_received,
    "a refused handshake": refused,
}


async def try_check(name, check, connect, url, mistakes):
    try:
        await asyncio.wait_for(check(connect, url), SECONDS)
        return {"check": name, "outcome": "passed"}
    except Absent as error:
        return {"check": name, "outcome": "absent", "note": str(error)}
    except Exception as error:
        if name in mistakes:
            return {"check": name, "outcome": "absent", "note": mistakes[name]}
        note = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return {"check": name, "outcome": "failed", "note": note}


async def try_all(connect, mistakes, endpoints, ca):
    """`connect(url, subprotocols, tls, compress)` opens a Link; `endpoints` is the JSON of the stage, `ca` a file.

    `mistakes` tells of the library's own, by the check that fails for them.
    """
    where = json.loads(endpoints)
    tls = ssl.create_default_context(cafile=ca)

    async def plain(url, subprotocols=(), compress=False):
        return await connect(url, subprotocols, None, compress)

    async def secure(url):
        return await connect(url, (), tls, False)

    trials = [(name, check, plain, where["ws"]) for name, check in CHECKS.items()]
    trials.append(("`wss:`, the certificate checked", large, secure, where["wss"]))
    for trial in trials:
        # Its key first, by which the line is known.
        print(json.dumps(await try_check(*trial, mistakes), separators=(",", ":")), flush=True)


class Ends:
    """How connections ended that have a name; who asks too early is answered later."""

    def __init__(self):
        self.futures = {}

    def of(self, name):
        return self.futures.setdefault(name, asyncio.get_running_loop().create_future())

    def tell(self, name, code, reason):
        if name and not self.of(name).done():
            self.of(name).set_result(json.dumps({"code": code, "reason": reason}))


ENDS = Ends()


async def obey(message, link):
    """Whether the message was one of the things that a server can be told; `link` has what they need."""
    if not isinstance(message, str) or not message.startswith("!"):
        return False
    command, _, words = message[1:].partition(" ")
    if command == "close":
        code, _, reason = words.partition(" ")
        await link.close(int(code), reason)
    elif command == "ping":
        await link.ping(words)
    elif command == "fragments":
        await link.send_fragments(int(words))
    elif command == "closed":
        await link.send(await ENDS.of(words))
    else:
        return False
    return True


def announce(port):
    print(f"ws://127.0.0.1:{port}", flush=True)


def main(connect, serve, mistakes=None):
    """`PROGRAM server`, or `PROGRAM client ENDPOINTS CA`."""
    if sys.argv[1] == "server":
        asyncio.run(serve())
    else:
        asyncio.run(try_all(connect, mistakes or {}, *sys.argv[2:4]))
