/**
 * The smoke test, tried on small programs that behave, and on programs that each break one thing: it must notice every one.
 * The programs speak WebSocket through the ws package, so that the smoke test is not proved by what it is there to prove.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { smoke } from '../../scripts/smoke.ts'

const ws = fileURLToPath(new URL('../../node_modules/ws/wrapper.mjs', import.meta.url))

const program = `
import { createServer } from 'node:http'
import { WebSocketServer } from ${JSON.stringify(ws)}
const broken = process.argv[2]
if (broken === 'dies') process.exit(3)
const server = createServer((request, response) => {
  response.writeHead(broken === 'page' ? 404 : 200).end('<!doctype html><html></html>')
})
const sockets = new WebSocketServer({ server, path: '/chat', autoPong: broken !== 'pong' })
if (broken === 'accept') sockets.on('headers', (fields) => {
  for (const [at, field] of fields.entries()) fields[at] = field.replace('s3pP', 'S3pP')
})
if (broken === 'hangs-up') sockets.on('connection', (socket) => socket.terminate())
server.listen(Number(process.env.PORT), '127.0.0.1', () => {
  if (broken === 'silent') return
  console.log('The chat is open: http://127.0.0.1:' + server.address().port + '/')
})
if (broken === 'immortal') process.on('SIGTERM', () => {})
else if (broken !== 'careless') process.once('SIGTERM', () => process.exit(broken === 'code' ? 2 : 0))
`

describe('smoke', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fullduplex-smoke-'))
    writeFileSync(join(folder, 'program.mjs'), program)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function run(broken: string, timeout = 10_000): Promise<void> {
    const command = [process.execPath, join(folder, 'program.mjs'), broken] as const
    return smoke({ command, cwd: folder, resourceName: '/chat', timeout })
  }

  it.concurrent('passes a program that serves a page and WebSocket and ends on SIGTERM with 0', async () => {
    await expect(run('nothing')).resolves.toBeUndefined()
  })

  it.concurrent.each([
    ['dies', /ended with 3 before it was told to|printed no URL/],
    ['page', 'answered 404 and no page'],
    ['accept', 'without the accept value of the sample key'],
    ['hangs-up', /ended before a Pong came|ECONNRESET/],
    ['code', 'the program ended with 2 on SIGTERM instead of 0'],
    ['careless', 'the program ended with SIGTERM on SIGTERM instead of 0'],
  ])('notices a program that is broken: %s', async (broken, message) => {
    await expect(run(broken)).rejects.toThrow(message)
  })

  it.concurrent.each(['silent', 'pong', 'immortal'])(
    'gives up on a program that keeps it waiting: %s',
    async (broken) => {
      await expect(run(broken, 2_000)).rejects.toThrow(/took too long|aborted/)
    },
  )

  it.concurrent('notices a program that cannot be started', async () => {
    const command = [join(folder, 'absent')] as const
    await expect(smoke({ command, resourceName: '/chat', timeout: 10_000 })).rejects.toThrow('ENOENT')
  })

  it.concurrent('notices that nothing takes handshakes at the resource name', async () => {
    const command = [process.execPath, join(folder, 'program.mjs'), 'nothing'] as const
    await expect(smoke({ command, resourceName: '/elsewhere', timeout: 10_000 })).rejects.toThrow(
      'the handshake was answered HTTP/1.1 400 Bad Request',
    )
  })
})
