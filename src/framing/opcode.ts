/**
 * Opcodes (RFC 6455 5.2, 11.8).
 *
 *     0 continuation   1 text   2 binary   3-7 reserved for data frames
 *     8 close          9 ping   A pong     B-F reserved for control frames
 *
 * The fourth bit separates the two families: data frames make up messages and may be fragmented, control frames
 * (5.5) speak about the connection and may not.
 */

/** The opcodes that RFC 6455 defines, by name. */
export const Opcode = {
  Continuation: 0x0,
  Text: 0x1,
  Binary: 0x2,
  Close: 0x8,
  Ping: 0x9,
  Pong: 0xa,
} as const

/** One of them. */
export type Opcode = (typeof Opcode)[keyof typeof Opcode]

/** Whether an opcode, known or reserved, is that of a control frame (5.5). */
export function isControl(opcode: number): boolean {
  return (opcode & 0x8) !== 0
}

/** Whether an opcode, known or reserved, is that of a data frame (5.6). */
export function isData(opcode: number): boolean {
  return (opcode & 0x8) === 0
}

/** Whether RFC 6455 defines the opcode; all others are reserved (5.2). */
export function isKnown(opcode: number): boolean {
  return (opcode & 0x7) <= 2
}
