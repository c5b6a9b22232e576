import { expect, it } from 'vitest'

import * as handshake from '../../src/handshake/index.ts'

it('The handshake room exports what servers, clients and tools need', () => {
  expect(Object.keys(handshake)).toEqual(
    expect.arrayContaining([
      'Fields',
      'HEAD_LIMITS',
      'HeadReader',
      'WEBSOCKET_VERSION',
      'acceptKey',
      'acceptRequest',
      'checkResponse',
      'chooseProtocol',
      'createKey',
      'createRequest',
      'createTunnelRequest',
      'formatAcceptance',
      'formatExtensions',
      'formatFields',
      'formatRejection',
      'formatUri',
      'isOriginAllowed',
      'isUpgradeRequest',
      'parseAuthority',
      'parseExtensions',
      'parseProtocols',
      'parseTarget',
      'parseUri',
      'refusedTunnel',
      'rejectionOf',
      'requestHead',
      'toWebSocketUrl',
      'unexpectedResponse',
    ]),
  )
})
