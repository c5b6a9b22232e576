/**
 * What is measured, as data. A scenario is traffic: so many connections, so large messages, so many of them on their way at once.
 * A server gets to know the `mode` only.
 */

/**
 * What a server does with a message: sends it back; answers with the number of its octets, in decimal, as text; sends it to
 * all connections; sends it back with permessage-deflate. In mode `topics` a connection subscribes to as many topics as its URL says,
 * and each of its messages is published to the next of them.
 */
export type Mode = 'echo' | 'answer' | 'broadcast' | 'deflate' | 'topics'

export interface Scenario {
  readonly id: string
  readonly title: string
  readonly mode: Mode
  /**
   * `replies`: every connection sends, and sends again as replies come. `broadcast`: one connection sends, all receive.
   * `churn`: connections come and go. `idle`: they come and stay.
   */
  readonly traffic: 'replies' | 'broadcast' | 'churn' | 'idle'
  /** How many there are; for `churn`, how many at once. */
  readonly connections: number
  /** Octets of a message. */
  readonly size: number
  readonly kind: 'text' | 'binary'
  /** Messages that are on their way at once: on each connection, for `broadcast` in all. */
  readonly depth: number
  /** Whether the next messages go out together, when all replies are there, and not one for each reply. */
  readonly batch: boolean
  /** Octets of a fragment, where messages are fragmented. */
  readonly fragment?: number
  /** Topics that the one connection subscribes to. */
  readonly topics?: number
  /** Octets of further header fields in the opening handshake. */
  readonly headerOctets?: number
  /** Messages before anything is measured, however long they take: until what is compiled when it is hot is hot. */
  readonly warmUp?: number
  /** What the cost is for. */
  readonly unit: 'message' | 'delivery' | 'connection'
  /**
   * Messages (of `churn`, connections) in a second at which latency is measured: about 40 % of what `ws` was
   * able to do where the rates were chosen, so that nobody is near the limit.
   */
  readonly rate?: number
}

const echo = { mode: 'echo', traffic: 'replies', unit: 'message' } as const
const MiB = 1024 * 1024

export const scenarios: readonly Scenario[] = [
  {
    ...echo,
    id: 'S1-50',
    title: 'echo of 32 B text, 50 connections, batches of 100',
    connections: 50,
    size: 32,
    kind: 'text',
    depth: 100,
    batch: true,
    rate: 60_000,
  },
  {
    ...echo,
    id: 'S1-1',
    title: 'echo of 32 B text, 1 connection, batches of 100',
    connections: 1,
    size: 32,
    kind: 'text',
    depth: 100,
    batch: true,
    rate: 50_000,
  },
  {
    ...echo,
    id: 'S2',
    title: 'ping-pong of 32 B binary, 100 connections',
    connections: 100,
    size: 32,
    kind: 'binary',
    depth: 1,
    batch: false,
    rate: 30_000,
  },
  {
    ...echo,
    id: 'S3',
    title: 'echo of 1 KiB text, 50 connections, 10 in flight',
    connections: 50,
    size: 1024,
    kind: 'text',
    depth: 10,
    batch: false,
    rate: 30_000,
  },
  {
    ...echo,
    id: 'S4',
    title: 'echo of 1 MiB binary, 4 connections',
    connections: 4,
    size: MiB,
    kind: 'binary',
    depth: 1,
    batch: false,
    rate: 100,
  },
  {
    ...echo,
    id: 'S5',
    title: 'upload of 16 MiB binary, short answer, 2 connections',
    mode: 'answer',
    connections: 2,
    size: 16 * MiB,
    kind: 'binary',
    depth: 1,
    batch: false,
    rate: 6,
  },
  {
    ...echo,
    id: 'S5f',
    title: 'the same upload in fragments of 4 KiB',
    mode: 'answer',
    connections: 2,
    size: 16 * MiB,
    fragment: 4096,
    kind: 'binary',
    depth: 1,
    batch: false,
    rate: 6,
  },
  {
    id: 'S6',
    title: 'broadcast of 64 B text to 1,000 connections, one at a time',
    mode: 'broadcast',
    traffic: 'broadcast',
    unit: 'delivery',
    connections: 1000,
    size: 64,
    kind: 'text',
    depth: 1,
    batch: false,
    rate: 50,
  },
  {
    id: 'S6p',
    title: 'the same broadcast, 16 in flight',
    mode: 'broadcast',
    traffic: 'broadcast',
    unit: 'delivery',
    connections: 1000,
    size: 64,
    kind: 'text',
    depth: 16,
    batch: false,
  },
  {
    id: 'S7',
    title: "open and close, with a browser's request headers, 32 at once",
    mode: 'echo',
    traffic: 'churn',
    unit: 'connection',
    connections: 32,
    size: 0,
    kind: 'text',
    depth: 1,
    batch: false,
    warmUp: 4000,
    rate: 1200,
  },
  {
    id: 'S8',
    title: 'memory of an idle connection among 10,000',
    mode: 'echo',
    traffic: 'idle',
    unit: 'connection',
    connections: 10_000,
    size: 32,
    kind: 'text',
    depth: 1,
    batch: false,
  },
  {
    ...echo,
    id: 'S9',
    title: 'echo of 1 KiB JSON with permessage-deflate, 50 connections, batches of 10',
    mode: 'deflate',
    connections: 50,
    size: 1024,
    kind: 'text',
    depth: 10,
    batch: true,
    rate: 2000,
  },
]

/** The same traffic the other way round: a client sends batches, and sends again when all replies are there. */
export type ClientScenario = Pick<Scenario, 'id' | 'title' | 'connections' | 'size' | 'kind' | 'unit'> & {
  /** Messages of a batch. */
  readonly depth: number
}

export const clientScenarios: readonly ClientScenario[] = [
  {
    id: 'C1',
    title: 'client: 32 B text, 1 connection, batches of 100',
    connections: 1,
    size: 32,
    kind: 'text',
    depth: 100,
    unit: 'message',
  },
  {
    id: 'C2',
    title: 'client: ping-pong of 32 B binary, 100 connections',
    connections: 100,
    size: 32,
    kind: 'binary',
    depth: 1,
    unit: 'message',
  },
  {
    id: 'C3',
    title: 'client: 1 KiB text, 50 connections, batches of 10',
    connections: 50,
    size: 1024,
    kind: 'text',
    depth: 10,
    unit: 'message',
  },
  {
    id: 'C4',
    title: 'client: 1 MiB binary, 4 connections',
    connections: 4,
    size: MiB,
    kind: 'binary',
    depth: 1,
    unit: 'message',
  },
]

/** The scenario with fewer connections, for `--quick`: only memory needs so many that opening them takes long. */
export function quick(scenario: Scenario): Scenario {
  if (scenario.traffic !== 'idle') return scenario
  return { ...scenario, connections: 2000, title: scenario.title.replace('10,000', '2,000') }
}

/** The scenario in small, for `--smoke`: everything happens, nothing takes long. */
export function small<S extends Scenario | ClientScenario>(scenario: S): S {
  return { ...scenario, warmUp: 0, connections: Math.min(scenario.connections, scenario.connections >= 1000 ? 50 : 4) }
}
