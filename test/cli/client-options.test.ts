/** What the options of clients become, and how it is said that no connection came about. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CLIENT_OPTIONS, addressOf, clientOptions, explainFailure } from '../../src/cli/client-options.ts'
import { UsageError } from '../../src/cli/io.ts'
import { readOptions } from '../../src/cli/options.ts'
import { HandshakeError } from '../../src/errors.ts'
import { temporaryFolder } from './support.ts'

describe('clientOptions', () => {
  it('asks for nothing special by itself', () => {
    expect(clientOptions(readOptions([], CLIENT_OPTIONS))).toEqual({
      headers: [],
      protocols: [],
      handshakeTimeout: 10_000,
      perMessageDeflate: false,
      tls: { rejectUnauthorized: true },
    })
  })

  it('takes fields, an origin, subprotocols, compression, a time and TLS', () => {
    const folder = temporaryFolder()
    const files = ['ca', 'cert', 'key'].flatMap((name) => {
      writeFileSync(join(folder, name), name)
      return [`--${name}`, join(folder, name)]
    })
    const args = ['-H', 'A: b', '--origin', 'https://page.example', '-p', 'v2', '-p', 'v1', '--deflate']
    const options = readOptions([...args, '--timeout', '0.5', '--insecure', ...files], CLIENT_OPTIONS)
    expect(clientOptions(options)).toEqual({
      headers: [
        ['A', 'b'],
        ['Origin', 'https://page.example'],
      ],
      protocols: ['v2', 'v1'],
      handshakeTimeout: 500,
      perMessageDeflate: true,
      tls: { rejectUnauthorized: false, ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key') },
    })
  })

  it('refuses to offer compression and not to', () => {
    const options = readOptions(['--deflate', '--no-deflate'], CLIENT_OPTIONS)
    expect(() => clientOptions(options)).toThrow(UsageError)
  })
})

it('addressOf adds the scheme that people leave out', () => {
  expect(addressOf('localhost:8080/chat')).toBe('ws://localhost:8080/chat')
  expect(addressOf('wss://localhost')).toBe('wss://localhost')
})

describe('explainFailure', () => {
  function failure(options: ConstructorParameters<typeof HandshakeError>[2]): HandshakeError {
    return new HandshakeError('ERR_WS_X', 'The server said no.', options)
  }

  it.each([
    ['what is no failed handshake, as it is', new Error('Oh'), 'Oh'],
    ['a refusal without a word', failure({ status: 404 }), 'The server said no'],
    ['no answer', failure({}), 'The server said no'],
    [
      'a refusal with its words, harmless and short',
      failure({ status: 401, body: Buffer.from(`log in\u{1b}[2J${'!'.repeat(400)}`) }),
      String.raw`The server said no, and said: log in\u{1b}[2J${'!'.repeat(390)}…`,
    ],
    [
      'a transport that failed',
      failure({ cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }) }),
      'Cannot reach ws://a: connect ECONNREFUSED',
    ],
    ['a transport without a code', failure({ cause: new Error('gone') }), 'Cannot reach ws://a: gone'],
    [
      'several that failed',
      failure({ cause: Object.assign(new AggregateError([], 'all'), { message: '', code: 'ECONNREFUSED' }) }),
      'Cannot reach ws://a: ECONNREFUSED',
    ],
    [
      'a certificate',
      failure({ cause: Object.assign(new Error('self-signed'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }) }),
      'Cannot reach ws://a: self-signed; --insecure takes any certificate',
    ],
    [
      'a signature',
      failure({ cause: Object.assign(new Error('no'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }) }),
      'Cannot reach ws://a: no; --insecure takes any certificate',
    ],
  ])('tells of %s', (_, error, sentence) => {
    expect(explainFailure('ws://a', error)).toBe(sentence)
  })
})
