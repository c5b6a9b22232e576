/** The WebSocket that Node has as a global. */
import { keepBusy, standard } from './traffic.ts'

const { WebSocket } = globalThis as unknown as { readonly WebSocket: new (url: string) => unknown }
keepBusy(standard(WebSocket))
