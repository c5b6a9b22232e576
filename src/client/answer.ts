/**
 * An answer of HTTP as its bytes come, whether a server's to the opening handshake or a proxy's to CONNECT: interim
 * responses are passed over, what was asked for is checked by the subclass, and of any other answer the first octets of the
 * body are kept for whoever wants to know.
 */
import { HandshakeError } from '../errors.ts'
import { BodyReader, HeadReader } from '../handshake/index.ts'
import type { ResponseHead } from '../handshake/index.ts'

/** Octets kept of the body of a refusal. */
const MAX_BODY = 65_536
/** Interim responses (RFC 9110 15.2) that may come before the answer. */
const MAX_INTERIM = 8

/** What was made of an answer, and what came behind its head: it belongs to whatever follows. */
export type Answered<T> = T & { readonly rest: Buffer }

export abstract class AnswerReader<T extends object> {
  #reader = new HeadReader('response')
  #interim = 0
  /** An answer that is none of those asked for, while its body is read. */
  #refusal: { head: ResponseHead; body: BodyReader } | undefined = undefined

  /** What a head is worth, or `undefined` if it is not what was asked for. Throws a `HandshakeError` if it is wrong. */
  protected abstract accept(head: ResponseHead): T | undefined

  /** The error for an answer that is not what was asked for. */
  protected abstract refuse(head: ResponseHead, body: Buffer): HandshakeError

  /** Answers what was made of the answer, or `undefined` when more is needed. Throws a `HandshakeError` for a refusal. */
  take(chunk: Buffer): Answered<T> | undefined {
    let rest = chunk
    while (this.#refusal === undefined) {
      const end = this.#reader.read(rest)
      if (end < 0) return undefined
      rest = rest.subarray(end)
      const { head } = this.#reader
      const accepted = this.accept(head)
      if (accepted !== undefined) return { ...accepted, rest }
      if (head.status >= 200) this.#refusal = { head, body: new BodyReader(head, MAX_BODY) }
      else this.#skipInterim()
    }
    const { head, body } = this.#refusal
    if (body.take(rest)) throw this.refuse(head, body.body)
    return undefined
  }

  /** Why nothing came of it, when nothing more is going to come: the refusal if there was one, else `error`. */
  failure(error: HandshakeError): HandshakeError {
    return this.#refusal === undefined ? error : this.refuse(this.#refusal.head, this.#refusal.body.body)
  }

  #skipInterim(): void {
    if (++this.#interim > MAX_INTERIM) {
      const message = `More than ${MAX_INTERIM} interim responses came before the answer`
      throw new HandshakeError('ERR_WS_BAD_RESPONSE', message, { section: 'RFC 9110 15.2' })
    }
    this.#reader = new HeadReader('response')
  }
}
