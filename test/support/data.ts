/** What can be sent besides strings, and what cannot. */

type MakeView = (memory: ArrayBuffer, offset: number, length: number) => ArrayBufferView

function typed(
  View: new (memory: ArrayBuffer, offset: number, length: number) => ArrayBufferView,
  size: number,
): MakeView {
  return (memory, offset, length) => new View(memory, offset, length / size)
}

/** Every kind of view, made over `length` octets at `offset`. */
export const VIEWS: readonly (readonly [name: string, make: MakeView])[] = [
  ['Buffer', (memory, offset, length) => Buffer.from(memory, offset, length)],
  ['Uint8Array', typed(Uint8Array, 1)],
  ['Int8Array', typed(Int8Array, 1)],
  ['Uint8ClampedArray', typed(Uint8ClampedArray, 1)],
  ['Uint16Array', typed(Uint16Array, 2)],
  ['Int16Array', typed(Int16Array, 2)],
  ['Uint32Array', typed(Uint32Array, 4)],
  ['Int32Array', typed(Int32Array, 4)],
  ['Float32Array', typed(Float32Array, 4)],
  ['Float64Array', typed(Float64Array, 8)],
  ['BigInt64Array', typed(BigInt64Array, 8)],
  ['BigUint64Array', typed(BigUint64Array, 8)],
  ['DataView', typed(DataView, 1)],
]

/** What somebody may try to send, and must hear of at once. */
export const NOT_DATA: readonly (readonly [name: string, value: unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 1000],
  ['NaN', Number.NaN],
  ['a bigint', 5n],
  ['a boolean', true],
  ['a symbol', Symbol('s')],
  ['a function', () => 'text'],
  ['an object', {}],
  ['an array of octets', [1, 2, 3]],
  ['an object with a length', { length: 3, 0: 1, 1: 2, 2: 3 }],
  ['an object with a byteLength', { byteLength: 3, buffer: new ArrayBuffer(3), byteOffset: 0 }],
  ['a String object', new String('text')],
  ['an object with toString', { toString: () => 'text' }],
  ['a Date', new Date(0)],
  ['a Map', new Map()],
  ['a promise', Promise.resolve('text')],
  ['a Blob', new Blob(['text'])],
]

/** Octets of the memory that Node shares among small Buffers: 8 KiB, and from Node 26 on 64 KiB and a little more. */
export const NODE_POOL: number = Buffer.from([0]).buffer.byteLength
