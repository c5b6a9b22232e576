// #region security
import { serve } from 'fullduplex'

export const server = await serve({
  port: 0,
  origins: ['https://app.example'],
  maxMessageSize: 4096,
  maxFragments: 16,
  maxBufferedAmount: 256 * 1024,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 20,
  maxPendingHandshakes: 100,
  handshakeTimeout: 3000,
  closeTimeout: 2000,
  frameTimeout: 5000,
  idleTimeout: 10 * 60_000,
  heartbeat: { interval: 20_000, timeout: 10_000 },
  headLimits: { maxHeadSize: 4096, maxFields: 40 },
  message: (ws, data) => ws.send(data),
})
// #endregion
