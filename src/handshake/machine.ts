/**
 * The grammar of an HTTP/1.1 head as a table: a state and the class of a byte give the next state (RFC 9112 2.1).
 * Whatever is not listed is refused, and nothing is ever repaired: lines end with CR LF and nothing else, no line is folded,
 * no whitespace stands before a colon, one space separates the parts of a start line.
 *
 * A state is the number of its row times the number of classes, so that the next state is `NEXT[state + classOfByte]`. The states of a run come first: when one of them is left, a part of the head has ended there.
 */

import { BYTE_CLASSES, ByteClass } from './grammar.ts'

export const State = {
  Method: 0,
  Target: 10,
  RequestVersion: 20,
  ResponseVersion: 30,
  Status: 40,
  Reason: 50,
  Name: 60,
  Value: 70,
  /** Before a request: its method or one empty line. */
  Start: 80,
  EmptyLine: 90,
  MethodStart: 100,
  TargetStart: 110,
  /** The CR of a line was read. */
  LineEnd: 120,
  FieldStart: 130,
  /** The CR of the empty line behind the fields was read. */
  HeadEnd: 140,
  Done: 150,
  Refused: 160,
} as const

/** States up to this one are runs of bytes whose end is worth remembering. */
export const LAST_RUN: number = State.Value

const { LineFeed, CarriageReturn, Tab, Space, Opaque, Delimiter, Colon, Digit, Token } = ByteClass
const TOKEN = [Digit, Token]
const VISIBLE = [Delimiter, Colon, ...TOKEN]
const TEXT = [Tab, Space, Opaque, ...VISIBLE]

const transitions: ReadonlyArray<readonly [from: number, on: readonly number[], to: number]> = [
  // RFC 9112 2.2: a server ignores at least one empty line before the request line. We ignore one.
  [State.Start, [CarriageReturn], State.EmptyLine],
  [State.EmptyLine, [LineFeed], State.MethodStart],

  // RFC 9112 3: request-line = method SP request-target SP HTTP-version
  [State.Start, TOKEN, State.Method],
  [State.MethodStart, TOKEN, State.Method],
  [State.Method, TOKEN, State.Method],
  [State.Method, [Space], State.TargetStart],
  [State.TargetStart, VISIBLE, State.Target],
  [State.Target, VISIBLE, State.Target],
  [State.Target, [Space], State.RequestVersion],
  [State.RequestVersion, VISIBLE, State.RequestVersion],
  [State.RequestVersion, [CarriageReturn], State.LineEnd],

  // RFC 9112 4: status-line = HTTP-version SP status-code SP [ reason-phrase ]
  [State.ResponseVersion, VISIBLE, State.ResponseVersion],
  [State.ResponseVersion, [Space], State.Status],
  [State.Status, [Digit], State.Status],
  [State.Status, [Space], State.Reason],
  [State.Reason, TEXT, State.Reason],
  [State.Reason, [CarriageReturn], State.LineEnd],

  // RFC 9112 5: field-line = field-name ":" OWS field-value OWS
  [State.LineEnd, [LineFeed], State.FieldStart],
  [State.FieldStart, TOKEN, State.Name],
  [State.Name, TOKEN, State.Name],
  [State.Name, [Colon], State.Value],
  [State.Value, TEXT, State.Value],
  [State.Value, [CarriageReturn], State.LineEnd],

  // RFC 9112 2.1: an empty line ends the head.
  [State.FieldStart, [CarriageReturn], State.HeadEnd],
  [State.HeadEnd, [LineFeed], State.Done],
]

/** The next state for a state plus the class of a byte. */
export const NEXT: Uint8Array = new Uint8Array(State.Refused + BYTE_CLASSES).fill(State.Refused)
for (const [from, on, to] of transitions) for (const byteClass of on) NEXT[from + byteClass] = to

const START_LINE = [
  'RFC 9112 3, 4',
  'The start line is malformed: send "method SP request-target SP HTTP-version" in a request, ' +
    '"HTTP-version SP status-code SP reason-phrase" in a response.',
] as const

const explanations = new Map<number, readonly [section: string, message: string]>([
  [State.Name, ['RFC 9112 5.1', 'A field name must be a token with a colon directly behind it.']],
  [State.Value, ['RFC 9110 5.5', 'A field value must hold no control character, and its line must end with CR LF.']],
  [
    State.FieldStart,
    ['RFC 9112 5.2', 'A field line must begin with its name: folded lines and leading whitespace are refused.'],
  ],
  [State.EmptyLine, ['RFC 9112 2.2', 'A CR must be followed by LF.']],
  [State.LineEnd, ['RFC 9112 2.2', 'A CR must be followed by LF.']],
  [State.HeadEnd, ['RFC 9112 2.2', 'A CR must be followed by LF.']],
])

/** The section and the sentence for a byte that was refused in `state`. Fixed texts: they may be sent to the peer. */
export function explain(state: number): readonly [section: string, message: string] {
  return explanations.get(state) ?? START_LINE
}
