/**
 * The server's answer to the opening handshake (RFC 6455 4.1), as its bytes come: interim responses are passed over, 101
 * is checked, and of any other answer the first octets of the body are kept for whoever wants to know.
 */
import { readAnswer } from '../deflate/index.ts'
import { HandshakeError } from '../errors.ts'
import { BodyReader, HeadReader, checkResponse, unexpectedResponse } from '../handshake/index.ts'
import type { Agreement, ExpectedResponse, ResponseHead } from '../handshake/index.ts'

/** Octets kept of the body of an answer other than 101. */
const MAX_BODY = 65_536
/** Interim responses (RFC 9110 15.2) that a server may send before its answer. */
const MAX_INTERIM = 8

export interface Opened extends Agreement {
  /** What the server sent behind its answer: frames already. */
  readonly rest: Buffer
}

export class ResponseReader {
  readonly #expected: ExpectedResponse
  #reader = new HeadReader('response')
  #interim = 0
  /** An answer other than 101, while its body is read. */
  #refusal: { head: ResponseHead; body: BodyReader } | undefined = undefined

  constructor(expected: ExpectedResponse) {
    this.#expected = expected
  }

  /** Answers what was agreed upon, or `undefined` when more is needed. Throws a `HandshakeError` for any other answer. */
  take(chunk: Buffer): Opened | undefined {
    let rest = chunk
    while (this.#refusal === undefined) {
      const end = this.#reader.read(rest)
      if (end < 0) return undefined
      rest = rest.subarray(end)
      const { head } = this.#reader
      if (head.status === 101) return { ...this.#check(head), rest }
      if (head.status >= 200) this.#refusal = { head, body: new BodyReader(head, MAX_BODY) }
      else this.#skipInterim()
    }
    const { head, body } = this.#refusal
    if (body.take(rest)) throw unexpectedResponse(head, body.body)
    return undefined
  }

  /** Why there is no connection, when nothing more is going to come: the server's answer if it gave one, else `error`. */
  failure(error: HandshakeError): HandshakeError {
    return this.#refusal === undefined ? error : unexpectedResponse(this.#refusal.head, this.#refusal.body.body)
  }

  #check(head: ResponseHead): Agreement {
    const agreement = checkResponse(head, this.#expected)
    // Item 5 again: an extension is known by its parameters, too.
    void readAnswer(agreement.extensions)
    return agreement
  }

  #skipInterim(): void {
    if (++this.#interim > MAX_INTERIM) {
      const message = `The server sent more than ${MAX_INTERIM} interim responses`
      throw new HandshakeError('ERR_WS_BAD_RESPONSE', message, { section: 'RFC 9110 15.2' })
    }
    this.#reader = new HeadReader('response')
  }
}
