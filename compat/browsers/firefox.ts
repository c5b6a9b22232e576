/**
 * Firefox, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), which it speaks by itself over a WebSocket: the client
 * of this project is the driver.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'fullduplex'
import type { Connection } from 'fullduplex'
import { Program } from '../../scripts/support/program.ts'
import type { Cell } from '../programs/check.ts'
import { needPackage } from '../support/debian.ts'
import type { Browser } from './browser.ts'

const PLACES = ['/usr/bin/firefox-esr', '/usr/bin/firefox']

/** Milliseconds that it has to start. */
const START = 60_000

/** It talks to nobody but the page's server. */
const QUIET = [
  'app.update.enabled',
  'browser.safebrowsing.malware.enabled',
  'browser.safebrowsing.phishing.enabled',
  'datareporting.policy.dataSubmissionEnabled',
  'extensions.update.enabled',
  'network.captive-portal-service.enabled',
  'network.connectivity-service.enabled',
  'toolkit.telemetry.enabled',
]

export async function startFirefox(): Promise<Browser> {
  await needPackage('firefox-esr', () => findFirefox() !== undefined)
  const profile = await mkdtemp(join(tmpdir(), 'fullduplex-firefox-'))
  await writeFile(join(profile, 'user.js'), QUIET.map((name) => `user_pref('${name}', false)\n`).join(''))
  // It says on stderr where it listens.
  const command = `exec '${findFirefox()}' --headless --no-remote --profile '${profile}' --remote-debugging-port 0 2>&1`
  const program = new Program('/bin/sh', ['-c', command], { cwd: profile, env: { HOME: profile } })
  const close = async (): Promise<void> => {
    await program.stop()
    await rm(profile, { recursive: true, force: true, maxRetries: 3 })
  }
  try {
    const line = await program.url(START, /WebDriver BiDi listening on ws:/)
    return await startSession(`${/ws:\S+/.exec(line)?.[0]}/session`, close)
  } catch (error) {
    await close()
    throw error
  }
}

function findFirefox(): string | undefined {
  return [process.env['FIREFOX_PATH'], ...PLACES].find((place) => place !== undefined && existsSync(place))
}

async function startSession(url: string, close: () => Promise<void>): Promise<Browser> {
  const driver = new Driver(await connect(url))
  const { capabilities } = (await driver.command('session.new', {
    capabilities: { alwaysMatch: { acceptInsecureCerts: true } },
  })) as { capabilities: { browserVersion: string } }
  return {
    title: `Firefox ${capabilities.browserVersion}`,
    async visit(page) {
      const { context } = (await driver.command('browsingContext.create', { type: 'tab' })) as { context: string }
      await driver.command('browsingContext.navigate', { context, url: page, wait: 'complete' })
      const { result } = (await driver.command('script.evaluate', {
        expression: 'results.then(JSON.stringify)',
        target: { context },
        awaitPromise: true,
      })) as { result: { value: string } }
      await driver.command('browsingContext.close', { context })
      return JSON.parse(result.value) as Cell[]
    },
    close,
  }
}

interface Answer {
  readonly id?: number
  readonly type: 'success' | 'error' | 'event'
  readonly result?: unknown
  readonly message?: string
}

/** Sends commands, one at a time. */
class Driver {
  readonly #ws: Connection
  #last = 0

  constructor(ws: Connection) {
    this.#ws = ws
  }

  async command(method: string, params: object): Promise<unknown> {
    const id = ++this.#last
    this.#ws.send(JSON.stringify({ id, method, params }))
    const messages = this.#ws.messages()
    for (;;) {
      const { value, done } = await messages.next()
      if (done === true) throw new Error(`Firefox ended the session during ${method}`)
      const answer = JSON.parse(String(value)) as Answer
      if (answer.id !== id) continue
      if (answer.type === 'error') throw new Error(`${method}: ${answer.message}`)
      return answer.result
    }
  }
}
