/**
 * What every peer does with a message: sends it back, unless it is one of the two commands that the kit has for peers.
 * Runs in Node, Bun and Deno.
 */

/** A connection, as far as a peer needs it; without `ping` where the library cannot send one. */
export interface Link {
  send(data: string | Uint8Array): unknown
  close(code?: number, reason?: string): unknown
  ping?(payload: string): unknown
}

/** Octets that a peer lets a message have: the kit's largest has 16 MiB. */
export const LARGEST_MESSAGE: number = 32 * 1024 * 1024

/** Octets that a peer lets wait to be sent, for libraries that give up a connection where more do. */
export const LARGEST_QUEUE: number = 4 * LARGEST_MESSAGE

export function answer(link: Link, message: string | Uint8Array): void {
  if (typeof message !== 'string' || !obey(link, message)) link.send(message)
}

/** Carries out `fullduplex close [CODE [REASON]]` and `fullduplex ping PAYLOAD`; answers whether it was one of them. */
function obey(link: Link, message: string): boolean {
  const [, command, words = ''] = /^fullduplex (close|ping)(?: (.*))?$/s.exec(message) ?? []
  try {
    if (command === 'close') closeAs(link, words)
    else if (command === 'ping' && link.ping) link.ping(words)
    else return false
    return true
  } catch {
    // Some close with few codes only, as browsers do; whoever cannot do what is asked sends the message back.
    return false
  }
}

function closeAs(link: Link, words: string): void {
  const [code, ...reason] = words.split(' ')
  if (code === '') link.close()
  else link.close(Number(code), reason.join(' '))
}
