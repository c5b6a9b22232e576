/**
 * The opening handshake, without any I/O: heads from bytes, requests judged, responses checked, both of them written.
 * Of use to servers and clients on other transports, to tools, and to whoever wants to see how the handshake works.
 * @module fullduplex/handshake
 */

export type { AcceptanceExtras, RejectionAnswer } from './answer.ts'
export { formatAcceptance, formatRejection } from './answer.ts'
export { BodyReader } from './body.ts'
export type { Agreement, ExpectedResponse, RequestOptions } from './client.ts'
export { checkResponse, createRequest, unexpectedResponse } from './client.ts'
export type { Heads, HttpVersion, RequestHead, ResponseHead } from './decode.ts'
export { requestHead } from './decode.ts'
export type { ExtensionOffer, ExtensionParameter } from './extensions.ts'
export { formatExtensions, parseExtensions } from './extensions.ts'
export type { FieldsInit } from './fields.ts'
export { Fields, formatFields } from './fields.ts'
export type { HeadLimits } from './head.ts'
export { HEAD_LIMITS, HeadReader } from './head.ts'
export { acceptKey, createKey } from './key.ts'
export type { OriginContext, OriginPolicy } from './origin.ts'
export { isOriginAllowed, isOriginPolicy } from './origin.ts'
export type { Acceptance, AcceptOptions, Rejection } from './server.ts'
export { acceptRequest, isUpgradeRequest, rejectionOf, WEBSOCKET_VERSION } from './server.ts'
export type { ProtocolPolicy } from './subprotocol.ts'
export { chooseProtocol, parseProtocols } from './subprotocol.ts'
export type { TunnelOptions } from './tunnel.ts'
export { createTunnelRequest, refusedTunnel } from './tunnel.ts'
export type { Authority, ParsedUri, Target } from './uri.ts'
export { formatUri, parseAuthority, parseTarget, parseUri, toWebSocketUrl } from './uri.ts'
