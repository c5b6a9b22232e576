/**
 * A server that is not right in one way, its first argument: what loads it has to notice. It runs with the probe, as any server of
 * the user's.
 */
import { serve } from '../../../src/index.ts'

const [fault] = process.argv.slice(2)
const EVERY = 300
const KEPT = 100_000

const kept: unknown[] = []
let count = 0

const server = await serve({
  host: '127.0.0.1',
  port: 0,
  open() {
    if (fault === 'keeps memory of connections') kept.push(Buffer.alloc(KEPT, 1))
    if (fault === 'keeps timers of connections') kept.push(setInterval(() => {}, 100_000))
  },
  message(ws, data) {
    const first = typeof data === 'string' ? data[0] : String.fromCharCode(data[0])
    if (first === 'C') return void ws.close(1000)
    if (first === 'B') return void server.broadcast(data)
    if (fault === 'keeps messages') kept.push(data, Buffer.alloc(4000, 1))
    if (++count % EVERY === 0) {
      if (fault === 'loses messages') return
      if (fault === 'doubles messages') ws.send(data)
      if (fault === 'changes octets') return void ws.send(changed(data))
      if (fault === 'changes types') return void ws.send(data, { binary: typeof data === 'string' })
      if (fault === 'ends connections') return ws.terminate()
      if (fault === 'ends') process.exit(3)
    }
    ws.send(data)
  },
})

/** The last octet is another one. */
function changed(data: string | Buffer): string | Buffer {
  if (typeof data === 'string') return `${data.slice(0, -1)}~`
  const copy = Buffer.from(data)
  copy[copy.length - 1] ^= 1
  return copy
}

console.log(`ws://127.0.0.1:${server.port}`)
