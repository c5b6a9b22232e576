"""
A library of Python as a peer: takes streams by stdin, and answers with a verdict each, a line of JSON, by stdout.

    host.py websockets|wsproto|autobahn

A stream is a header of five octets, the length (32 bits, big endian) and the settings, and its octets. Bit 0 of the
settings says that the endpoint is a client, bits 1 and 2 are 0 without compression, 1 with context takeover, 2 without.
A verdict is [events, end, taken], as verdict.ts has them.
"""

import json
import struct
import sys

CONTEXT, SINGLE = 1, 2
MAX_SIZE = 65536
PIECE = 64


class Verdict:
    """What a library says of one connection."""

    def __init__(self):
        self.events = []
        self.end = "open"

    def event(self, kind, payload):
        if self.end == "open":
            octets = payload.encode() if isinstance(payload, str) else bytes(payload)
            self.events.append(f"{kind} {octets.hex()}")

    def closed(self, code, reason):
        octets = reason.encode() if isinstance(reason, str) else (reason or b"")
        self.over(f"closed {1005 if code is None else int(code)} {octets.hex()}")

    def failed(self, code):
        self.over(f"failed {int(code)}")

    def over(self, end):
        if self.end == "open":
            self.end = end


class Websockets:
    """
    The protocol of `websockets.serve` and `websockets.connect`. Its coroutine that reads asks for exactly so many octets,
    and waits for nothing else, so that it needs no event loop.
    """

    tells_taken = True

    def __init__(self):
        from websockets.extensions.permessage_deflate import PerMessageDeflate
        from websockets.legacy.protocol import State, WebSocketCommonProtocol

        class Waiting:
            def __await__(self):
                yield

        class Protocol(WebSocketCommonProtocol):
            def __init__(self, is_client, deflate, verdict):
                self.is_client = is_client
                self.verdict = verdict
                self.max_size = MAX_SIZE
                self.max_queue = None
                self.debug = False
                self.state = State.OPEN
                self.close_sent = None
                self.reader = self
                self.messages = self
                self.pings = self
                self._pop_message_waiter = None
                self.buffer = bytearray()
                self.taken = 0
                self.extensions = []
                if deflate:
                    single = deflate == SINGLE
                    self.extensions = [PerMessageDeflate(single, single, 15, 15)]

            async def readexactly(self, count):
                while len(self.buffer) < count:
                    await Waiting()
                self.taken += count
                octets = bytes(self.buffer[:count])
                del self.buffer[:count]
                return octets

            # In the place of its queue of messages, and of the pings that wait for an answer.
            def append(self, message):
                self.verdict.event("text" if isinstance(message, str) else "binary", message)

            def __contains__(self, payload):
                self.verdict.event("pong", payload)
                return False

            async def pong(self, payload=b""):
                self.verdict.event("ping", payload)

            async def write_close_frame(self, close, data=None):
                self.received = close

            def fail_connection(self, code=1006, reason=""):
                self.verdict.failed(code)

        self.protocol = Protocol

    def begin(self, is_client, deflate, verdict):
        protocol = self.protocol(is_client, deflate, verdict)
        protocol.received = None
        reading = protocol.transfer_data()

        def feed(octets):
            protocol.buffer += octets
            try:
                reading.send(None)
            except StopIteration:
                if protocol.received is not None:
                    verdict.closed(protocol.received.code, protocol.received.reason)
            return protocol.taken

        return feed


class Wsproto:
    """Its connection, which is bytes in and events out."""

    tells_taken = False

    def __init__(self):
        from wsproto import events
        from wsproto.connection import Connection, ConnectionType
        from wsproto.extensions import PerMessageDeflate

        self.events = events
        self.connection = Connection
        self.types = ConnectionType
        self.deflate = PerMessageDeflate

    def begin(self, is_client, deflate, verdict):
        extensions = []
        if deflate:
            extension = self.deflate(deflate == SINGLE, 15, deflate == SINGLE, 15)
            extension._enabled = True
            extensions.append(extension)
        kind = self.types.CLIENT if is_client else self.types.SERVER
        connection = self.connection(kind, extensions)
        events = self.events
        parts = []

        def feed(octets):
            # It tells a failure as it tells a Close; what made it end is told apart by what it has parsed.
            connection.receive_data(octets)
            for event in connection.events():
                if isinstance(event, (events.TextMessage, events.BytesMessage)):
                    parts.append(event.data if isinstance(event.data, str) else bytes(event.data))
                    if event.message_finished:
                        text = isinstance(event, events.TextMessage)
                        verdict.event("text" if text else "binary", ("" if text else b"").join(parts))
                        parts.clear()
                elif isinstance(event, events.Ping):
                    verdict.event("ping", event.payload)
                elif isinstance(event, events.Pong):
                    verdict.event("pong", event.payload)
                elif isinstance(event, events.CloseConnection):
                    if connection.state.name == "REMOTE_CLOSING":
                        verdict.closed(event.code, event.reason)
                    else:
                        verdict.failed(event.code)
            return 0

        return feed


class Autobahn:
    """The protocol of its servers and clients on asyncio, behind an opening handshake that did not take place."""

    tells_taken = False

    def __init__(self):
        import asyncio
        import logging

        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        from autobahn.asyncio import websocket
        from autobahn.websocket.compress_deflate import PerMessageDeflate

        logging.disable(logging.CRITICAL)
        self.deflate = PerMessageDeflate

        class Transport:
            def write(self, octets):
                pass

            def close(self):
                pass

            abort = close

            def unregisterProducer(self):
                pass

        self.transport = Transport()

        def recording(base):
            class Protocol(base):
                def onMessage(self, payload, isBinary):
                    self.verdict.event("binary" if isBinary else "text", payload)

                def onPing(self, payload):
                    self.verdict.event("ping", payload)

                def onPong(self, payload):
                    self.verdict.event("pong", payload)

                def _fail_connection(self, code=1001, reason="going away"):
                    self.verdict.failed(code)
                    super()._fail_connection(code, reason)

                def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
                    if isReply:
                        self.verdict.closed(self.remoteCloseCode, self.remoteCloseReason)
                    super().sendCloseFrame(code, reasonUtf8, isReply)

            return Protocol

        self.server = recording(websocket.WebSocketServerProtocol)
        self.client = recording(websocket.WebSocketClientProtocol)
        self.factories = {
            False: websocket.WebSocketServerFactory(loop=self.loop),
            True: websocket.WebSocketClientFactory("ws://localhost", loop=self.loop),
        }
        for factory in self.factories.values():
            factory.setProtocolOptions(
                openHandshakeTimeout=0, closeHandshakeTimeout=0, maxMessagePayloadSize=MAX_SIZE
            )
        self.factories[True].setProtocolOptions(serverConnectionDropTimeout=0)

    def begin(self, is_client, deflate, verdict):
        from autobahn.websocket.protocol import WebSocketProtocol

        protocol = (self.client if is_client else self.server)()
        protocol.verdict = verdict
        protocol.factory = self.factories[is_client]
        protocol.transport = self.transport
        WebSocketProtocol._connectionMade(protocol)
        protocol.state = protocol.STATE_OPEN
        protocol.websocket_version = 13
        protocol.inside_message = False
        protocol.current_frame = None
        if deflate:
            single = deflate == SINGLE
            protocol._perMessageCompress = self.deflate(not is_client, single, single, 15, 15, 8)

        def feed(octets):
            protocol._dataReceived(octets)
            return 0

        return feed

    def settle(self):
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()


LIBRARIES = {"websockets": Websockets, "wsproto": Wsproto, "autobahn": Autobahn}


def feed_all(library, settings, pieces):
    """Feeds pieces until the connection ends; answers its verdict, and the octets that it had taken by then."""
    verdict = Verdict()
    taken = fed = 0
    try:
        feed = library.begin(bool(settings & 1), settings >> 1, verdict)
        for piece in pieces:
            fed += len(piece)
            taken = feed(piece)
            if verdict.end != "open":
                break
    except Exception as error:
        verdict.over(f"threw {type(error).__name__}")
    return verdict, taken if library.tells_taken else fed


def pieces_of(octets, size):
    return [octets[i : i + size] for i in range(0, len(octets), size)]


def judge(library, settings, octets):
    if library.tells_taken:
        verdict, taken = feed_all(library, settings, [octets])
        return [verdict.events, verdict.end, taken]
    verdict, taken = feed_all(library, settings, pieces_of(octets, PIECE))
    if verdict.end != "open":
        # It ended within the last piece; octet by octet that tells where.
        before = (taken - 1) // PIECE * PIECE
        pieces = pieces_of(octets[:before], PIECE) + pieces_of(octets[before:], 1)
        verdict, taken = feed_all(library, settings, pieces)
    return [verdict.events, verdict.end, taken]


def main(name):
    library = LIBRARIES[name]()
    count = 0
    while header := sys.stdin.buffer.read(5):
        length, settings = struct.unpack(">IB", header)
        octets = sys.stdin.buffer.read(length)
        sys.stdout.write(json.dumps(judge(library, settings, octets), separators=(",", ":")) + "\n")
        count += 1
        if count % 64 == 0:
            sys.stdout.flush()
            if hasattr(library, "settle"):
                library.settle()
        # The last of a batch is marked by an empty stream, which has a verdict, too.
        if length == 0:
            sys.stdout.flush()


main(sys.argv[1])
