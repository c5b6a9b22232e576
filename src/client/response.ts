/** The server's answer to the opening handshake (RFC 6455 4.1): 101 is checked in full, any other answer refuses. */
import { readAnswer } from '../deflate/index.ts'
import type { HandshakeError } from '../errors.ts'
import { checkResponse, unexpectedResponse } from '../handshake/index.ts'
import type { Agreement, ExpectedResponse, ResponseHead } from '../handshake/index.ts'
import { AnswerReader } from './answer.ts'

export class ResponseReader extends AnswerReader<Agreement> {
  readonly #expected: ExpectedResponse

  constructor(expected: ExpectedResponse) {
    super()
    this.#expected = expected
  }

  protected accept(head: ResponseHead): Agreement | undefined {
    if (head.status !== 101) return undefined
    const agreement = checkResponse(head, this.#expected)
    // Item 5 again: an extension is known by its parameters, too.
    void readAnswer(agreement.extensions)
    return agreement
  }

  protected refuse(head: ResponseHead, body: Buffer): HandshakeError {
    return unexpectedResponse(head, body)
  }
}
