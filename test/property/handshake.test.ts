/**
 * What holds for every head: however it is cut the outcome is the same, whatever it holds nothing but a HandshakeError is
 * thrown, what was written can be read, and what is accepted is accepted by the strict parser of `node:http`, too.
 */

import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import { Duplex } from 'node:stream'

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { HandshakeError } from '../../src/errors.ts'
import {
  acceptRequest,
  checkResponse,
  createKey,
  createRequest,
  Fields,
  formatAcceptance,
  formatExtensions,
  formatFields,
  formatRejection,
  HeadReader,
  isOriginAllowed,
  isUpgradeRequest,
  parseExtensions,
  parseProtocols,
  parseTarget,
  parseUri,
  requestHead,
} from '../../src/handshake/index.ts'
import { isToken } from '../../src/handshake/grammar.ts'
import { handshake, latin1, plain, readChunks } from '../support/heads.ts'

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
const token = fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS.split('')), minLength: 1, maxLength: 12 })
const valueCharacter = fc.oneof(
  fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  fc.integer({ min: 0x80, max: 0xff }).map((code) => String.fromCharCode(code)),
  fc.constant('\t'),
)
const value = fc.string({ unit: valueCharacter, maxLength: 30 })
const target = fc
  .string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 20 })
  .map((text) => `/${text}`)

/** Heads, most of them well-formed. */
const head = fc
  .record({ target, fields: fc.array(fc.tuple(token, value), { maxLength: 8 }), isHandshake: fc.boolean() })
  .map(({ target: path, fields, isHandshake }) => {
    const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`).join('')
    return isHandshake
      ? `${handshake({}, `GET ${path} HTTP/1.1`).slice(0, -2)}${lines}\r\n`
      : `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`
  })

const DISRUPTIONS = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  '\x7f',
  '\x80',
  '\xff',
  '\r\n ',
  '\r\r\n',
  'HTTP/1.1',
  ',',
  ';',
  '"',
  '\\',
  '=',
  '\x0b',
]

/** A head with some bytes put in, taken out or changed. */
const mutated = fc
  .tuple(
    head,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat({ max: 3 }),
        fc.oneof(
          fc.constantFrom(...DISRUPTIONS),
          fc.nat({ max: 255 }).map((byte) => String.fromCharCode(byte)),
        ),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([text, changes]) => {
    let changed = text
    for (const [place, removed, inserted] of changes) {
      const at = place % (changed.length + 1)
      changed = changed.slice(0, at) + inserted + changed.slice(at + removed)
    }
    return changed
  })

function cut(text: string, places: readonly number[]): Buffer[] {
  const bytes = latin1(text)
  const offsets = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return offsets.slice(1).map((offset, index) => bytes.subarray(offsets[index], offset))
}

describe('HeadReader', () => {
  it('comes to the same result however the bytes are cut', () => {
    const limits = fc.option(
      fc.record({
        maxHeadSize: fc.integer({ min: 1, max: 300 }),
        maxStartLineSize: fc.integer({ min: 1, max: 40 }),
        maxFieldLineSize: fc.integer({ min: 1, max: 60 }),
        maxFields: fc.integer({ min: 1, max: 8 }),
      }),
      { nil: undefined },
    )
    fc.assert(
      fc.property(fc.oneof(head, mutated), fc.array(fc.nat(), { maxLength: 10 }), limits, (text, places, bounds) => {
        const whole = plain(readChunks('request', [latin1(text)], bounds))
        expect(plain(readChunks('request', cut(text, places), bounds))).toEqual(whole)
        expect(
          plain(
            readChunks(
              'request',
              Array.from(latin1(text), (byte) => Buffer.of(byte)),
              bounds,
            ),
          ),
        ).toEqual(whole)
      }),
      { numRuns: 2_000 },
    )
  })

  it('throws nothing but a HandshakeError, whatever the bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('latin1')),
      mutated,
    )
    fc.assert(
      fc.property(bytes, fc.constantFrom('request' as const, 'response' as const), (text, kind) => {
        const outcome = readChunks(kind, [latin1(text)])
        if (outcome.kind === 'refused') expect(outcome.code).toMatch(/^ERR_WS_/)
      }),
      { numRuns: 5_000 },
    )
  })

  it('reads the fields that formatFields wrote', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(token, value), { maxLength: 20 }), (fields) => {
        const reader = new HeadReader('response')
        reader.read(latin1(`HTTP/1.1 200 \r\n${formatFields(fields)}\r\n`))
        const stripped = fields.map(([name, text]) => [name.toLowerCase(), text.replace(/^[ \t]+|[ \t]+$/g, '')])
        expect([...reader.head.fields]).toEqual(stripped)
      }),
      { numRuns: 1_000 },
    )
  })

  it('[V60] [V61] accepts nothing that the strict parser of node:http refuses [9112-2.2-09]', async () => {
    const known = new Set(['GET', 'POST', 'HEAD', 'OPTIONS'])
    let accepted = 0
    let refused = 0
    await fc.assert(
      fc.asyncProperty(fc.oneof(head, mutated), async (text) => {
        const outcome = readChunks('request', [latin1(text)])
        if (outcome.kind !== 'head') {
          refused++
          return
        }
        // llhttp knows a list of methods, and judges the form of the target and what surrounds a body; here that is left to
        // `acceptRequest`.
        const { fields, method } = outcome.head
        if (parseTarget(outcome.head.target) === undefined) return
        if (!known.has(method) || fields.has('content-length') || fields.has('transfer-encoding')) return
        accepted++
        const request = await parseWithNode(outcome.received)
        expect(request, JSON.stringify(text)).toBeDefined()
        expect(request?.url).toBe(outcome.head.target)
        expect(request?.lines).toEqual([...fields])
      }),
      { numRuns: 700 },
    )
    expect(accepted).toBeGreaterThan(100)
    expect(refused).toBeGreaterThan(100)
  })
})

describe('Fields', () => {
  it('finds in a head what looking through a list of its lines finds', () => {
    const name = fc.oneof(token, fc.constantFrom('Host', 'HOST', 'host', '^', '~', '@', '`', 'K', 'k', '\u212a'))
    const recased = fc.tuple(name, fc.boolean()).map(([text, upper]) => (upper ? text.toUpperCase() : text))
    const written = name.filter((text) => isToken(text))
    fc.assert(
      fc.property(fc.array(fc.tuple(written, value), { maxLength: 8 }), recased, (lines, wanted) => {
        const reader = new HeadReader('response')
        reader.read(latin1(`HTTP/1.1 200 \r\n${formatFields(lines)}\r\n`))
        const values = lines
          .filter(([text]) => text.toLowerCase() === wanted.toLowerCase())
          .map(([, text]) => text.replace(/^[ \t]+|[ \t]+$/g, ''))
        for (const fields of [reader.head.fields, Fields.from(lines)]) {
          expect(fields.getAll(wanted)).toEqual(values)
          expect(fields.has(wanted)).toBe(values.length > 0)
          expect(fields.get(wanted)).toBe(values.length > 0 ? values.join(', ') : undefined)
          expect(fields.size).toBe(lines.length)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('isOriginAllowed', () => {
  it('says of an origin that repeats the host letter for letter what it says of one that has to be taken apart', () => {
    const host = fc.oneof(
      fc.constantFrom(
        'a.com',
        'A.com',
        'a.com:80',
        'a.com:443',
        'a.com:',
        '[::1]:8080',
        '',
        ':',
        '[',
        'a/b',
        'a@b',
        'a:x',
      ),
      fc.string({ maxLength: 8 }),
    )
    fc.assert(
      fc.property(host, host, fc.constantFrom('http', 'https'), fc.boolean(), (authority, other, scheme, secure) => {
        for (const named of [authority, other]) {
          // A scheme in upper case means the same, and is never taken for what a browser sends.
          const [quick, plainly] = [scheme, scheme.toUpperCase()].map((written) =>
            isOriginAllowed(requestHead('GET', '/', '1.1', ['Origin', `${written}://${named}`]), undefined, {
              authority,
              secure,
            }),
          )
          expect(quick).toBe(plainly)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('acceptRequest', () => {
  it('says of what nearly all clients write what it says of lists that mean the same', () => {
    const upgrade = fc.constantFrom(
      'websocket',
      'WebSocket',
      ', websocket',
      'h2c',
      'h2c, websocket',
      'websocket/',
      '',
      ' ',
    )
    const connection = fc.constantFrom('Upgrade', 'upgrade', 'Upgrade,', 'keep-alive, Upgrade', 'close', '', 'Up grade')
    fc.assert(
      fc.property(upgrade, connection, (Upgrade, Connection) => {
        // An empty element changes nothing, unless there is no other.
        const plainly = { Upgrade: `${Upgrade},`, Connection: `,${Connection}` }
        const [given, listed] = [{ Upgrade, Connection }, plainly].map((fields) => {
          const outcome = readChunks('request', [latin1(handshake(fields))])
          const result = outcome.kind === 'head' ? acceptRequest(outcome.head) : undefined
          return result?.accepted === false ? result.error.code : result
        })
        expect(given).toEqual(listed)
      }),
    )
  })

  it('answers every head with an acceptance or a rejection that can be written', () => {
    fc.assert(
      fc.property(fc.oneof(head, mutated), (text) => {
        const outcome = readChunks('request', [latin1(text)])
        if (outcome.kind !== 'head') return
        const result = acceptRequest(outcome.head, { protocols: ['a'], extensions: (offers) => offers.slice(0, 1) })
        if (result.accepted) {
          expect(isUpgradeRequest(outcome.head)).toBe(true)
          expect(readChunks('response', [latin1(formatAcceptance(result))])).toMatchObject({ head: { status: 101 } })
        } else {
          expect(result.error).toBeInstanceOf(HandshakeError)
          expect(readChunks('response', [formatRejection(result)])).toMatchObject({ head: { status: result.status } })
        }
      }),
      { numRuns: 3_000 },
    )
  })

  it('agrees with checkResponse about every request that createRequest writes', () => {
    const protocols = fc.uniqueArray(token, { maxLength: 4 })
    const extensions = fc.array(
      fc.record({
        name: token,
        parameters: fc.array(fc.tuple(token, fc.oneof(token, fc.constant(true as const))), { maxLength: 3 }),
      }),
      { maxLength: 3 },
    )
    fc.assert(
      fc.property(protocols, extensions, target, (offered, offers, path) => {
        fc.pre(parseTarget(path) !== undefined)
        const uri = { ...parseUri('ws://a.example:8080'), resourceName: path }
        const key = createKey()
        const request = new HeadReader('request')
        request.read(latin1(createRequest({ uri, key, protocols: offered, extensions: offers })))
        const result = acceptRequest(request.head, { protocols: offered.toReversed(), extensions: (list) => list })
        if (!result.accepted) throw result.error
        const response = new HeadReader('response')
        response.read(latin1(formatAcceptance(result)))
        const agreement = checkResponse(response.head, {
          key,
          protocols: offered,
          extensions: offers.map(({ name }) => name),
        })
        expect(agreement).toEqual({ protocol: offered.at(-1), extensions: offers })
        expect(result.resourceName).toBe(path)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('parseExtensions and parseProtocols', () => {
  it('read what was written, and throw nothing but a HandshakeError', () => {
    const parameter = fc.tuple(token, fc.oneof(token, fc.constant(true as const)))
    const list = fc.array(fc.record({ name: token, parameters: fc.array(parameter, { maxLength: 4 }) }), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(list, (offers) => {
        expect(parseExtensions(formatExtensions(offers))).toEqual(offers)
      }),
    )
    const hostile = fc.string({
      unit: fc.constantFrom('a', ' ', '\t', ',', ';', '=', '"', '\\', '\xe9'),
      maxLength: 30,
    })
    fc.assert(
      fc.property(hostile, fc.constantFrom(parseExtensions, parseProtocols), (text, parse) => {
        try {
          parse(text)
        } catch (error) {
          expect(error).toBeInstanceOf(HandshakeError)
        }
      }),
      { numRuns: 5_000 },
    )
  })
})

/** What the parser of `node:http`, strict as it is by default, makes of a head: `undefined` if it refuses it. */
async function parseWithNode(text: string): Promise<{ url: string | undefined; lines: string[][] } | undefined> {
  const server = createServer({ insecureHTTPParser: false, requireHostHeader: false })
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  return new Promise((resolve) => {
    const finish = (request?: IncomingMessage): void => {
      const raw = request?.rawHeaders ?? []
      const lines = raw.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1]]] : []))
      resolve(request === undefined ? undefined : { url: request.url, lines })
      socket.destroy()
    }
    server.on('request', finish).on('upgrade', finish).on('checkContinue', finish).on('checkExpectation', finish)
    server.on('clientError', () => finish())
    server.emit('connection', socket)
    socket.push(latin1(text))
  })
}
