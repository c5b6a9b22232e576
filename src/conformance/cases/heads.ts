/** Changes to a head of the tester's own: the words in which the cases of 20 and 21 are written. */

import { readHead } from '../head.ts'

/** The fields of a request that has nothing but what it needs. */
export const NAMES = {
  host: 'Host',
  upgrade: 'Upgrade',
  connection: 'Connection',
  key: 'Sec-WebSocket-Key',
  version: 'Sec-WebSocket-Version',
} as const

/** The head without the field `name`. */
export function without(name: string): (usual: string) => string {
  return (usual) => withLine(usual, name, '')
}

/** The head with another value for the field `name`. */
export function replace(name: string, value: string): (usual: string) => string {
  return (usual) => withLine(usual, name, `${name}: ${value}\r\n`)
}

function withLine(head: string, name: string, line: string): string {
  const begin = head.indexOf(`\r\n${name}: `) + 2
  return `${head.slice(0, begin)}${line}${head.slice(head.indexOf('\r\n', begin) + 2)}`
}

/** The head with one more line at its end, or several. */
export function add(lines: string): (usual: string) => string {
  return (usual) => `${usual.slice(0, -2)}${lines}\r\n\r\n`
}

/** The value of a field, empty where there is none. */
export function valueOf(head: string, name: string): string {
  return readHead(head)?.fields.get(name.toLowerCase()) ?? ''
}
