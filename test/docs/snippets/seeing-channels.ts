// #region seeing-channels
import { subscribe } from 'node:diagnostics_channel'
import type { DiagnosticsMessages } from 'fullduplex'

/** Tells how connections end, and how far their peers are away: of all servers and clients in this process. */
export function watchConnections(log: (line: string) => void): void {
  subscribe('fullduplex:close', (message) => {
    const { connection, info } = message as DiagnosticsMessages['fullduplex:close']
    log(`closed with ${info.code}, begun by: ${info.initiator}; subprotocol: ${connection.protocol || 'none'}`)
  })
  subscribe('fullduplex:pong', (message) => {
    const { roundTripTime } = message as DiagnosticsMessages['fullduplex:pong']
    if (roundTripTime !== undefined) log(`answered a Ping after ${roundTripTime.toFixed(1)} ms`)
  })
}
// #endregion
