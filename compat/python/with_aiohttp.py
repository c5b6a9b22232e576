"""The library aiohttp."""

import asyncio

import aiohttp
from aiohttp import WSMsgType, web
from peer import ENDS, LARGEST_MESSAGE, Link, announce, main, obey


class ClientLink(Link):
    def __init__(self, session, ws):
        self.session = session
        self.ws = ws
        self.subprotocol = ws.protocol
        self.extensions = "permessage-deflate" if ws.compress else ""

    async def send(self, message):
        await (self.ws.send_str(message) if isinstance(message, str) else self.ws.send_bytes(message))

    async def receive(self):
        return (await self.frame()).data

    async def frame(self):
        """The next that is no Ping, which it answers by itself only where it does not tell of Pongs."""
        while True:
            frame = await self.ws.receive()
            if frame.type != WSMsgType.PING:
                return frame
            await self.ws.pong(frame.data)

    async def ping(self, payload):
        await self.ws.ping(payload)
        return (await self.frame()).data

    async def close(self, code, reason):
        await self.ws.close(code=code, message=reason.encode())
        await self.session.close()

    async def closed(self):
        frame = await self.frame()
        await self.session.close()
        return frame.data, frame.extra


async def connect(url, subprotocols, tls, compress):
    session = aiohttp.ClientSession()
    try:
        options = {"protocols": tuple(subprotocols), "compress": 15 if compress else 0, "max_msg_size": 0, "autoping": False}
        return ClientLink(session, await session.ws_connect(url, ssl=tls, **options))
    except BaseException:
        await session.close()
        raise


class ServerLink:
    def __init__(self, ws):
        self.ws = ws

    async def send(self, message):
        await (self.ws.send_str(message) if isinstance(message, str) else self.ws.send_bytes(message))

    async def close(self, code, reason):
        await self.ws.close(code=code, message=reason.encode())

    async def ping(self, payload):
        await self.ws.ping(payload.encode())

    async def send_fragments(self, length):
        await self.send("!absent")


async def handle(request):
    ws = web.WebSocketResponse(protocols=("chat.v2", "chat.v1"), max_msg_size=LARGEST_MESSAGE, autoping=False)
    await ws.prepare(request)
    link = ServerLink(ws)
    while not ws.closed:
        frame = await ws.receive()
        if frame.type == WSMsgType.PING:
            await ws.pong(frame.data)
        elif frame.type == WSMsgType.PONG:
            await link.send(f"pong {frame.data.decode()}")
        elif frame.type == WSMsgType.CLOSE:
            ENDS.tell(request.query.get("id"), frame.data, frame.extra)
        elif frame.type in (WSMsgType.TEXT, WSMsgType.BINARY) and not await obey(frame.data, link):
            await link.send(frame.data)
    return ws


async def serve():
    app = web.Application()
    app.add_routes([web.get("/{path:.*}", handle)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    announce(runner.addresses[0][1])
    await asyncio.Event().wait()


main(connect, serve)
