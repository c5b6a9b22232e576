/** What this room lets the others see. */
import { expect, it } from 'vitest'
import * as room from '../../src/connection/index.ts'

it('connection exports what servers and clients need', () => {
  expect(Object.keys(room).toSorted()).toEqual([
    'CONNECTION_NAMES',
    'Connection',
    'Deferred',
    'END_TIMEOUT',
    'PreparedMessage',
    'ReadyState',
    'Watcher',
    'checkCallbacks',
    'checkCount',
    'checkNames',
    'checkTime',
    'connectionSettings',
    'createCounts',
    'defaults',
    'isThenable',
    'lent',
    'payloadOf',
    'readIntoLent',
    'toDuplex',
    'toWebStreams',
    'warn',
  ])
  expect(room.ReadyState).toEqual({ Connecting: 0, Open: 1, Closing: 2, Closed: 3 })
})
