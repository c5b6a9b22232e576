/**
 * What the load is told, and what it tells. It is told a plan for a server, and reports. Or it is told a plan for a client, tells the
 * URL where it listens, is told the client's process, and reports.
 */
import type { ClientScenario, Scenario } from '../scenarios.ts'

export interface Timing {
  /** Seconds of traffic before the window, and in it. */
  readonly warmUp: number
  readonly seconds: number
  /** Messages before the window, if they take no longer than a few times the warm-up. */
  readonly warmUpMessages?: number
}

export interface Plan extends Timing {
  readonly role: 'server'
  readonly scenario: Scenario
  readonly url: string
  /** The program that is measured, as a process. */
  readonly pid: number
  /**
   * How well replies are checked before anything is measured: `all` in every octet, each message unlike every other; `same` in every
   * octet, all messages alike, for a program whose replies are prepared.
   */
  readonly check: 'all' | 'same'
  /** `latency`: at the scenario's rate, whether replies come or not. */
  readonly measure: 'cost' | 'latency'
}

export interface ClientPlan extends Timing {
  readonly role: 'client'
  readonly scenario: ClientScenario
}

/** What is told and asked between the two plans. */
export interface Listening {
  readonly url: string
}
export interface Started {
  readonly pid: number
}

export interface CostReport {
  /** Messages, deliveries or connections in the window. */
  readonly count: number
  readonly seconds: number
  /** Seconds of CPU time in the window, of both sides. */
  readonly program: number
  readonly load: number
  /** The same, of all else that the machine did. */
  readonly others: number
  /** Octets of the replies' payloads. */
  readonly octets: number
}

export interface LatencyReport {
  readonly planned: number
  readonly answered: number
  readonly seconds: number
  /** Microseconds. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

export interface Report {
  readonly cost?: CostReport
  readonly latency?: LatencyReport
  /** Octets of resident memory for a connection. */
  readonly memory?: number
  /** What the program did wrong. */
  readonly wrong?: string
  /** What the program does not do, so that the scenario is not for it. */
  readonly unable?: string
}

/** What the program did is not what the protocol or the scenario's mode asks for. */
export class WrongReply extends Error {}

/** The program lets the scenario be, as the protocol allows. */
export class Unable extends Error {}
