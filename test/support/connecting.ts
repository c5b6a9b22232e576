/** Attempts of a client to connect: what they fail with, and what they leave behind. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { HandshakeError } from '../../src/errors.ts'

/** What `connecting` fails with, whatever that is. */
export function failing(connecting: Promise<unknown>): Promise<unknown> {
  return connecting.then(
    () => 'It connected',
    (reason: unknown) => reason,
  )
}

/** What `connecting` fails with, which has to be a `HandshakeError`. */
export async function failureOf(connecting: Promise<unknown>): Promise<HandshakeError> {
  const error = await failing(connecting)
  if (!(error instanceof HandshakeError)) throw error
  return error
}

/** The sockets that are made from now on, to look at what is left of them. */
export function watchSockets(): Socket[] {
  const sockets: Socket[] = []
  const onSocket = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket)
  subscribe('net.client.socket', onSocket)
  onTestFinished(() => void unsubscribe('net.client.socket', onSocket))
  return sockets
}
