/** What one end of a connection has heard of its end, and what came of what it had been promised. */
import { expect } from 'vitest'
import type { CloseInfo, Connection, ConnectionHandler } from '../../../src/index.ts'

type Ended = Pick<Connection, 'bufferedAmount' | 'closed' | 'readyState' | 'sendStream'>

export class Witness {
  readonly infos: CloseInfo[] = []
  readonly errors: Error[] = []
  readonly settled: string[] = []
  ws: Ended | undefined = undefined
  promised: readonly Promise<unknown>[] = []

  readonly handler: ConnectionHandler<Ended> = {
    message() {},
    error: (_, error) => void this.errors.push(error),
    close: (_, info) => void this.infos.push(info),
  }

  /** Whatever can be waited for: a message that is not over, the queue behind it, and the end. */
  expectMuch(ws: Ended): void {
    this.ws = ws
    const never = (async function* () {
      yield 'begun'
      await new Promise(() => {})
    })()
    this.promised = [ws.sendStream(never), ws.closed]
    for (const promise of this.promised) {
      const settle = (): void => void this.settled.push('settled')
      promise.then(settle, settle)
    }
  }
}

/** That a transport has gone and left nothing; `code` is that of the Close frame, if one came whole. */
export async function expectEnded(witness: Witness, where: unknown, code = 1006): Promise<void> {
  const { ws, promised, infos, errors, settled } = witness
  await Promise.allSettled(promised)
  expect({ where, codes: infos.map((info) => info.code) }).toEqual({ where, codes: [code] })
  expect([ws?.readyState, ws?.bufferedAmount, settled.length]).toEqual([3, 0, promised.length])
  expect(errors.length).toBeLessThanOrEqual(1)
  expect(infos[0].wasClean && code === 1006).toBe(false)
}
