/** The inner parts of other implementations that are driven here, for which nobody else has written types. */

declare module 'undici/lib/web/websocket/receiver.js' {
  import type { Writable } from 'node:stream'

  export const ByteParser: new (
    handler: object,
    extensions: Map<string, unknown>,
    options: { readonly maxFragments: number; readonly maxPayloadSize: number },
  ) => Writable & {
    consume(octets: number): Buffer
    /** Of a Close that it took. */
    readonly closingInfo?: { readonly code?: number; readonly reason: string; readonly error: boolean }
  }
}

declare module 'undici/lib/web/websocket/connection.js' {
  export function failWebsocketConnection(handler: object, code: number, reason: string): void
}

declare module 'undici/lib/web/websocket/util.js' {
  /** Throws for what is not UTF-8. */
  export function utf8Decode(octets: Buffer): string
}
