/**
 * Frames, sans-I/O: bytes in, meaning out, and back (RFC 6455 sections 5 to 8).
 * @module fullduplex/framing
 */
export { CloseCode, MAX_REASON_LENGTH, isSendableCloseCode, readCloseBody, writeCloseBody } from './close.ts'
export type { CloseBody } from './close.ts'
export { FrameDecoder } from './decoder.ts'
export type { FrameSink } from './decoder.ts'
export { FrameList, RSV1, encodeFrame, writeControl, writeFragments, writeMessage } from './encoder.ts'
export type { Frame, FrameTarget } from './encoder.ts'
export { FrameHeader, frameHeaderLength, frameHeaderSize, readFrameHeader, writeFrameHeader } from './header.ts'
export { applyMask, applyMaskPlain, createMaskingKey } from './mask.ts'
export { MessageAssembler, checkPart, checkText, textOf } from './message.ts'
export { simd } from './simd.ts'
export type { Simd } from './simd.ts'
export type { ExtensionSink, MessageOptions, MessageSink, PartSink } from './message.ts'
export { Opcode, isControl, isData, isKnown } from './opcode.ts'
export { checkFrameHeader } from './rules.ts'
export type { Role } from './rules.ts'
export { Utf8Validator, isValidUtf8 } from './utf8.ts'
