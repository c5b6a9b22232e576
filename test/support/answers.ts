/** What a reader of an answer makes of it, however the transport cuts it. */
import { expect } from 'vitest'
import type { AnswerReader } from '../../src/client/answer.ts'
import { HandshakeError } from '../../src/errors.ts'
import { latin1 } from './heads.ts'

const OTHER = new HandshakeError('OTHER', 'Something else went wrong')

/**
 * How it went: `open`, what is said of it, and what came behind the answer; `waiting`; or the code of the error, its status
 * and body.
 */
type Outcome = readonly unknown[]

interface Taking {
  take(chunks: readonly Buffer[]): Outcome
  /** The same, whole, cut in two anywhere, and octet by octet. */
  takeEveryWay(text: string): Outcome
}

/** Each time with a reader of its own; `describe` says what there is to say of what was opened. */
export function takingBy<T extends object>(
  createReader: () => AnswerReader<T>,
  describe: (opened: T) => Outcome = () => [],
): Taking {
  const take = (chunks: readonly Buffer[]): Outcome => {
    const reader = createReader()
    for (const [index, chunk] of chunks.entries()) {
      try {
        const opened = reader.take(chunk)
        if (opened === undefined) continue
        const rest = Buffer.concat([opened.rest, ...chunks.slice(index + 1)])
        return ['open', ...describe(opened), rest.toString('latin1')]
      } catch (error) {
        return failure(error)
      }
    }
    const error = reader.failure(OTHER)
    return error === OTHER ? ['waiting'] : ['waiting', ...failure(error)]
  }
  const takeEveryWay = (text: string): Outcome => {
    const bytes = latin1(text)
    const outcome = take([bytes])
    const cuts = Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)])
    cuts.push(Array.from(bytes, (octet) => Buffer.of(octet)))
    expect(cuts.map((cut) => take(cut))).toEqual(cuts.map(() => outcome))
    return outcome
  }
  return { take, takeEveryWay }
}

function failure(error: unknown): Outcome {
  if (!(error instanceof HandshakeError)) throw error
  return [error.code, error.status, error.body?.toString('latin1')]
}
