"""The library Tornado."""

import asyncio

from peer import ENDS, LARGEST_MESSAGE, Link, announce, main, obey
from tornado.httpclient import HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler, websocket_connect


class ClientLink(Link):
    def __init__(self, ws):
        self.ws = ws
        self.subprotocol = ws.selected_subprotocol
        self.extensions = ws.headers.get("Sec-WebSocket-Extensions", "")

    async def send(self, message):
        await self.ws.write_message(message, binary=isinstance(message, bytes))

    async def receive(self):
        return await self.ws.read_message()

    async def ping(self, payload):
        pong = asyncio.get_running_loop().create_future()
        self.ws.on_pong = pong.set_result
        self.ws.ping(payload)
        return await pong

    async def close(self, code, reason):
        self.ws.close(code, reason or None)
        # Nothing comes any more once the server has closed, too.
        while await self.ws.read_message() is not None:
            pass

    async def closed(self):
        while await self.ws.read_message() is not None:
            pass
        return self.ws.close_code, self.ws.close_reason or ""


async def connect(url, subprotocols, tls, compress):
    ws = await websocket_connect(
        HTTPRequest(url, ssl_options=tls),
        subprotocols=list(subprotocols) or None,
        compression_options={} if compress else None,
        max_message_size=LARGEST_MESSAGE,
    )
    return ClientLink(ws)


class Echo(WebSocketHandler):
    def select_subprotocol(self, subprotocols):
        return next((name for name in ("chat.v2", "chat.v1") if name in subprotocols), None)

    def get_compression_options(self):
        return {}

    async def on_message(self, message):
        if not await obey(message, ServerLink(self)):
            await self.write_message(message, binary=isinstance(message, bytes))

    def on_pong(self, data):
        self.write_message(f"pong {data.decode()}")

    def on_close(self):
        ENDS.tell(self.get_query_argument("id", ""), self.close_code, self.close_reason or "")


class ServerLink:
    def __init__(self, handler):
        self.handler = handler

    async def send(self, message):
        await self.handler.write_message(message)

    async def close(self, code, reason):
        self.handler.close(code, reason or None)

    async def ping(self, payload):
        self.handler.ping(payload)

    async def send_fragments(self, length):
        await self.send("!absent")


async def serve():
    app = Application([("/.*", Echo)], websocket_max_message_size=LARGEST_MESSAGE)
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(app).add_sockets(sockets)
    announce(sockets[0].getsockname()[1])
    await asyncio.Event().wait()


MISTAKES = {
    "compression": "it overlooks client_no_context_takeover in our answer, so its second message refers back to its first, "
    "and is refused with 1007; with clientNoContextTakeover: false on our server it works"
}

main(connect, serve, MISTAKES)
