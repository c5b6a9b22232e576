// #region core
import { FrameDecoder, MessageAssembler, encodeFrame, readFrameHeader, FrameHeader, Opcode } from 'fullduplex/framing'
import { HeadReader, acceptKey, acceptRequest, formatAcceptance } from 'fullduplex/handshake'

// The opening handshake: bytes to a head, a head to a verdict, a verdict to bytes.
export function answer(bytes: Buffer): string | undefined {
  const reader = new HeadReader('request')
  if (reader.read(bytes) === -1) return undefined // more is needed
  const verdict = acceptRequest(reader.head)
  return verdict.accepted ? formatAcceptance(verdict) : `HTTP ${verdict.status}`
}

// One header, by itself.
export function headerOf(bytes: Buffer): FrameHeader {
  const header = new FrameHeader()
  readFrameHeader(bytes, 0, header)
  return header
}

// Frames to messages, however the bytes were cut. Payloads are unmasked in place.
export function messagesOf(chunks: Iterable<Buffer>): (string | Buffer)[] {
  const messages: (string | Buffer)[] = []
  const sink = {
    message: (data: string | Buffer) => void messages.push(data),
    ping: () => {},
    pong: () => {},
    close: () => {},
  }
  const options = { role: 'client', maxMessageSize: 65_536, maxFragments: 100, text: 'string' } as const
  const decoder = new FrameDecoder(new MessageAssembler(sink, options))
  for (const chunk of chunks) decoder.decode(chunk)
  return messages
}

console.log(acceptKey('dGhlIHNhbXBsZSBub25jZQ==')) // s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
console.log(encodeFrame({ opcode: Opcode.Text, payload: 'Hello' })) // <Buffer 81 05 48 65 6c 6c 6f>
// #endregion
