/**
 * What happens on a connection, as `connect` and `serve` tell it: to people as lines, to programs as one JSON object for each
 * event. Pure; where the lines go is for the commands to say.
 */
import { closeCodeName, octetCount, visible } from '../conformance/index.ts'
import type { TappedFrame } from '../connection/index.ts'
import type { CloseInfo } from '../errors.ts'
import { hexDump } from './hex.ts'
import type { Paint } from './style.ts'
import { frameLine, keyOctets } from './wire.ts'

export type Event = {
  /** Which of a server's connections: 1, 2, 3 … */
  readonly connection?: number
} & (
  | {
      readonly type: 'open'
      /** The address of the other side. */
      readonly peer: string
      /** On a server: what was asked for. */
      readonly target?: string
      readonly protocol: string
      readonly extensions: string
    }
  | { readonly type: 'message'; readonly data: string | Buffer }
  | { readonly type: 'ping'; readonly payload: Buffer }
  /** `ms`: since the Ping that it answers, if that was one of ours. */
  | { readonly type: 'pong'; readonly payload: Buffer; readonly ms?: number | undefined }
  | { readonly type: 'frame'; readonly frame: TappedFrame }
  | { readonly type: 'close'; readonly info: CloseInfo }
  | { readonly type: 'error'; readonly message: string; readonly code?: string | undefined }
)

/** Text as a string, octets in base64, frames with all fields of their header, the masking key in hex. What is undefined is left out. */
export function eventJson(event: Event): string {
  const { type, connection } = event
  return JSON.stringify({ type, connection, ...members(event) })
}

function members(event: Event): object {
  switch (event.type) {
    case 'open': {
      const { peer, target, protocol, extensions } = event
      return { peer, target, protocol, extensions }
    }
    case 'message': {
      const { data } = event
      const binary = typeof data !== 'string'
      return { binary, data: binary ? data.toString('base64') : data }
    }
    case 'ping':
      return { payload: event.payload.toString('base64') }
    case 'pong':
      return { payload: event.payload.toString('base64'), ms: event.ms }
    case 'frame': {
      const { at, direction, fin, rsv1, rsv2, rsv3, opcode, masked, payloadLength, payload } = event.frame
      const maskingKey = event.frame.maskingKey === undefined ? null : keyOctets(event.frame.maskingKey)
      const header = { fin, rsv1, rsv2, rsv3, opcode, masked, maskingKey, payloadLength }
      return { at, direction, ...header, payload: payload.toString('base64') }
    }
    case 'close': {
      const { code, reason, wasClean, initiator } = event.info
      return { code, reason, wasClean, initiator }
    }
    default:
      return { code: event.code, message: event.message }
  }
}

/** How a message is shown: as it came, for other programs, or marked and harmless, for people. */
export interface View {
  readonly paint: Paint
  readonly raw: boolean
  /** Characters shown of a line of text; all, unless given. */
  readonly longest?: number
}

/** The event as one line or several, the last without a line break. */
export function eventLine(event: Event, view: View): string {
  const line = describe(event, view)
  return event.connection === undefined ? line : `${view.paint('magenta', `#${event.connection}`)} ${line}`
}

function describe(event: Event, view: View): string {
  const { paint } = view
  switch (event.type) {
    case 'open': {
      const { peer, target, protocol, extensions } = event
      const agreed = [
        ...(protocol === '' ? [] : [`subprotocol ${visible(protocol)}`]),
        ...(extensions === '' ? [] : [visible(extensions)]),
      ]
      const what = target === undefined ? `Connected to ${peer}` : `open from ${peer} for ${visible(target)}`
      return paint('green', [what, ...agreed].join(', '))
    }
    case 'message':
      return messageLines(event.data, view)
    case 'ping':
      return paint('dim', `Ping${payloadText(event.payload)}`)
    case 'pong':
      return paint(
        'dim',
        `Pong${payloadText(event.payload)}${event.ms === undefined ? '' : `, ${event.ms.toFixed(2)} ms`}`,
      )
    case 'frame':
      return frameLine(event.frame, paint)
    case 'close':
      return paint(event.info.wasClean ? 'green' : 'red', `Closed ${closeText(event.info)}`)
    default:
      return paint('red', visible(event.message))
  }
}

function messageLines(data: string | Buffer, { paint, raw, longest }: View): string {
  const arrow = paint('cyan', '<')
  if (typeof data !== 'string') {
    const dump = hexDump(data).join('\n')
    if (raw) return dump
    return [`${arrow} ${paint('dim', `binary, ${octetCount(data.length)}`)}`, ...(dump === '' ? [] : [dump])].join('\n')
  }
  if (raw) return data
  // A peer that could write to the terminal could write anything in anybody's name.
  return data
    .split('\n')
    .map((line, at) => `${at === 0 ? arrow : ' '} ${visible(line, longest)}`)
    .join('\n')
}

function payloadText(payload: Buffer): string {
  return payload.length === 0 ? '' : ` "${visible(payload.toString())}"`
}

/** Codes that never stand in a Close frame (7.1.5). */
const NO_CODE: ReadonlyMap<number, string> = new Map([
  [1005, 'without a code'],
  [1006, 'without a Close frame (1006)'],
])

const INITIATORS: Readonly<Record<CloseInfo['initiator'], string>> = {
  local: 'by us',
  peer: 'by the peer',
  network: 'by the network',
  timeout: 'by a deadline',
}

function closeText({ code, reason, wasClean, initiator, cause }: CloseInfo): string {
  const what = NO_CODE.get(code) ?? `with ${code} (${closeCodeName(code)})`
  const said = reason === '' ? '' : ` "${visible(reason)}"`
  const why = cause === undefined ? '' : `: ${visible(cause.message)}`
  return `${what}${said}, ${INITIATORS[initiator]}${wasClean ? '' : ', not cleanly'}${why}`
}
