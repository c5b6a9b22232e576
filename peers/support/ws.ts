/** What the peers with `ws` have in common. */
import { WebSocket } from 'ws'
import type { ClientOptions } from 'ws'
import type { Connect } from './drive.ts'
import { answer } from './echo.ts'

/** 0 means no limit. */
export const withoutLimits = { maxFragments: 0, maxPendingAutoPongs: 0 }

/** Answers every message; text comes as octets. */
export function onMessage(ws: WebSocket, message: Parameters<Connect>[1] = answer): void {
  ws.on('error', () => {})
  ws.on('message', (data: Buffer, isBinary) => message(ws, isBinary ? data : data.toString()))
}

export function connectWith(options: ClientOptions): Connect {
  return (url, message) =>
    new Promise((resolve) => {
      const ws = new WebSocket(url, options)
      onMessage(ws, message)
      ws.on('close', () => resolve())
    })
}
