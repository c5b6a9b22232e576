/** What is said when nothing could be judged; `conform.test.ts` has the runs. */
import { describe, expect, it } from 'vitest'
import { CommandError, UsageError } from '../../src/cli/io.ts'
import { explain, selection } from '../../src/cli/judging.ts'
import { readOptions } from '../../src/cli/options.ts'
import { conform } from '../../src/cli/conform.ts'

const SERVER = { url: 'wss://example.org' }
const CLIENTS = { port: 80, host: '127.0.0.1' }

function failure(code: string | undefined, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), code === undefined ? {} : { code })
}

describe('explain', () => {
  it.each([
    [failure('ECONNREFUSED', 'connect ECONNREFUSED'), SERVER, 'Cannot reach wss://example.org: connect ECONNREFUSED'],
    // Of a name with several addresses (net.setDefaultAutoSelectFamily).
    [failure('ECONNREFUSED', ''), SERVER, 'Cannot reach wss://example.org: ECONNREFUSED'],
    [failure(undefined, 'too late'), SERVER, 'Cannot reach wss://example.org: too late'],
    [
      failure('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'),
      SERVER,
      'Cannot reach wss://example.org: self-signed certificate; --insecure takes any certificate',
    ],
    [
      failure('UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify'),
      SERVER,
      'Cannot reach wss://example.org: unable to verify; --insecure takes any certificate',
    ],
    [failure('EACCES', 'listen EACCES'), CLIENTS, 'Cannot listen on port 80 of 127.0.0.1: listen EACCES'],
  ])('says what is the matter with %s', (error, target, message) => {
    expect(explain(error, target)).toEqual(new CommandError(message))
  })

  it('leaves wrong usage to the words of the kit', () => {
    const explained = explain(failure('ERR_WS_INVALID_OPTION', 'There is no case "77"'), SERVER)
    expect(explained).toBeInstanceOf(UsageError)
    expect(explained.message).toBe('There is no case "77"')
    const own = new UsageError('mine')
    expect(explain(own, CLIENTS)).toBe(own)
  })
})

describe('selection', () => {
  it.each([
    [[], { exclude: [] }],
    [['--quick'], { exclude: ['9', '12', '13'] }],
    [['--only', '1, 2', '--only', '6.4', '--exclude', '1.1.8'], { only: ['1', '2', '6.4'], exclude: ['1.1.8'] }],
  ])('reads %j', (args, selected) => {
    expect(selection(readOptions(args, conform.options))).toEqual(selected)
  })
})
