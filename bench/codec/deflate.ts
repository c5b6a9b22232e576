/**
 * permessage-deflate of records of 1 KiB, both ways, on the server's side: ours and ws with their own defaults, then ws with
 * our level and window. Records follow each other in a round that is longer than any window, so that none is found
 * again whole. The limit is zlib with our settings.
 */
import { PROGRAMS } from './case.ts'
import type { Case, Program, Way } from './case.ts'
import type { Ours, Ws, WsDeflate } from './parts.ts'
import { record } from './samples.ts'
import { keptDeflate, keptInflate } from './zlib.ts'

const RECORDS = 64
const MAX_SIZE = 65_536
const LARGEST_WINDOW_BITS = 15
/** What is ours when nothing is asked for. */
const LEVEL = 3
const WINDOW_BITS = 13
const LIMIT = { level: LEVEL, windowBits: WINDOW_BITS }
const AS_OURS = { serverMaxWindowBits: WINDOW_BITS, zlibDeflateOptions: { level: LEVEL } }

type Work = (message: Buffer) => Buffer | Promise<Buffer>
/** Each makes a new state, as of a new connection. */
type Works = Readonly<Record<Program, () => Work>>

export async function deflateCases(ours: Ours, ws: Ws): Promise<Case[]> {
  const cases: Case[] = []
  for (const context of [false, true]) {
    const how = `1 KiB of JSON, ${context ? 'with context takeover' : 'each by itself'}`
    const deflate = (wsOptions: object): Works => ({
      fullduplex: () => ourDeflate(ours, context),
      ws: () => wsDeflate(ws, context, wsOptions),
      limit: () => keptDeflate(LIMIT, context),
    })
    const inflate: Works = {
      fullduplex: () => ourInflate(ours, context),
      ws: () => wsInflate(ws, context),
      limit: () => keptInflate(context),
    }
    cases.push(await deflatingCase(`deflate ${how}`, deflate({})))
    cases.push(await deflatingCase(`deflate ${how}, ws as ours`, deflate(AS_OURS)))
    cases.push(await inflatingCase(`inflate ${how}`, inflate, context))
  }
  return cases
}

function round(): Buffer[] {
  return Array.from({ length: RECORDS }, (_, seed) => record(seed))
}

async function deflatingCase(name: string, works: Works): Promise<Case> {
  const records = round()
  const ways: Partial<Record<Program, Way>> = {}
  for (const program of PROGRAMS) {
    const work = works[program]()
    await through(work, records)
    const octets = Math.round(Buffer.concat(await through(work, records)).length / RECORDS)
    const result = async (): Promise<unknown> => {
      const inflate = keptInflate(true)
      return (await through(works[program](), records)).map((one) => inflate(one).toString())
    }
    ways[program] = { run: turns(records, work), result, octets }
  }
  return { group: 'deflate', name, expected: records.map(String), ways }
}

async function inflatingCase(name: string, works: Works, context: boolean): Promise<Case> {
  const records = round()
  const peer = keptDeflate({}, context)
  // What follows a round that went before says the same every time.
  const before = records.map(peer)
  const wire = records.map(peer)
  const ways: Partial<Record<Program, Way>> = {}
  for (const program of PROGRAMS) {
    const create = async (): Promise<Work> => {
      const work = works[program]()
      await through(work, before)
      return work
    }
    const result = async (): Promise<unknown> => (await through(await create(), wire)).map(String)
    ways[program] = { run: turns(wire, await create()), result }
  }
  return { group: 'deflate', name, expected: records.map(String), ways }
}

async function through(work: Work, messages: readonly Buffer[]): Promise<Buffer[]> {
  const results: Buffer[] = []
  for (const message of messages) results.push(await work(message))
  return results
}

/** One message after the other, for ever. */
function turns(messages: readonly Buffer[], work: Work): () => unknown {
  let next = 0
  return () => {
    const message = messages[next]
    next = (next + 1) % messages.length
    return work(message)
  }
}

function ourExtension({ deflate }: Ours, context: boolean): InstanceType<Ours['deflate']['PerMessageDeflate']> {
  const takeover = { serverNoContextTakeover: !context, clientNoContextTakeover: !context }
  const settings = deflate.deflateSettings(takeover)
  if (settings === undefined) throw new Error('there are no settings')
  const bits = { serverMaxWindowBits: LARGEST_WINDOW_BITS, clientMaxWindowBits: LARGEST_WINDOW_BITS }
  return new deflate.PerMessageDeflate({ ...takeover, ...bits }, settings, 'server')
}

function ourDeflate(ours: Ours, context: boolean): Work {
  const extension = ourExtension(ours, context)
  // All records can be made smaller.
  return (message) => extension.compress(message) as Buffer
}

function ourInflate(ours: Ours, context: boolean): Work {
  const extension = ourExtension(ours, context)
  return (message) => extension.decompress(message, MAX_SIZE)
}

function wsExtension(ws: Ws, context: boolean, options: object): WsDeflate {
  const extension = new ws.PerMessageDeflate({ isServer: true, maxPayload: MAX_SIZE, ...options })
  extension.accept([context ? {} : { server_no_context_takeover: [true], client_no_context_takeover: [true] }])
  return extension
}

function wsDeflate(ws: Ws, context: boolean, options: object): Work {
  const extension = wsExtension(ws, context, options)
  return (message) => settled((done) => extension.compress(message, true, done))
}

function wsInflate(ws: Ws, context: boolean): Work {
  const extension = wsExtension(ws, context, {})
  return (message) => settled((done) => extension.decompress(message, true, done))
}

function settled(start: (done: (error: Error | null, result: Buffer) => void) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })
}
