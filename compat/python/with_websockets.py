"""The library websockets."""

from urllib.parse import parse_qs, urlsplit

import websockets
from peer import ENDS, LARGEST_MESSAGE, Link, announce, main, obey


class ClientLink(Link):
    def __init__(self, ws):
        self.ws = ws
        self.subprotocol = ws.subprotocol
        self.extensions = " ".join(extension.name for extension in ws.extensions)

    async def send(self, message):
        await self.ws.send(message)

    async def receive(self):
        return await self.ws.recv()

    async def send_fragments(self, pieces):
        await self.ws.send(pieces)

    async def ping(self, payload):
        # It settles with the Pong of this payload.
        await (await self.ws.ping(payload))
        return payload

    async def close(self, code, reason):
        await self.ws.close(code, reason)

    async def closed(self):
        await self.ws.wait_closed()
        return self.ws.close_code, self.ws.close_reason


async def connect(url, subprotocols, tls, compress):
    ws = await websockets.connect(
        url,
        subprotocols=list(subprotocols) or None,
        ssl=tls,
        compression="deflate" if compress else None,
        max_size=LARGEST_MESSAGE,
    )
    return ClientLink(ws)


class ServerLink:
    def __init__(self, ws):
        self.ws = ws
        self.send = ws.send
        self.close = ws.close

    async def ping(self, payload):
        await (await self.ws.ping(payload))
        await self.ws.send(f"pong {payload}")

    async def send_fragments(self, length):
        await self.ws.send(["x" * 100] * (length // 100))


async def handle(ws):
    name = parse_qs(urlsplit(ws.path).query).get("id", [""])[0]
    link = ServerLink(ws)
    try:
        async for message in ws:
            if not await obey(message, link):
                await ws.send(message)
    except websockets.ConnectionClosed:
        # For codes other than 1000 and 1001; they are asked for below.
        pass
    await ws.wait_closed()
    ENDS.tell(name, ws.close_code, ws.close_reason)


async def serve():
    options = {"subprotocols": ["chat.v2", "chat.v1"], "max_size": LARGEST_MESSAGE}
    async with websockets.serve(handle, "127.0.0.1", 0, **options) as server:
        announce(server.sockets[0].getsockname()[1])
        await server.wait_closed()


main(connect, serve)
