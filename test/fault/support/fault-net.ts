/**
 * A network of two hosts in network namespaces (Linux, root, `ip` and `tc` of iproute2), with a cable between them that can be
 * cut, or made slow. Nothing of it is seen outside, and it goes with the test that asked for it.
 */
import { spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import { onTestFinished } from 'vitest'

export type Host = 'left' | 'right'

let count = 0

export class FaultNet {
  readonly #name = `fault-${process.pid}-${++count}`

  /** Throws with what `ip` had to say when there can be none. */
  static create(): FaultNet {
    const net = new FaultNet()
    onTestFinished(() => net.remove())
    net.#build()
    return net
  }

  /** Why there can be none here; `undefined` when there can be. */
  static get missing(): string | undefined {
    const net = new FaultNet()
    try {
      net.#build()
      net.slow('left', '64kbit')
      return undefined
    } catch (error) {
      return (error as Error).message
    } finally {
      net.remove()
    }
  }

  /** For documentation (RFC 5737), so that they can be nobody else's. */
  address(host: Host): string {
    return host === 'left' ? '192.0.2.1' : '192.0.2.2'
  }

  /** What starts a process on `host`. */
  on(host: Host): string[] {
    return ['ip', 'netns', 'exec', this.#space(host)]
  }

  /** What `host` sends is swallowed from now on, without a word to it or to anybody. */
  blackHole(host: Host): void {
    const other = host === 'left' ? 'right' : 'left'
    this.#ip(host, 'route', 'add', 'blackhole', `${this.address(other)}/32`)
  }

  /** The cable is pulled out of `host`. */
  unplug(host: Host): void {
    this.#ip(host, 'link', 'set', 'cable', 'down')
  }

  /**
   * What `host` sends leaves at so many bits per second, and up to a second late; what is more is dropped. Its system keeps
   * at most 64 KiB for a connection, as that is gone in a time that a test has.
   */
  slow(host: Host, rate: string): void {
    const how = ['rate', rate, 'burst', '3000', 'latency', '1s']
    run('tc', '-n', this.#space(host), 'qdisc', 'add', 'dev', 'cable', 'root', 'tbf', ...how)
    const [command, ...words] = this.on(host)
    run(command, ...words, 'sh', '-c', 'echo 4096 16384 65536 > /proc/sys/net/ipv4/tcp_wmem')
  }

  remove(): void {
    for (const host of ['left', 'right'] as const) attempt('ip', 'netns', 'delete', this.#space(host))
  }

  #build(): void {
    run('ip', 'netns', 'add', this.#space('left'))
    run('ip', 'netns', 'add', this.#space('right'))
    this.#ip('left', 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', this.#space('right'))
    for (const host of ['left', 'right'] as const) {
      this.#ip(host, 'address', 'add', `${this.address(host)}/24`, 'dev', 'cable')
      this.#ip(host, 'link', 'set', 'cable', 'up')
    }
  }

  #ip(host: Host, ...words: readonly string[]): void {
    run('ip', '-n', this.#space(host), ...words)
  }

  #space(host: Host): string {
    return `${this.#name}-${host}`
  }
}

function attempt(command: string, ...words: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(command, words, { encoding: 'utf8' })
}

function run(command: string, ...words: readonly string[]): void {
  const { status, stderr, error } = attempt(command, ...words)
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error?.message ?? stderr.trim()}`)
}
