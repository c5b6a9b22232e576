/** How the proxies are set up: three ports of theirs, and where each leads to. */
import type { CertificateFiles } from '../support/certificates.ts'

export interface Setting {
  readonly folder: string
  readonly certificates: CertificateFiles
  /** Ports of our server, over TCP and over TLS. */
  readonly backends: { readonly plain: number; readonly secure: number }
  /** Ports of the proxy: without TLS; TLS that ends there; TLS there, and again to our server. */
  readonly ports: { readonly plain: number; readonly ends: number; readonly through: number }
  /** Seconds of silence after which the proxy ends a connection. */
  readonly idle: number
}

export interface Proxy {
  readonly name: string
  /** Where Debian has it. */
  readonly path: string
  readonly package: string
  /** Arguments that make it print its version, and where that is. */
  readonly version: { readonly args: readonly string[]; readonly pattern: RegExp }
  /** The text of its configuration. */
  configure(setting: Setting): string
  /** Arguments for a process that stays in the foreground. */
  args(file: string): string[]
}
