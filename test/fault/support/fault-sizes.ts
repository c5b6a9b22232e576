/**
 * How much of each fault there is. `npm test` has enough to find what is broken in general; `npm run faults` sets
 * FULLDUPLEX_FAULTS=full, for what happens once in a thousand times (docs/faults.md).
 */
const full = process.env['FULLDUPLEX_FAULTS'] === 'full'

/** Which scripts are played, where somebody has asked for some: one seed, or so many. */
const seed = process.env['FULLDUPLEX_FAULT_SEED']
const scripts = process.env['FULLDUPLEX_FAULT_SCRIPTS']

export const sizes = {
  /** Scripts that the proxy plays, the first of them with this seed. */
  scripts: Number(seed === undefined ? (scripts ?? (full ? 100_000 : 400)) : (scripts ?? 1)),
  seed: Number(seed ?? Math.floor(Math.random() * 1_000_000_000)),
  /** Every so many octets of the handshake of TLS its transport is cut. */
  tlsStep: full ? 1 : 97,
  /** Processes that are killed, and connections that each of them has. */
  killed: full ? 20 : 3,
  connectionsOfKilled: 50,
  /** Milliseconds for which a process is stopped. */
  stopped: full ? 20_000 : 2000,
  /** Intervals and time-outs of heartbeats in milliseconds: those that a server has unless told otherwise, or short ones. */
  heartbeat: full ? { interval: 30_000, timeout: 30_000 } : { interval: 500, timeout: 500 },
  /**
   * A slow link: its rate, the octets that go over it in one message and take longer than the heartbeat waits, and a time-out
   * in which the rate empties the buffer that the operating system has for a connection.
   */
  slow: full
    ? { rate: '64kbit', octets: 1_000_000, interval: 30_000, timeout: 30_000 }
    : { rate: '512kbit', octets: 500_000, interval: 500, timeout: 3000 },
  /** Peers that read or write an octet now and then, and for how many milliseconds. */
  slowPeers: full ? 1000 : 200,
  slowness: full ? 60_000 : 3000,
} as const
