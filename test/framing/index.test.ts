/** The names that the sans-I/O core of frames is known by from outside. */
import { expect, it } from 'vitest'
import * as framing from '../../src/framing/index.ts'

it('framing exports these names and no others', () => {
  expect(Object.keys(framing).toSorted()).toEqual([
    'CloseCode',
    'FrameDecoder',
    'FrameHeader',
    'FrameList',
    'MAX_REASON_LENGTH',
    'MessageAssembler',
    'Opcode',
    'RSV1',
    'Utf8Validator',
    'applyMask',
    'applyMaskPlain',
    'checkFrameHeader',
    'checkPart',
    'checkText',
    'createMaskingKey',
    'encodeFrame',
    'frameHeaderLength',
    'frameHeaderSize',
    'isControl',
    'isData',
    'isKnown',
    'isSendableCloseCode',
    'isValidUtf8',
    'readCloseBody',
    'readFrameHeader',
    'simd',
    'textOf',
    'writeCloseBody',
    'writeControl',
    'writeFragments',
    'writeFrameHeader',
    'writeMessage',
  ])
})
